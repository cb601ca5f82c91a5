// SPDX-License-Identifier: Apache-2.0
#include "collector/model/outcome.h"

#include <fmt/format.h>

#include <algorithm>

#include "collector/base/record.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

// ---- how it ended ----

bool IsPlain(const CommandEnd& end) {
  return !end.is_timeout && end.no_status == 0 && end.host_status == 0 && end.response == 0 &&
         end.status == SCSI_STATUS_GOOD && end.sense.valid == 0;
}
bool IsTimeout(const CommandEnd& end) { return end.is_timeout; }
bool IsOpen(const CommandEnd& end) { return end.no_status == LUNSCOPE_OPEN; }
bool HasNoStatus(const CommandEnd& end) { return end.no_status != 0; }
bool HasHostStatus(const CommandEnd& end) { return end.host_status != 0; }
bool HasResponse(const CommandEnd& end) { return end.response != 0; }
bool IsSuccess(const CommandEnd& end) { return scsi_is_success(end.status) != 0; }
bool IsCheckWithSense(const CommandEnd& end) {
  return end.status == SCSI_STATUS_CHECK_CONDITION && end.sense.valid != 0;
}
bool IsDeferred(const CommandEnd& end) { return IsCheckWithSense(end) && end.sense.deferred != 0; }
bool IsAny(const CommandEnd&) { return true; }

// ---- the words for it ----

std::string TimedOut(const CommandEnd&) { return "Timed out"; }
std::string Open(const CommandEnd& end) {
  const std::string cause = NoStatusCause(end.no_status - 1, end.cause);
  return cause.empty() ? "No status yet" : "No status yet (" + cause + ")";
}
std::string NoStatus(const CommandEnd& end) {
  return "No status: " + NoStatusName(end.no_status - 1, end.cause);
}
std::string HostStatus(const CommandEnd& end) { return HostStatusName(end.host_status); }
std::string Response(const CommandEnd& end) { return ResponseName(end.response); }
std::string Status(const CommandEnd& end) { return StatusName(end.status); }
std::string SenseWords(const scsi_sense& sense) {
  return fmt::format("{:x}/{:02x}/{:02x} {}", sense.key, sense.asc, sense.ascq,
                     SenseText(sense.key, sense.asc, sense.ascq));
}
std::string Check(const CommandEnd& end) { return "Check " + SenseWords(end.sense); }
std::string Deferred(const CommandEnd& end) { return "Check, deferred " + SenseWords(end.sense); }

constexpr Severity kSuccess = Severity::kSuccess;
constexpr Severity kError = Severity::kError;

// A command that the mid-layer gives a host status has no SCSI status that means anything, nor has
// one that an iSCSI target answers with a response other than 0 (RFC 7143 section 11.4.3).
// clang-format off
constexpr Outcome kOutcomes[] = {
    // ending                 severity  status matches           words
    {Ending::kGood,           kSuccess, true,  IsPlain,          Status},
    {Ending::kTimedOut,       kError,   false, IsTimeout,        TimedOut},
    {Ending::kOpen,           kSuccess, false, IsOpen,           Open},
    {Ending::kNoStatus,       kError,   false, HasNoStatus,      NoStatus},
    {Ending::kHostError,      kError,   false, HasHostStatus,    HostStatus},
    {Ending::kTargetFailure,  kError,   false, HasResponse,      Response},
    {Ending::kSuccessStatus,  kSuccess, true,  IsSuccess,        Status},
    {Ending::kDeferredError,  kError,   true,  IsDeferred,       Deferred},
    {Ending::kCheckCondition, kError,   true,  IsCheckWithSense, Check},
    {Ending::kOtherStatus,    kError,   true,  IsAny,            Status},
};
// clang-format on

scsi_sense SenseOf(const lunscope_command_record& record) {
  const std::span sense = SenseBytes(record);
  return scsi_read_sense(sense.data(), static_cast<uint32_t>(sense.size()));
}

CommandEnd EndOf(const lunscope_command_record& record) {
  return {.response = record.response,
          .status = record.status,
          .sense = SenseOf(record),
          .no_status = record.no_status,
          .cause = record.cause};
}

}  // namespace

std::span<const Outcome> Outcomes() { return kOutcomes; }

Verdict Judge(const CommandEnd& end) {
  return {end, std::ranges::find_if(kOutcomes,
                                    [&](const Outcome& outcome) { return outcome.matches(end); })};
}

Verdict Judge(const lunscope_command_record& record) {
  // Nearly all commands end so. The rest of the function gives the same answer, a little later.
  if (record.response == 0 && record.status == SCSI_STATUS_GOOD && record.sense_bytes == 0 &&
      record.no_status == 0)
    return {{}, &kOutcomes[0]};
  return Judge(EndOf(record));
}

Verdict Judge(const lunscope_scsi_command_record& record) {
  CommandEnd end = EndOf(record.sensed.command);
  end.is_timeout = record.is_timeout != 0;
  end.host_status = record.host_status;
  return Judge(end);
}

}  // namespace lunscope
