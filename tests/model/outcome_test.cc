// SPDX-License-Identifier: Apache-2.0
//
// The table of outcomes, row by row: what an end is called, and whether it is an error.
#include "collector/model/outcome.h"

#include <gtest/gtest.h>
#include <lunscope/reasons.h>

#include <algorithm>

#include "tests/model/layers.h"

namespace lunscope {
namespace {

constexpr scsi_sense kSense = {.valid = 1, .key = 5, .asc = 0x21, .ascq = 0x80};
constexpr uint8_t kBusyStatus = 0x08;
constexpr uint8_t kDidError = 0x07;

struct OutcomeRow {
  const char* what;
  CommandEnd end;
  Ending ending;
  bool is_error;
  bool has_status;
  const char* words;
};

const OutcomeRow kOutcomeRows[] = {
    {"nothing to say", {}, Ending::kGood, false, true, "Good"},
    {"sense with GOOD", {.sense = kSense}, Ending::kSuccessStatus, false, true, "Good"},
    {"a status", {.status = kBusyStatus}, Ending::kOtherStatus, true, true, "Busy"},
    {"a status without a name", {.status = 0xee}, Ending::kOtherStatus, true, true, "0xee"},
    {"a status with sense",
     {.status = kBusyStatus, .sense = kSense},
     Ending::kOtherStatus,
     true,
     true,
     "Busy"},
    {"CHECK CONDITION with sense",
     {.status = SCSI_STATUS_CHECK_CONDITION, .sense = kSense},
     Ending::kCheckCondition,
     true,
     true,
     "Check 5/21/80 Illegal Request"},
    {"CHECK CONDITION with sense that has a name",
     {.status = SCSI_STATUS_CHECK_CONDITION, .sense = {1, 6, 0x29, 0}},
     Ending::kCheckCondition,
     true,
     true,
     "Check 6/29/00 Unit Attention: Power on, reset, or bus device reset occurred"},
    {"CHECK CONDITION with a deferred error",
     {.status = SCSI_STATUS_CHECK_CONDITION, .sense = {1, 3, 0x0c, 0, 1}},
     Ending::kDeferredError,
     true,
     true,
     "Check, deferred 3/0c/00 Medium Error: Write error"},
    {"CONDITION MET", {.status = 0x04}, Ending::kSuccessStatus, false, true, "Condition Met"},
    {"CONDITION MET with sense",
     {.status = 0x04, .sense = kSense},
     Ending::kSuccessStatus,
     false,
     true,
     "Condition Met"},
    {"INTERMEDIATE",
     {.status = 0x10},
     Ending::kSuccessStatus,
     false,
     true,
     "Intermediate (obsolete)"},
    {"INTERMEDIATE-CONDITION MET",
     {.status = 0x14},
     Ending::kSuccessStatus,
     false,
     true,
     "Intermediate-Condition Met (obsolete)"},
    {"CHECK CONDITION without sense",
     {.status = SCSI_STATUS_CHECK_CONDITION},
     Ending::kOtherStatus,
     true,
     true,
     "Check Condition"},
    {"a response", {.response = 1}, Ending::kTargetFailure, true, false, "target failure"},
    {"a response with a status",
     {.response = 0x80, .status = kBusyStatus},
     Ending::kTargetFailure,
     true,
     false,
     "0x80"},
    {"a host status", {.host_status = kDidError}, Ending::kHostError, true, false, "DID_ERROR"},
    {"a host status with a status and sense",
     {.host_status = kDidError, .status = SCSI_STATUS_CHECK_CONDITION, .sense = kSense},
     Ending::kHostError,
     true,
     false,
     "DID_ERROR"},
    {"still in flight", {.no_status = LUNSCOPE_OPEN}, Ending::kOpen, false, false, "No status yet"},
    {"still in flight, beyond the window",
     {.no_status = LUNSCOPE_OPEN, .cause = 1},
     Ending::kOpen,
     false,
     false,
     "No status yet (CmdSN above MaxCmdSN)"},
    {"aborted",
     {.no_status = 1 + LUNSCOPE_UNREPORTED_ABORTED, .cause = ISCSI_TASK_LUN_RESET},
     Ending::kNoStatus,
     true,
     false,
     "No status: aborted (LOGICAL UNIT RESET)"},
    {"rejected for a reason without a name",
     {.no_status = 1 + LUNSCOPE_UNREPORTED_REJECTED, .cause = 0xee},
     Ending::kNoStatus,
     true,
     false,
     "No status: rejected (0xee)"},
    {"closed",
     {.no_status = 1 + LUNSCOPE_UNREPORTED_CONNECTION_CLOSED},
     Ending::kNoStatus,
     true,
     false,
     "No status: connection closed"},
    {"a timer that ran out", {.is_timeout = true}, Ending::kTimedOut, true, false, "Timed out"},
};

TEST(Outcome, IsThatOfTheFirstRowThatMatches) {
  for (const OutcomeRow& row : kOutcomeRows) {
    const Verdict verdict = Judge(row.end);
    EXPECT_EQ(verdict.outcome->ending, row.ending) << row.what;
    EXPECT_EQ(verdict.is_error(), row.is_error) << row.what;
    EXPECT_EQ(verdict.has_status(), row.has_status) << row.what;
    EXPECT_EQ(verdict.is_end(), row.ending != Ending::kTimedOut && row.ending != Ending::kOpen)
        << row.what;
    EXPECT_EQ(verdict.is_answered(), verdict.is_end() && row.end.no_status == 0) << row.what;
    EXPECT_EQ(verdict.Words(), row.words) << row.what;
  }
}

TEST(Outcome, EachRowOfTheTableIsReached) {
  for (const Outcome& outcome : Outcomes()) {
    const bool is_reached = std::ranges::any_of(
        kOutcomeRows, [&](const OutcomeRow& row) { return Judge(row.end).outcome == &outcome; });
    EXPECT_TRUE(is_reached) << int{static_cast<uint8_t>(outcome.ending)};
  }
}

// The record of a plain success is judged without the table: the answer is the table's.
TEST(Outcome, OfARecordIsThatOfItsEnd) {
  for (const uint8_t response : {0, 1}) {
    for (int status = 0; status < 256; status++) {
      for (const bool is_sensed : {false, true}) {
        Command command = Read16(0, 1);
        if (is_sensed) command.Sensing(5, 0x21, 0x80);
        command.Ending(static_cast<uint8_t>(status)).Responding(response);
        const CommandEnd end = {.response = response,
                                .status = static_cast<uint8_t>(status),
                                .sense = is_sensed ? kSense : scsi_sense{}};
        const Verdict verdict = Judge(command.record.command);
        EXPECT_EQ(verdict.outcome, Judge(end).outcome);
        EXPECT_EQ(verdict.Words(), Judge(end).Words());
      }
    }
  }
}

TEST(Outcome, OfALayerKnowsTheHostStatusAndTheTimeout) {
  const Dispatched ended(1, Read16(0, 1));
  EXPECT_EQ(Judge(ended.record).outcome->ending, Ending::kGood);
  EXPECT_EQ(Judge(Dispatched(ended).Failing(kDidError).record).Words(), "DID_ERROR");
  EXPECT_FALSE(Judge(Dispatched(ended).TimingOut().record).is_end());
}

}  // namespace
}  // namespace lunscope
