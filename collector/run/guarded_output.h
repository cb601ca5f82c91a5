// SPDX-License-Identifier: Apache-2.0
//
// Standard output and standard error may be pipes, and their reader may have stopped. A plain
// write() would then hold up a process whose signals wait for its main thread.
#pragma once

#include <chrono>

namespace lunscope {

// So long after the signal that ends the process, output that still waits is given up.
inline constexpr std::chrono::milliseconds kLastOutput(500);

// Replace stdout and stderr by streams that stop waiting for their reader at the end of the
// process. A write that was given up is an error of its stream. hang_up_ends: SIGHUP ends the
// process. REQUIRES: the signals that end it are blocked (EventLoop), and no other thread uses
// stdout or stderr yet.
void GuardOutput(bool hang_up_ends = true);

// The process is asked to end: from now on output waits for kLastOutput in all. Any thread.
void EndOutputSoon();

}  // namespace lunscope
