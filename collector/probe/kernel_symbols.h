// SPDX-License-Identifier: Apache-2.0
//
// Where the kernel keeps its variables and functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lunscope {

// The address of a symbol of the kernel's own; nothing where the kernel does not tell it: it lists
// variables only with CONFIG_KALLSYMS_ALL, and addresses only to the privileged (kptr_restrict).
std::optional<uint64_t> FindKernelSymbol(std::string_view name);

}  // namespace lunscope
