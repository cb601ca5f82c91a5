// SPDX-License-Identifier: Apache-2.0
//
// The name of the guest that a QEMU process runs, from the process's command line.
#pragma once

#include <string>

namespace lunscope {

// The name in -name NAME or -name guest=NAME,... (qemu(1)); "" if the program is not QEMU or has no
// such option. No other option is read: an iSCSI URL may hold a password. The name is printable.
// command_line: the text of /proc/PID/cmdline, in which a NUL ends each argument.
std::string QemuGuestName(const std::string& command_line);

}  // namespace lunscope
