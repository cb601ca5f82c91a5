// SPDX-License-Identifier: Apache-2.0
#include "collector/base/host_session.h"

#include <lunscope/types.h>

#include <algorithm>

namespace lunscope {
namespace {

// A pattern with parts left out matches every address in them.
bool Matches(const SocketAddress& pattern, const SocketAddress& address) {
  return (pattern.host.empty() || pattern.host == address.host) &&
         (pattern.port == 0 || pattern.port == address.port);
}

// Empty once two sessions differ.
template <typename Told>
void Agree(Told& told, const Told& other, bool is_first) {
  if (is_first) {
    told = other;
  } else if (told != other) {
    told.clear();
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
    // The other end tells of this one only where both are on this host.
    if (session.role != role && here.host != there.host) continue;
    const bool is_there = std::ranges::any_of(
        session.portals, [&](const SocketAddress& each) { return Matches(each, portal); });
    if (!is_there || !Matches(session.initiator_address, initiator)) continue;
    const bool is_first = found.source.empty();
    Agree(found.target, session.target, is_first);
    Agree(found.initiator, session.initiator, is_first);
    Agree(found.device_types, session.device_types, is_first);
    found.source = session.source;
  }
  return found;
}

}  // namespace lunscope
