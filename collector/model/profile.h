// SPDX-License-Identifier: Apache-2.0
//
// The profile of a LUN's workload: how far its commands lie apart on the medium and in time, how
// many are in flight, and how they are aligned. profiler.h says how commands come into the order in
// which they began. Values: whoever owns one serialises its use.
#pragma once

#include <lunscope/scsi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "collector/model/deep_ptr.h"
#include "collector/model/depth.h"
#include "collector/model/histogram.h"

namespace lunscope {

// 1 block to 4^15 blocks, which are 512 GiB of 512 bytes.
using SeekHistogram = DoublingHistogram<1, 16, 2>;
// 1 us to 268 s.
using InterarrivalHistogram = DoublingHistogram<1000, 15, 2>;

// From the last block of a command to the first block of the next one. Also array indices.
enum SeekDirection : uint8_t { kSeekForward, kSeekBackward, kSeekDirections };
// Does a command begin and end at multiples of 4 KiB? Unknown: the size of a block is not known.
enum Alignment : uint8_t { kAligned, kUnaligned, kAlignmentUnknown, kAlignments };
// Why the place of a command among the others is not known.
enum Unordered : uint8_t { kLate, kSharedLun, kTooDeep, kUnorderedReasons };

// The blocks of a command.
struct Extent {
  uint64_t lba = 0;
  uint64_t blocks = 0;

  [[nodiscard]] uint64_t end() const { return lba + blocks; }
};

// Times of records differ by the delay of a ring, never by this much. So the clock was set back
// between the two.
inline bool IsStepBack(uint64_t before_ns, uint64_t now_ns) {
  constexpr uint64_t kStepNs = 10'000'000'000;
  return before_ns > now_ns && before_ns - now_ns > kStepNs;
}

Alignment AlignmentOf(const Extent& extent, uint32_t block_bytes);

struct OperationProfile {
  InterarrivalHistogram interarrival_ns;
  std::array<SeekHistogram, kSeekDirections> seeks;
  uint64_t sequential = 0;                         // begins where one of the last commands ended
  std::array<uint64_t, kAlignments> alignments{};  // each command that has an extent is in one
  uint64_t fua = 0;                                // of these commands
};

// A command that has ended.
struct Begun {
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  Extent extent;  // without blocks: none
  uint32_t cmdsn = 0;
  uint8_t operation = 0;
};

// The commands with which the next one of a LUN is compared.
class LunOrder {
 public:
  // A command that begins where one of so many before it ended is sequential.
  static constexpr size_t kRemembered = 16;

  // The time since the last command began; nullopt: it is the first one.
  std::optional<uint64_t> Since(uint64_t start_ns);
  [[nodiscard]] bool IsLate(uint64_t start_ns) const { return has_begun_ && start_ns < start_ns_; }
  // Has the clock been set back since the last command began?
  [[nodiscard]] bool IsBack(uint64_t end_ns) const;

  [[nodiscard]] bool IsSequential(const Extent& extent) const;
  // The last extent; nullopt: no command had one.
  [[nodiscard]] std::optional<Extent> last() const;
  void Remember(const Extent& extent);

 private:
  uint64_t start_ns_ = 0;
  bool has_begun_ = false;
  std::array<Extent, kRemembered> extents_{};  // a ring
  size_t placed_ = 0;                          // of all commands so far
};

struct LunProfile {
  std::array<DeepPtr<OperationProfile>, SCSI_OPERATIONS> operations;  // none: not seen
  DepthHistogram depth;
  std::array<uint64_t, kUnorderedReasons> unordered{};
  LunOrder order;
  DepthSweep sweep;
  uint64_t horizon_ns = 0;  // of the last walk: every command that began before has ended

  // The next command in the order in which they began.
  void Begin(const Begun& command);
};

}  // namespace lunscope
