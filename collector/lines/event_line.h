// SPDX-License-Identifier: Apache-2.0
//
// An event as one line: something about a connection or a session that is no command, with who and
// why. A row of the table of commands, or a JSON object with the key `event`.
#pragma once

#include <lunscope/records.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collector/base/event_kinds.h"
#include "collector/base/json.h"
#include "collector/lines/short_names.h"
#include "collector/model/applied.h"

namespace lunscope {

// The subject of an event: a connection, and the session on it. Views of the model.
struct EventSubject {
  uint8_t role;
  std::string_view target;
  std::string_view initiator;  // "" while unknown
  std::string_view local;
  std::string_view remote;
  const LocalProcess* process;
};

struct Event {
  uint64_t time_ns;  // of the record's clock
  EventKind kind;
  EventSubject subject;
  std::string words;  // printable: "login refused: Authentication failure"
  std::optional<LogLevel> raised = std::nullopt;  // absent: that of the kind

  [[nodiscard]] LogLevel level() const { return raised.value_or(kind.level()); }
};

// The event that this record is, if it is one. applied: what the model made of the record. Valid as
// long as that.
std::optional<Event> EventOf(const lunscope_record& record, const Applied& applied);

// Printable, without a line end. names: of targets, for a row.
std::string EventRow(const Event& event, int64_t wall_clock_offset_ns, ShortNames& names);
std::string EventJson(const Event& event, int64_t wall_clock_offset_ns);
// The members of that object.
void FillEvent(json::Members& line, const Event& event, int64_t wall_clock_offset_ns);
// For the log, which has a time of its own.
std::string EventSentence(const Event& event);

}  // namespace lunscope
