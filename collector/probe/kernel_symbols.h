// SPDX-License-Identifier: Apache-2.0
//
// The kernel's variables and functions, as /proc/kallsyms lists them. bcc's reader of that file
// finds functions, and only this file calls bcc. It skips variables, so those are read here.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string_view>

namespace lunscope {

// The address of a variable of the kernel. Nothing if the kernel does not reveal it: it lists
// variables only with CONFIG_KALLSYMS_ALL, and addresses only to the privileged (kptr_restrict).
std::optional<uint64_t> FindKernelSymbol(std::string_view name);

// Whether the kernel lists the variable, with its address or without.
bool IsKernelSymbolListed(std::string_view name);

// Whether the kernel or a loaded module has a function of this name. A copy that the compiler made
// of it ("iscsi_tcp_recv_skb.isra.0") counts. Returns false if this process may not see addresses.
bool HasKernelFunction(std::string_view name);

// The two above for the text of /proc/kallsyms, and for one symbol of it. The address is 0 where
// the kernel hides it.
std::optional<uint64_t> ListedAddress(std::istream& symbols, std::string_view name);
bool IsFunctionOrCopy(std::string_view symbol, std::string_view function);

}  // namespace lunscope
