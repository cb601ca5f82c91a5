// SPDX-License-Identifier: Apache-2.0
//
// The kinds of events: what happens to a connection or a session and is no command. A kind is a row
// of this table. Its label is the key `event` in JSON and the label of the metric, and its level
// says who reads of it on standard error. A new kind is a new row.
#pragma once

#include <lunscope/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "collector/base/log.h"

namespace lunscope {

struct EventKindRow {
  const char* label;
  LogLevel level;  // debug: an ordinary day has it
  const char* help;
};

inline constexpr EventKindRow kEventKindRows[] = {
    {"logged_in", LogLevel::kDebug, "The target accepted the login."},
    {"login_refused", LogLevel::kWarning, "The target refused the login."},
    {"login_redirected", LogLevel::kInfo, "The target sent the initiator to another address."},
    {"session_restored", LogLevel::kInfo,
     "The target accepted the login of an initiator whose session was down."},
    {"session_reinstated", LogLevel::kInfo,
     "A login took the place of a session that was up, from the same address."},
    {"session_taken_over", LogLevel::kWarning,
     "A login took the place of a session that was up, from another address."},
    {"login_unanswered", LogLevel::kWarning, "The target did not answer a Login Request for 5 s."},
    {"ping_unanswered", LogLevel::kWarning, "The peer did not answer a NOP for 5 s."},
    {"connect_failed", LogLevel::kWarning, "A connect was refused, not answered or given up."},
    {"logged_out", LogLevel::kDebug, "The target accepted the logout."},
    {"logout_refused", LogLevel::kWarning, "The target refused the logout."},
    {"task_management_requested", LogLevel::kWarning,
     "The initiator gave up a command, or reset a LUN or the target."},
    {"task_management_answered", LogLevel::kInfo, "The target answered such a request."},
    {"reject", LogLevel::kWarning, "The target rejected a PDU."},
    {"async_message", LogLevel::kWarning, "The target announced something."},
    {"header_digest_error", LogLevel::kWarning, "The receiver dropped a PDU with a wrong header."},
    {"gap", LogLevel::kInfo, "lunscope missed bytes of a connection."},
    // A warning if something went wrong with it: LevelOfEnd() of lines/event_line.cc.
    {"connection_ended", LogLevel::kDebug, "A TCP connection ended, as its words say."},
};
inline constexpr size_t kEventKinds = std::size(kEventKindRows);

// One of the rows, by its label. A label without a row does not compile.
class EventKind {
 public:
  consteval EventKind(const char* label) : row_(RowOf(label)) {}  // NOLINT: reads as its label

  [[nodiscard]] size_t row() const { return row_; }
  [[nodiscard]] const char* label() const { return kEventKindRows[row_].label; }
  [[nodiscard]] LogLevel level() const { return kEventKindRows[row_].level; }

 private:
  static consteval size_t RowOf(std::string_view label) {
    for (size_t row = 0; row < kEventKinds; row++) {
      if (label == kEventKindRows[row].label) return row;
    }
    throw "kEventKindRows has no row with this label";
  }

  size_t row_;
};

// The counts of a run so far.
struct EventCounts {
  using OfRole = std::array<uint64_t, kEventKinds>;  // by row
  std::array<OfRole, LUNSCOPE_ROLES> met{};
  uint64_t dropped = 0;  // no longer in the list of the last events
  uint64_t unsaid = 0;   // not on standard error, for there were too many
};

}  // namespace lunscope
