// SPDX-License-Identifier: Apache-2.0
//
// All that a rule reads: the look, the commands and the happenings up to now. A window begins 10 to
// 20 s ago, or where the diagnosis began.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "collector/diagnosis/look.h"
#include "collector/diagnosis/strands.h"
#include "collector/diagnosis/tally.h"

namespace lunscope {

// The commands to a LUN, of all its initiators together.
struct LunView {
  Subject subject;  // without an initiator
  Figures grown{};
  std::vector<const Strand*> strands;
};
using LunKey = std::tuple<uint8_t, std::string, uint64_t>;  // role, target, LUN

struct Window {
  uint64_t now_ns = 0;
  uint64_t begin_ns = 0;
  const std::vector<ConnectionLook>& connections;
  const Strands& strands;
  const Tally& tally;
  std::map<LunKey, LunView> luns;  // those with commands in the window

  [[nodiscard]] uint64_t length_ns() const { return now_ns > begin_ns ? now_ns - begin_ns : 0; }
  // The time so long ago.
  [[nodiscard]] uint64_t Ago(double seconds) const;
  // nullptr: it is not open, or is not looked at.
  [[nodiscard]] const ConnectionLook* FindConnection(uint64_t id) const;
};

// Fill in the LUNs.
void GroupByLun(Window& window);

// Reads and writes.
inline uint64_t DataCommands(const Figures& grown) { return grown[kReads] + grown[kWrites]; }
inline uint64_t DataTimes(const Figures& grown) { return grown[kReadTimes] + grown[kWriteTimes]; }

// Does each data command keep somebody busy for so long, beside the time to move its bytes? With
// many in flight each takes long, and nobody is slow. busy_ns: of all these commands together.
bool AreSlow(const Figures& grown, uint64_t busy_ns, double least_ms);

// The mean of so many; 0 for none.
inline uint64_t Mean(uint64_t sum, uint64_t count) { return count == 0 ? 0 : sum / count; }
inline double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace lunscope
