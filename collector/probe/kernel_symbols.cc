// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_symbols.h"

#include <bcc/bcc_proc.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace lunscope {
namespace {

// The address that the kernel lists for one of its own symbols, 0 if it hides it. Its lines are
// "address type name", with a module's name behind a tab.
std::optional<uint64_t> ListedAddress(std::string_view name) {
  std::ifstream symbols("/proc/kallsyms");
  std::string line;
  while (std::getline(symbols, line)) {
    const size_t type = line.find(' ') + 1;
    if (line.size() == type + 2 + name.size() && line.ends_with(name) && line[type + 1] == ' ')
      return std::strtoull(line.c_str(), nullptr, 16);
  }
  return std::nullopt;
}

struct Search {
  std::string_view name;
  bool is_found = false;
};

void Look(const char* name, const char* /*module*/, uint64_t /*address*/, void* context) {
  auto* search = static_cast<Search*>(context);
  const std::string_view symbol(name);
  // ".isra.0", ".constprop.0", ".part.0"; but ".cold" is a piece of it.
  const bool is_copy = symbol.size() > search->name.size() && symbol.starts_with(search->name) &&
                       symbol[search->name.size()] == '.' && !symbol.ends_with(".cold");
  if (symbol == search->name || is_copy) search->is_found = true;
}

}  // namespace

std::optional<uint64_t> FindKernelSymbol(std::string_view name) {
  const std::optional<uint64_t> address = ListedAddress(name);
  return address == 0U ? std::nullopt : address;
}

bool IsKernelSymbolListed(std::string_view name) { return ListedAddress(name).has_value(); }

bool HasKernelFunction(std::string_view name) {
  Search search{name};
  bcc_procutils_each_ksym(&Look, &search);
  return search.is_found;
}

}  // namespace lunscope
