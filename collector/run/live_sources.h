// SPDX-License-Identifier: Apache-2.0
//
// The sources of a live host: the programs on iSCSI and those on the SCSI layers.
#pragma once

#include "collector/base/result.h"
#include "collector/probe/probe.h"
#include "collector/run/event_loop.h"
#include "collector/run/privileges.h"
#include "collector/run/settings.h"
#include "collector/run/source.h"

namespace lunscope {

// Attach the programs of these sources. The source of iSCSI is the first one, so that the model has
// a command of the wire before it meets the same command of the mid-layer.
//
// Raises net.core.optmem_max where the state of a connection would not fit it, and says so.
// Then this thread gives up the privileges that it needs no more (PrivilegeOptions::GiveUp()).
//
// A signal that ends the process ends it at once meanwhile. removes_files: the process has files to
// remove at its end, so the signal waits.
Result<SourceList> AttachSources(const Sources& sources, const ProbeOptions& options,
                                 const PrivilegeOptions& privileges, const EventLoop& loop,
                                 bool removes_files = false);

}  // namespace lunscope
