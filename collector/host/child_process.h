// SPDX-License-Identifier: Apache-2.0
//
// A program that is asked for its standard output, and killed if it does not end in time.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lunscope {

using Deadline = std::chrono::steady_clock::time_point;

// Which lines to keep. The line has its end.
using LineFilter = std::function<bool(std::string_view line)>;

// Run a program (arguments[0] is its path) and return the lines of its output that the filter
// keeps. Returns "" if the program fails, runs past the deadline, or writes too much or too long a
// line. The program inherits no open file, has an empty standard input, and its standard error is
// dropped. Lines that are not kept exist only in one buffer, which is wiped: they may hold a
// secret.
std::string OutputOf(std::vector<std::string> arguments, Deadline deadline,
                     const LineFilter& keeps);

}  // namespace lunscope
