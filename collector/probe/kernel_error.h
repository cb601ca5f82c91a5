// SPDX-License-Identifier: Apache-2.0
//
// Errors of libbpf and the kernel, as Errors that say what was attempted and what to do.
#pragma once

#include <string>
#include <string_view>

#include "collector/base/result.h"

namespace lunscope {

// Keep libbpf's warnings for Errors in place of printing them. Call before any other use of libbpf.
void SetUpLibbpf();

// The kernel's error number in words, with libbpf's last warning on this thread.
std::string KernelReason(int error);

// The same as an Error that ends with kCheckHint. The verifier answers "permission denied" to a
// program that this kernel does not support. is_refusal: the verifier has answered.
Error KernelError(const char* attempted, int error, bool is_refusal = false);
inline constexpr std::string_view kCheckHint = "; run 'lunscope check' to see what is missing";

}  // namespace lunscope
