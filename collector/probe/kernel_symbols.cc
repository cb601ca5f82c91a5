// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_symbols.h"

#include <fstream>
#include <string>

namespace lunscope {

std::optional<uint64_t> FindKernelSymbol(std::string_view name) {
  std::ifstream symbols("/proc/kallsyms");
  std::string address;
  std::string type;
  std::string symbol;
  std::string rest;  // of the line: a module's name
  while (symbols >> address >> type >> symbol && std::getline(symbols, rest)) {
    if (symbol != name || !rest.empty()) continue;
    const uint64_t value = std::stoull(address, nullptr, 16);
    return value != 0 ? std::optional(value) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace lunscope
