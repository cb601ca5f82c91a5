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

std::vector<HostSession> LocalLunTable::Printed(std::vector<HostSession> sessions) {
  for (HostSession& session : sessions) {
    session.target = NameFromWire(Printable(session.target));
    LocalLuns luns;
    for (auto& [lun, local] : session.luns)
      luns[CanonicalLun(lun)] = WithPrintableNames(std::move(local));
    session.luns = std::move(luns);
  }
  return sessions;
}

void LocalLunTable::SetLasting(std::vector<HostSession> sessions) {
  std::erase_if(sessions, [](const HostSession& session) { return !session.is_asked_once; });
  lasting_ = Printed(std::move(sessions));
}

LocalLuns LocalLunTable::Of(const Connection& connection, const std::string& target) const {
  const auto find = [&](const std::vector<HostSession>& sessions) {
    return FindLocalLuns(sessions, connection.role, target, connection.local, connection.remote);
  };
  LocalLuns found = find(sessions_);
  return found.empty() ? find(lasting_) : found;
}

void LocalLunTable::Copy(Snapshot& snapshot) const {
  for (const std::vector<HostSession>* sessions : {&sessions_, &lasting_}) {
    for (const HostSession& session : *sessions) {
      const auto target = snapshot.targets.find({session.role, session.target});
      if (target == snapshot.targets.end()) continue;
      for (const auto& [lun, local] : session.luns) {
        if (target->second.luns.contains(lun))
          snapshot.local_luns[target->first].insert({lun, local});
      }
    }
  }
}

}  // namespace lunscope
