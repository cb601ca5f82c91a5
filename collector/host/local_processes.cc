// SPDX-License-Identifier: Apache-2.0
#include "collector/host/local_processes.h"

#include <sys/stat.h>

#include <cstring>

#include "collector/base/printable.h"
#include "collector/host/process.h"

namespace lunscope {
namespace {

constexpr size_t kMaxNames = 4096;
constexpr const char* kProc = "/proc";

bool IsOwnNamespace(uint32_t inode) {
  struct stat own {};
  return stat("/proc/self/ns/net", &own) == 0 && own.st_ino == inode;
}

// The name of a number, found out once.
template <typename Names, typename FindOut>
const std::string& Remembered(Names& names, typename Names::key_type number, FindOut find_out) {
  if (const auto known = names.find(number); known != names.end()) return known->second;
  if (names.size() >= kMaxNames) names.clear();
  return names[number] = find_out();
}

}  // namespace

LocalProcess LocalProcesses::Read(const lunscope_connection_record& connection) {
  LocalProcess process;
  process.id = connection.process;
  process.comm = Printable({connection.comm, strnlen(connection.comm, sizeof(connection.comm))});
  process.guest = QemuGuestName(kProc, connection.process);
  process.cgroup = CgroupOfProcess(kProc, connection.process);
  if (process.cgroup.empty()) process.cgroup = CgroupName(connection.cgroup);
  process.network_namespace = NamespaceName(connection.network_namespace);
  return process;
}

const std::string& LocalProcesses::CgroupName(uint64_t id) {
  return Remembered(cgroups_, id, [&] { return CgroupOfId(CgroupRoot("/sys"), id); });
}

const std::string& LocalProcesses::NamespaceName(uint32_t inode) {
  return Remembered(namespaces_, inode, [&] {
    return IsOwnNamespace(inode) ? "" : NetworkNamespaceName("/run/netns", kProc, inode);
  });
}

}  // namespace lunscope
