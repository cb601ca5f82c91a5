// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/page_map.h"

#include <elf.h>

#include <algorithm>
#include <fstream>
#include <vector>

namespace lunscope {
namespace {

// arch/x86/mm/kaslr.c aligns both regions to this. Their places without KASLR are aligned as well.
constexpr uint64_t kAlignment = uint64_t{1} << 30;
// The size of the array of struct page for 64 TiB of memory. The header of vmalloc's region looks
// the same, but that region is always larger.
constexpr uint64_t kLargestArray = uint64_t{1} << 40;
// The kernel's image and modules are at this address and above
// (Documentation/arch/x86/x86_64/mm.rst).
constexpr uint64_t kKernelImage = 0xffffffff80000000;
constexpr uint64_t kNoPhysicalAddress = ~uint64_t{0};

// The headers of segments below the kernel's image.
std::vector<Elf64_Phdr> ReadProgramHeaders(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char*>(&header), sizeof(header));
  if (!file || header.e_machine != EM_X86_64 || header.e_phentsize != sizeof(Elf64_Phdr)) return {};
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  file.read(reinterpret_cast<char*>(segments.data()),
            static_cast<std::streamsize>(segments.size() * sizeof(Elf64_Phdr)));
  if (!file) return {};
  std::erase_if(segments, [](const Elf64_Phdr& segment) {
    return segment.p_type != PT_LOAD || segment.p_vaddr >= kKernelImage;
  });
  return segments;
}

}  // namespace

std::optional<PageMap> ReadPageMap(const std::string& kcore) {
  PageMap map;
  for (const Elf64_Phdr& segment : ReadProgramHeaders(kcore)) {
    if (segment.p_paddr != kNoPhysicalAddress) {
      map.page_offset_base = segment.p_vaddr - segment.p_paddr;
    } else if (segment.p_memsz < kLargestArray) {
      // Memory begins near address 0, so the lowest piece of the array is the beginning.
      const uint64_t base = segment.p_vaddr / kAlignment * kAlignment;
      map.vmemmap_base = map.vmemmap_base == 0 ? base : std::min(map.vmemmap_base, base);
    }
  }
  if (map.page_offset_base % kAlignment != 0 || map.page_offset_base == 0 || map.vmemmap_base == 0)
    return std::nullopt;
  return map;
}

}  // namespace lunscope
