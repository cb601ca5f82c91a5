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

}  // namespace

HostSession FindHostSession(const std::vector<HostSession>& sessions, uint8_t role,
                            const std::string& local, const std::string& remote) {
  const SocketAddress here = ParseAddress(local);
  const SocketAddress there = ParseAddress(remote);
  const SocketAddress& portal = role == LUNSCOPE_ROLE_TARGET ? here : there;
  const SocketAddress& initiator = role == LUNSCOPE_ROLE_TARGET ? there : here;
  HostSession found;
  for (const HostSession& session : sessions) {
    // A session describes its own end. It describes the other end as well if both are on this host.
    if (session.role != role && here.host != there.host) continue;
    const bool has_portal = std::ranges::any_of(
        session.portals, [&](const SocketAddress& each) { return Matches(each, portal); });
    if (!has_portal || !Matches(session.initiator_address, initiator)) continue;
    const bool is_first = found.source.empty();
    Agree(found.target, session.target, is_first);
    Agree(found.initiator, session.initiator, is_first);
    Agree(found.device_types, session.device_types, is_first);
    found.source = session.source;
  }
  return found;
}

}  // namespace lunscope
