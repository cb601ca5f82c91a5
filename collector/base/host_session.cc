// SPDX-License-Identifier: Apache-2.0
#include "collector/base/host_session.h"

#include <lunscope/types.h>

#include <algorithm>

namespace lunscope {
namespace {

// A part that the pattern leaves out matches every value.
bool Matches(const SocketAddress& pattern, const SocketAddress& address) {
  return (pattern.host.empty() || pattern.host == address.host) &&
         (pattern.port == 0 || pattern.port == address.port);
}

// Keeps the first session's value. Clears it for good as soon as a session has another one.
template <typename Value>
void Agree(Value& agreed, const Value& other, bool is_first) {
  if (is_first) {
    agreed = other;
  } else if (agreed != other) {
    agreed.clear();
  }
}

// The two ends of a connection, by what they are.
struct Ends {
  Ends(uint8_t role, const std::string& local, const std::string& remote)
      : here(ParseAddress(local)),
        there(ParseAddress(remote)),
        portal(role == LUNSCOPE_ROLE_TARGET ? here : there),
        initiator(role == LUNSCOPE_ROLE_TARGET ? there : here) {}

  [[nodiscard]] bool Fit(const HostSession& session) const {
    return Matches(session.initiator_address, initiator) &&
           std::ranges::any_of(session.portals,
                               [&](const SocketAddress& each) { return Matches(each, portal); });
  }

  const SocketAddress here;
  const SocketAddress there;
  const SocketAddress& portal;
  const SocketAddress& initiator;
};

}  // namespace

HostSession FindHostSession(const std::vector<HostSession>& sessions, uint8_t role,
                            const std::string& local, const std::string& remote) {
  const Ends ends(role, local, remote);
  HostSession found;
  for (const HostSession& session : sessions) {
    // A session describes its own end. It describes the other end as well if both are on this host.
    if (session.role != role && ends.here.host != ends.there.host) continue;
    if (!session.has_connection || !ends.Fit(session)) continue;
    const bool is_first = found.source.empty();
    Agree(found.target, session.target, is_first);
    Agree(found.initiator, session.initiator, is_first);
    Agree(found.device_types, session.device_types, is_first);
    found.source = session.source;
  }
  return found;
}

LocalLuns FindLocalLuns(const std::vector<HostSession>& sessions, uint8_t role,
                        const std::string& target, const std::string& local,
                        const std::string& remote) {
  const Ends ends(role, local, remote);
  LocalLuns found;
  bool is_first = true;
  for (const HostSession& session : sessions) {
    if (session.role != role || session.target != target || !ends.Fit(session)) continue;
    Agree(found, session.luns, is_first);
    is_first = false;
  }
  return found;
}

}  // namespace lunscope
