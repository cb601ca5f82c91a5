// SPDX-License-Identifier: Apache-2.0
//
// The parts of the metric catalogue. Every metric's name, type, help and labels have their one home
// in the part that it belongs to; metrics.cc puts the parts together.
#pragma once

#include "collector/metrics/family.h"
#include "collector/metrics/metrics.h"

namespace lunscope {

// iSCSI.
void AddCommands(const Observation& observation, Families& families);      // commands, LUNs
void AddSessions(const Observation& observation, Families& families);      // and connections
void AddTargets(const Observation& observation, Families& families);       // logins, PDUs, bytes
void AddConservation(const Observation& observation, Families& families);  // what was not seen

// The kernel's SCSI layers. Families of their own, and not a label on those of iSCSI: a command of
// the kernel's iSCSI initiator passes the mid-layer and the wire, and a sum over one family would
// count it twice. REQUIRES: observation.layers.
void AddScsiLayers(const Observation& observation, Families& families);

// lunscope itself: its programs, its rings, what it took in, this scrape.
void AddSelf(const Observation& observation, Families& families);

}  // namespace lunscope
