// SPDX-License-Identifier: Apache-2.0
//
// Where the kernel keeps its variables and functions. Functions are found with bcc's reader of
// /proc/kallsyms, which nothing else here calls; it leaves out variables, so those are read here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lunscope {

// The address of a symbol of the kernel's own; nothing where the kernel does not tell it: it lists
// variables only with CONFIG_KALLSYMS_ALL, and addresses only to the privileged (kptr_restrict).
std::optional<uint64_t> FindKernelSymbol(std::string_view name);

// Is it listed, be it without its address?
bool IsKernelSymbolListed(std::string_view name);

// Is there a function of this name in the kernel or a loaded module, be it only as a copy that the
// compiler has made ("iscsi_tcp_recv_skb.isra.0")? No as well for who is not root or may not see
// addresses.
bool HasKernelFunction(std::string_view name);

}  // namespace lunscope
