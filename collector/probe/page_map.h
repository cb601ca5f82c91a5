// SPDX-License-Identifier: Apache-2.0
//
// Where the kernel maps all of its memory, which bpf/skb_walk.bpf.h must know. x86-64 only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lunscope {

// The kernel's names for the two variables below.
inline constexpr const char* kPageOffsetBase = "page_offset_base";
inline constexpr const char* kVmemmapBase = "vmemmap_base";

struct PageMap {
  uint64_t page_offset_base = 0;
  uint64_t vmemmap_base = 0;
};

// The addresses in the ELF headers of /proc/kcore (fs/proc/kcore.c). The headers hold them even
// where the kernel hides its symbols. Nothing without that file or without CAP_SYS_RAWIO.
std::optional<PageMap> ReadPageMap(const std::string& kcore = "/proc/kcore");

}  // namespace lunscope
