// SPDX-License-Identifier: Apache-2.0
//
// The list of sessions, for a program and for a person: each with its parameters in effect and its
// connections. Connections outside a session and targets that were listed or moved follow.
#pragma once

#include <cstdint>
#include <string>

#include "collector/model/model.h"

namespace lunscope {

// Both functions take wall_clock_offset_ns: nanoseconds to add to the model's times to get
// nanoseconds since the epoch. All texts are printable ASCII, and every line has its line end.

// One JSON object on one line, with three lists: sessions, other_connections and targets. Other
// connections have one of the states "logging_in", "discovery", "open_before" (before lunscope
// started) and "no_login". Targets were listed by SendTargets or redirected. Parameters have the
// names of their keys. Numbers are JSON numbers, Yes is true and No is false.
std::string SessionsJson(const Model& model, int64_t wall_clock_offset_ns);

// A header, then a row for each session and each other connection. Below a row are the connections,
// from the initiator's address to the target's, and the parameters that differ from the RFC's
// default values. A second table has the targets, if there are any.
std::string SessionsTable(const Model& model, int64_t wall_clock_offset_ns);

}  // namespace lunscope
