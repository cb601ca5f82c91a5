// SPDX-License-Identifier: Apache-2.0
#include "collector/host/local_processes.h"

#include <fmt/format.h>

#include <cstring>

#include "collector/base/files.h"
#include "collector/base/printable.h"
#include "collector/host/cgroup.h"
#include "collector/host/network_namespace.h"
#include "collector/host/qemu_guest.h"

namespace lunscope {
namespace {

constexpr size_t kMaxNames = 4096;
constexpr const char* kProc = "/proc";

// Returns the remembered name of a number, or finds it.
template <typename Names, typename Find>
const std::string& Remembered(Names& names, typename Names::key_type number, Find find) {
  if (const auto known = names.find(number); known != names.end()) return known->second;
  if (names.size() >= kMaxNames) names.clear();
  return names[number] = find();
}

}  // namespace

LocalProcess LocalProcesses::Read(const lunscope_connection_record& connection) {
  const std::string folder = fmt::format("{}/{}", kProc, connection.process);
  LocalProcess process;
  process.id = connection.process;
  process.comm = Printable({connection.comm, strnlen(connection.comm, sizeof(connection.comm))});
  process.guest = QemuGuestName(ReadWhole(folder + "/cmdline"));
  process.cgroup = ParseProcessCgroup(ReadWhole(folder + "/cgroup"));
  if (process.cgroup.empty()) process.cgroup = CgroupName(connection.cgroup);
  process.network_namespace = NamespaceName(connection.network_namespace);
  return process;
}

const std::string& LocalProcesses::CgroupName(uint64_t id) {
  return Remembered(cgroups_, id, [&] { return CgroupOfId(CgroupRoot("/sys"), id); });
}

const std::string& LocalProcesses::NamespaceName(uint32_t inode) {
  return Remembered(namespaces_, inode, [&] {
    const bool is_own = InodeOf("/proc/self/ns/net") == inode;
    return is_own ? "" : NetworkNamespaceName("/run/netns", kProc, inode);
  });
}

}  // namespace lunscope
