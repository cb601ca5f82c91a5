// SPDX-License-Identifier: Apache-2.0
#include "collector/host/kernel_initiator.h"

#include <fmt/format.h>
#include <lunscope/types.h>

#include <cstdlib>

#include "collector/base/files.h"
#include "collector/host/block_device.h"
#include "collector/host/kernel_lun.h"

namespace lunscope {
namespace {

// The devices, targetH:C:T/H:C:T:L, of a session: their attribute "type", and the disk of those
// that have one, block/sdX.
void ReadDevices(const std::string& sys, const std::vector<Mount>& mounts,
                 const std::string& folder, HostSession& session) {
  for (const std::string& target : ListFolder(folder)) {
    if (!target.starts_with("target")) continue;
    for (const std::string& name : ListFolder(fmt::format("{}/{}", folder, target))) {
      const std::string device = fmt::format("{}/{}/{}", folder, target, name);
      const std::string type = ReadLine(device + "/type");
      if (type.empty()) continue;
      const uint64_t lun = LunOfKernel(name.substr(name.rfind(':') + 1));
      session.device_types[lun] = std::atoi(type.c_str());
      for (const std::string& disk : ListFolder(device + "/block"))
        session.luns[lun] = ReadBlockDevice(sys, mounts, disk);
    }
  }
}

}  // namespace

std::vector<HostSession> ReadKernelInitiator(const std::string& sys,
                                             const std::vector<Mount>& mounts) {
  std::vector<HostSession> sessions;
  const std::string connections = sys + "/class/iscsi_connection";
  for (const std::string& name : ListFolder(connections)) {
    // "connection3:0" is CID 0 of session 3.
    const std::string number = After(name, "connection");
    const std::string connection = fmt::format("{}/{}/", connections, name);
    const std::string session =
        fmt::format("{}/class/iscsi_session/session{}/", sys, number.substr(0, number.find(':')));
    const std::string address = ReadLine(connection + "address");
    const SocketAddress portal =
        ParseAddress(fmt::format("[{}]:{}", address, ReadLine(connection + "port")));
    HostSession found;
    found.role = LUNSCOPE_ROLE_INITIATOR;
    found.target = ReadLine(session + "targetname");
    found.initiator = ReadLine(session + "initiatorname");
    // A session that has lost its connection has no address. The programs will see its next login.
    if (found.target.empty() || address.empty() || portal.port == 0) continue;
    found.portals = {portal};
    // Older kernels have no local_port. The portal alone must then identify the connection.
    found.initiator_address = ParseAddress("[::]:" + ReadLine(connection + "local_port"));
    if (found.initiator_address.port == 0) found.initiator_address = {};
    found.source = "sysfs";
    ReadDevices(sys, mounts, session + "device", found);
    sessions.push_back(found);
  }
  return sessions;
}

std::string ReadScsiHostTarget(const std::string& sys, uint32_t host) {
  const std::string device = fmt::format("{}/class/iscsi_host/host{}/device", sys, host);
  for (const std::string& name : ListFolder(device)) {
    if (After(name, "session").empty()) continue;
    return ReadLine(fmt::format("{0}/{1}/iscsi_session/{1}/targetname", device, name));
  }
  return {};
}

}  // namespace lunscope
