// SPDX-License-Identifier: Apache-2.0
//
// The iSCSI sessions of this host, from every documented place that lists them: the kernel's
// initiator, LIO and tgt. A place that does not exist on this host adds nothing, and is no error.
// lunscope asks all of them once, because only a connection that was open before it started needs
// the answer.
#pragma once

#include <vector>

#include "collector/base/host_session.h"
#include "collector/host/kernel_initiator.h"

namespace lunscope {

// Returns after about a second at most, even if a tgtd does not answer.
std::vector<HostSession> ReadHostSessions();

// The same without tgt, which would take a program: what sysfs and configfs say now, with the
// mounts of the disks.
std::vector<HostSession> ReadLocalLuns();

}  // namespace lunscope
