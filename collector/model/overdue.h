// SPDX-License-Identifier: Apache-2.0
//
// Answers that are overdue, to a Login Request or to a ping. Only connections that wait for one are
// looked at. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <set>

#include "collector/model/connections.h"

namespace lunscope {

struct Overdue {
  enum class What : uint8_t { kLogin, kPingOfInitiator, kPingOfTarget };
  What what = What::kLogin;
  const Connection* connection = nullptr;
  uint64_t since_ns = 0;      // when it was asked
  bool is_answering = false;  // the peer has ended commands since
};

// The patience of open-iscsi's initiator with its own pings (node.conn[0].timeo.noop_out_timeout).
inline constexpr uint64_t kOverdueNs = 5'000'000'000;

class OverdueAnswers {
 public:
  // After each PDU of this connection that may ask for something.
  void Note(Connection& connection);
  // Visit each answer that has been overdue since the last call: each one once.
  void Look(uint64_t now_ns, Connections& connections,
            const std::function<void(const Overdue&)>& visit);

 private:
  std::set<uint64_t> waiting_;  // connections
};

}  // namespace lunscope
