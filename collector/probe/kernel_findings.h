// SPDX-License-Identifier: Apache-2.0
//
// Facts about the kernel that change what lunscope can see: lockdown, symbols, the memory that a
// socket may have, and modules. A Read function asks the kernel; a Describe function makes a
// finding of the answer.
#pragma once

#include <cstdint>
#include <string>

#include "collector/base/check_result.h"

namespace lunscope {

inline constexpr const char* kKernelGroup = "kernel";
inline constexpr const char* kConfidentiality = "confidentiality";

// "integrity" for "none [integrity] confidentiality", the text of /sys/kernel/security/lockdown; ""
// if no mode stands in brackets.
std::string ParseLockdownMode(const std::string& modes);
std::string ReadLockdownMode();
CheckResult DescribeLockdown(const std::string& mode);

// The state of the two variables that a walk over a packet needs: "known", "hidden" or "absent".
// Kernels that lend bpf_dynptr_from_skb() to the programs do not need such a walk.
struct SymbolFacts {
  std::string page_offset_base;
  std::string vmemmap_base;
  std::string restriction;  // kernel.kptr_restrict
  bool kcore_has_them;      // /proc/kcore has the same addresses
};
SymbolFacts ReadSymbols();
CheckResult DescribeSymbols(const SymbolFacts& symbols);

// bytes: net.core.optmem_max.
CheckResult DescribeSocketMemory(uint64_t bytes);

// Whether a module is loaded, and has type information. sys: "/sys".
CheckResult DescribeModule(const std::string& sys, const std::string& module);

}  // namespace lunscope
