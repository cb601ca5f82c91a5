// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_symbols.h"

#include <bcc/bcc_proc.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace lunscope {
namespace {

std::optional<uint64_t> ReadAddress(std::string_view name) {
  std::ifstream symbols("/proc/kallsyms");
  return ListedAddress(symbols, name);
}

struct Search {
  std::string_view name;
  bool is_found = false;
};

void Look(const char* symbol, const char* /*module*/, uint64_t /*address*/, void* context) {
  auto* search = static_cast<Search*>(context);
  if (IsFunctionOrCopy(symbol, search->name)) search->is_found = true;
}

}  // namespace

// Lines are "address type name". A module's symbol has a tab and the module's name behind it.
std::optional<uint64_t> ListedAddress(std::istream& symbols, std::string_view name) {
  std::string line;
  while (std::getline(symbols, line)) {
    const size_t type = line.find(' ') + 1;
    if (line.size() == type + 2 + name.size() && line.ends_with(name) && line[type + 1] == ' ')
      return std::strtoull(line.c_str(), nullptr, 16);
  }
  return std::nullopt;
}

bool IsFunctionOrCopy(std::string_view symbol, std::string_view function) {
  if (symbol == function) return true;
  // The suffix of a copy is ".isra.0", ".constprop.0" or ".part.0". ".cold" marks a piece that was
  // moved out of the function.
  return symbol.size() > function.size() && symbol.starts_with(function) &&
         symbol[function.size()] == '.' && !symbol.ends_with(".cold");
}

std::optional<uint64_t> FindKernelSymbol(std::string_view name) {
  const std::optional<uint64_t> address = ReadAddress(name);
  return address == 0U ? std::nullopt : address;
}

bool IsKernelSymbolListed(std::string_view name) { return ReadAddress(name).has_value(); }

bool HasKernelFunction(std::string_view name) {
  Search search{name};
  bcc_procutils_each_ksym(&Look, &search);
  return search.is_found;
}

}  // namespace lunscope
