// SPDX-License-Identifier: Apache-2.0
#include "collector/model/local_luns.h"

#include <utility>

#include "collector/base/printable.h"

namespace lunscope {
namespace {

LocalLun WithPrintableNames(LocalLun lun) {
  lun.device = Printable(lun.device);
  lun.multipath = Printable(lun.multipath);
  for (std::string& mount : lun.mounts) mount = Printable(mount);
  return lun;
}

}  // namespace

void LocalLunTable::Set(std::vector<HostSession> sessions) {
  sessions_ = std::move(sessions);
  for (HostSession& session : sessions_) {
    session.target = NameFromWire(Printable(session.target));
    LocalLuns luns;
    for (auto& [lun, local] : session.luns)
      luns[CanonicalLun(lun)] = WithPrintableNames(std::move(local));
    session.luns = std::move(luns);
  }
}

void LocalLunTable::Copy(Snapshot& snapshot) const {
  for (const HostSession& session : sessions_) {
    const auto target = snapshot.targets.find({session.role, session.target});
    if (target == snapshot.targets.end()) continue;
    for (const auto& [lun, local] : session.luns) {
      if (target->second.luns.contains(lun))
        snapshot.local_luns[target->first].insert({lun, local});
    }
  }
}

}  // namespace lunscope
