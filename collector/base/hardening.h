// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lunscope {

// For a process that watches the traffic of a whole host, from its start to its end: it leaves no
// core file, no other process of its user reads its memory, and neither it nor a program that it
// runs gets new privileges by an execve (prctl(2): PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS). To be
// called before there are other threads. A kernel that refuses a part leaves the others in effect.
void HardenProcess();

}  // namespace lunscope
