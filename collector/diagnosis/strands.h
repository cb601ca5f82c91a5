// SPDX-License-Identifier: Apache-2.0
//
// A strand: the commands of one connection to one LUN, added up as rules need them. Not
// thread-safe: one thread at a time. A command of a strand that was met before makes no allocation.
#pragma once

#include <lunscope/records.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "collector/diagnosis/subject.h"
#include "collector/model/applied.h"

namespace lunscope {

// The counts. Data commands are those that read or write blocks; times are in nanoseconds.
enum Figure : size_t {
  kCommands,
  kDurations,  // of all commands with an answer
  kReads,
  kReadTimes,
  kWrites,
  kWriteTimes,
  kDataBytes,
  kWriteBytes,
  kBusyTimes,       // in which at least one data command was in flight, or its status waited
  kR2ts,            // for writes
  kSentAgain,       // data commands during which this host sent segments again
  kSentAgainTimes,  // their durations
  kPhased,          // data commands whose phases are known, and below the sum of each phase
  kPhase0,
  kPhaseRest = kPhase0 + LUNSCOPE_PHASE_REST,
  kPhasedWrites,
  kDataWaits,    // of phased writes: the phase in which data is due
  kShortWaits,   // waits within a small command that the peer does not cause, of 5 ms or more
  kDelayedAcks,  // of those: as long as a delayed acknowledgement
  kTurnedAway,   // BUSY and TASK SET FULL
  kConflicts,    // RESERVATION CONFLICT
  kStandbys,     // reads and writes on a port in standby
  kPathChanges,  // SET TARGET PORT GROUPS
  kDiscards,
  kDiscardTimes,
  kAborted,  // commands that ended without a status, by task management
  kAbortedTimes,
  kFigures
};
using Figures = std::array<uint64_t, kFigures>;

struct WrittenBlocks {
  uint64_t lba = 0;
  uint64_t blocks = 0;
};

// A unit attention, until the initiator has asked what is new.
struct Attention {
  uint64_t since_ns = 0;  // 0: nothing is to be asked
  uint64_t commands = 0;  // reads and writes since
};

struct Strand {
  static constexpr size_t kKeptWrites = 16;

  Subject subject;  // of the LUN, with the initiator and its address
  const Target* named = nullptr;
  Figures now{};
  Figures base{};
  Figures next{};
  Attention capacity;          // the capacity has changed (2A/09)
  Attention lun_list;          // the LUNs have changed (3F/0E)
  uint64_t reserved_ns = 0;    // the last RESERVE that succeeded; 0: none
  uint64_t quiet_read_ns = 0;  // the mean of reads in a window without discards; 0: not known
  uint64_t covered_ns = 0;     // up to this time kBusyTimes is counted
  std::array<WrittenBlocks, kKeptWrites> writes{};
  bool is_over = false;

  // In the window.
  [[nodiscard]] Figures Grown() const;
};

class Strands {
 public:
  static constexpr size_t kMaxStrands = 4096;

  void Take(const lunscope_record& record, const Applied& applied);
  void Turn();

  // By connection and LUN.
  using Key = std::pair<uint64_t, uint64_t>;
  [[nodiscard]] const std::map<Key, Strand>& all() const { return strands_; }
  // Commands that were on no strand, for there were too many.
  [[nodiscard]] uint64_t left_out() const { return left_out_; }

 private:
  void TakeCommand(const lunscope_command_record& command, const Applied& applied);
  Strand* StrandOf(const lunscope_command_record& command, const Applied& applied);
  void Follow(Strand& strand, const lunscope_command_record& command, const Applied& applied);
  void EndLunList(uint64_t connection);
  void End(uint64_t connection);

  std::map<Key, Strand> strands_;
  uint64_t left_out_ = 0;
};

}  // namespace lunscope
