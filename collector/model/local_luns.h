// SPDX-License-Identifier: Apache-2.0
//
// The LUNs of this host's sessions, as the host describes them at scrapes. Names become printable
// here. Values only; the model serialises its use.
#pragma once

#include <string>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/model/connection.h"
#include "collector/model/snapshot.h"

namespace lunscope {

class LocalLunTable {
 public:
  // Takes the place of all that was said before.
  void Set(std::vector<HostSession> sessions) { sessions_ = Printed(std::move(sessions)); }
  // Those that are said only once (HostSession::is_asked_once) stand beside that. The rest of the
  // sessions is left out.
  void SetLasting(std::vector<HostSession> sessions);

  // Those of a session to this target that has this connection.
  [[nodiscard]] LocalLuns Of(const Connection& connection, const std::string& target) const;
  // Those of the LUNs that the snapshot has.
  void Copy(Snapshot& snapshot) const;

 private:
  static std::vector<HostSession> Printed(std::vector<HostSession> sessions);

  std::vector<HostSession> sessions_;
  std::vector<HostSession> lasting_;
};

}  // namespace lunscope
