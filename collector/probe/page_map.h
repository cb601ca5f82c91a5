// SPDX-License-Identifier: Apache-2.0
//
// Where the kernel maps all of its memory, which bpf/skb_walk.bpf.h has to know: x86-64 only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lunscope {

// The kernel's variables of these names.
struct PageMap {
  uint64_t page_offset_base = 0;
  uint64_t vmemmap_base = 0;
};

// As the headers of /proc/kcore tell (fs/proc/kcore.c), which name no symbols: also where those are
// hidden. Nothing without that file, or without CAP_SYS_RAWIO.
std::optional<PageMap> ReadPageMap(const std::string& kcore = "/proc/kcore");

}  // namespace lunscope
