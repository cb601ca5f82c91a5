// SPDX-License-Identifier: Apache-2.0
//
// Where the kernel maps memory, from ELF headers like those of /proc/kcore.
#include "collector/probe/page_map.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/base/tree.h"

namespace lunscope {
namespace {

constexpr uint64_t kNoAddress = ~uint64_t{0};
constexpr uint64_t kDirectMap = 0xffff888000000000;  // without KASLR
constexpr uint64_t kVmalloc = 0xffffc90000000000;
constexpr uint64_t kVmemmap = 0xffffea0000000000;
constexpr uint64_t kImage = 0xffffffff81000000;

Elf64_Phdr Segment(uint64_t address, uint64_t physical, uint64_t bytes) {
  return {.p_type = PT_LOAD, .p_vaddr = address, .p_paddr = physical, .p_memsz = bytes};
}

// The segments of a machine with memory from 4 KiB to 3 GiB and from 4 GiB to 5 GiB.
std::vector<Elf64_Phdr> Segments() {
  return {{.p_type = PT_NOTE},
          Segment(kVmalloc, kNoAddress, uint64_t{1} << 45),
          Segment(kImage, 0x1000000, 0x2000000),
          Segment(kDirectMap + 0x100000000, 0x100000000, 0x40000000),
          Segment(kVmemmap + 0x4000000, kNoAddress, 0x1000000),
          Segment(kDirectMap + 0x1000, 0x1000, 0xbffff000),
          Segment(kVmemmap, kNoAddress, 0x3000000)};
}

class Kcore : public Tree {
 protected:
  static std::string File(const Elf64_Ehdr& header, const std::vector<Elf64_Phdr>& segments) {
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
    bytes.append(reinterpret_cast<const char*>(segments.data()),
                 segments.size() * sizeof(Elf64_Phdr));
    return bytes;
  }
  static Elf64_Ehdr Header(size_t segments) {
    return {.e_machine = EM_X86_64,
            .e_phoff = sizeof(Elf64_Ehdr),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = static_cast<Elf64_Half>(segments)};
  }

  std::optional<PageMap> Read(const std::string& bytes) {
    Put("kcore", bytes);
    return ReadPageMap(root_ + "/kcore");
  }
  std::optional<PageMap> Read(const std::vector<Elf64_Phdr>& segments) {
    return Read(File(Header(segments.size()), segments));
  }
};

TEST_F(Kcore, HasTheBeginningOfBothMaps) {
  const std::optional<PageMap> map = Read(Segments());
  ASSERT_TRUE(map);
  EXPECT_EQ(map->page_offset_base, kDirectMap);
  EXPECT_EQ(map->vmemmap_base, kVmemmap);
}

TEST_F(Kcore, MayHaveMapsAtRandomPlaces) {
  constexpr uint64_t kMoved = uint64_t{5} << 30;
  std::vector<Elf64_Phdr> segments = Segments();
  for (Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && segment.p_vaddr < kImage) segment.p_vaddr += kMoved;
  }
  const std::optional<PageMap> map = Read(segments);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->page_offset_base, kDirectMap + kMoved);
  EXPECT_EQ(map->vmemmap_base, kVmemmap + kMoved);
}

TEST_F(Kcore, MayLackAMap) {
  const std::vector<Elf64_Phdr> direct = {Segment(kDirectMap + 0x1000, 0x1000, 0x1000)};
  const std::vector<Elf64_Phdr> array = {Segment(kVmemmap, kNoAddress, 0x1000)};
  const std::vector<Elf64_Phdr> unaligned = {Segment(kDirectMap + 0x3000, 0x1000, 0x1000),
                                             array[0]};
  for (const std::vector<Elf64_Phdr>& segments : {direct, array, unaligned, {}})
    EXPECT_FALSE(Read(segments));
}

TEST_F(Kcore, MayBeOfAnotherMachine) {
  Elf64_Ehdr header = Header(Segments().size());
  header.e_machine = EM_AARCH64;
  EXPECT_FALSE(Read(File(header, Segments())));
  header = Header(Segments().size());
  header.e_phentsize = 32;
  EXPECT_FALSE(Read(File(header, Segments())));
}

TEST_F(Kcore, MayBeAbsentOrCut) {
  EXPECT_FALSE(ReadPageMap(root_ + "/nowhere"));
  const std::string bytes = File(Header(Segments().size()), Segments());
  for (size_t length = 0; length < bytes.size(); length++)
    EXPECT_FALSE(Read(bytes.substr(0, length))) << length;
}

}  // namespace
}  // namespace lunscope
