// SPDX-License-Identifier: Apache-2.0
//
// The sessions as a person or a program asks for them: with what is in effect in each, over which
// connections, and what is known of targets beyond them.
#pragma once

#include <cstdint>
#include <string>

#include "collector/model/model.h"

namespace lunscope {

// wall_clock_offset_ns: what to add to the model's times to have nanoseconds since the epoch.
//
// One JSON object: sessions, other_connections (discovery, logins under way, and those that were
// open before), targets (listed by SendTargets, redirected). Parameters have their keys' names;
// a number is a number and Yes is true.
std::string SessionsJson(const Model& model, int64_t wall_clock_offset_ns);

// A line for each session and for each other connection; below it the parameters that are not what
// the RFC has them be by default.
std::string SessionsTable(const Model& model, int64_t wall_clock_offset_ns);

}  // namespace lunscope
