// SPDX-License-Identifier: Apache-2.0
//
// The sessions of the kernel's own initiator, from the attributes that
// drivers/scsi/scsi_transport_iscsi.c keeps in sysfs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/host/mounts.h"

namespace lunscope {

// One entry for each connection that is up: session*/{targetname,initiatorname} and
// connection*/{address,port,local_port}. sys: "/sys". mounts: those of this host, for LUNs that
// are disks.
std::vector<HostSession> ReadKernelInitiator(const std::string& sys,
                                             const std::vector<Mount>& mounts = {});

// The target of the iSCSI session that a SCSI host stands for; "" if it stands for none.
std::string ReadScsiHostTarget(const std::string& sys, uint32_t host);

}  // namespace lunscope
