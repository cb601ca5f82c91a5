// SPDX-License-Identifier: Apache-2.0
//
// The one judge of a command: how it ended, whether that is an error, and the words for it. Rows of
// a trace, JSON, the summary and the metrics read the verdict. None of them compares a status.
//
// Pure: no state, and no allocation but that of Words(). A new way to end is one row in outcome.cc.
#pragma once

#include <lunscope/command.h>

#include <cstdint>
#include <span>
#include <string>

namespace lunscope {

// The end of a command, from its record.
struct CommandEnd {
  bool is_timeout = false;  // no end yet: the mid-layer's timer ran out
  uint8_t host_status = 0;  // DID_... of the mid-layer; 0: DID_OK
  uint8_t response = 0;     // of iSCSI; other than 0: the target has no status for the command
  uint8_t status = SCSI_STATUS_GOOD;
  scsi_sense sense{};
  uint8_t no_status = 0;  // other than 0: it ended without a status, as its record says
  uint8_t cause = 0;      // with no_status
};

enum class Ending : uint8_t {
  kGood,
  kTimedOut,
  kOpen,      // it is still in flight
  kNoStatus,  // rejected, aborted, never answered
  kHostError,
  kTargetFailure,
  kSuccessStatus,  // CONDITION MET and the like, or GOOD with sense beside it
  kDeferredError,
  kCheckCondition,
  kOtherStatus,
};

enum class Severity : uint8_t { kSuccess, kError };

struct Outcome {
  Ending ending;
  Severity severity;
  bool has_status;  // the SCSI status says how the command ended; else the status means nothing
  bool (*matches)(const CommandEnd& end);
  std::string (*words)(const CommandEnd& end);  // in the row of a trace
};

// In the order in which they are tried: the first that matches holds. The first row is plain
// success, and the last row matches everything.
std::span<const Outcome> Outcomes();

struct Verdict {
  CommandEnd end;
  const Outcome* outcome = nullptr;

  // False: the command may still complete.
  [[nodiscard]] bool is_end() const {
    return outcome->ending != Ending::kTimedOut && outcome->ending != Ending::kOpen;
  }
  // False: nothing answered the command, so its times and bytes are not those of an answer.
  [[nodiscard]] bool is_answered() const { return is_end() && end.no_status == 0; }
  [[nodiscard]] bool is_error() const { return outcome->severity == Severity::kError; }
  [[nodiscard]] bool has_status() const { return outcome->has_status; }
  [[nodiscard]] std::string Words() const { return outcome->words(end); }
};

Verdict Judge(const CommandEnd& end);
Verdict Judge(const lunscope_command_record& record);
Verdict Judge(const lunscope_scsi_command_record& record);

}  // namespace lunscope
