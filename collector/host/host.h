// SPDX-License-Identifier: Apache-2.0
//
// What this host says of its iSCSI sessions, from the places that are documented to say it. Asked
// once: only a connection that was open before lunscope needs it. Each reader gives what it finds
// and nothing where there is none; a host without the kernel's initiator, LIO or tgt is no error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "collector/base/host_session.h"

namespace lunscope {

// The kernel's initiator: session*/targetname and connection*/{address,port,local_port} of
// drivers/scsi/scsi_transport_iscsi.c. sys: "/sys".
std::vector<HostSession> ReadKernelInitiator(const std::string& sys);

// The target of the iSCSI session below a SCSI host, from the same place; "" if there is none.
std::string ReadScsiHostTarget(const std::string& sys, uint32_t host);

// LIO: iscsi/<iqn>/tpgt_<n>/{np,acls/<initiator>/info,dynamic_sessions} of
// drivers/target/iscsi/iscsi_target_configfs.c. target: "/sys/kernel/config/target".
std::vector<HostSession> ReadLio(const std::string& target);

// tgt: "tgtadm --mode target --op show" with "--mode portal --op show", of each tgtd that has a
// control socket. run_folder: "/var/run/tgtd".
std::vector<HostSession> ReadTgt(const std::string& run_folder, std::chrono::milliseconds limit);

// The two outputs of tgtadm as sessions.
std::vector<HostSession> ParseTgt(const std::string& portals, const std::string& targets);

// All of them; takes at most about a second, whatever hangs.
std::vector<HostSession> ReadHostSessions();

}  // namespace lunscope
