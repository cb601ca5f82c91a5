// SPDX-License-Identifier: Apache-2.0
//
// A session as some part of this host tells of it, for connections whose login was not seen. What
// is told is less than a login tells, so a name is believed only where nothing contradicts it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collector/base/address.h"

namespace lunscope {

struct HostSession {
  uint8_t role = 0;  // of the end that tells: LUNSCOPE_ROLE_TARGET or _INITIATOR
  std::string target;
  std::string initiator;               // "": not told
  std::vector<SocketAddress> portals;  // where the target's end may be
  SocketAddress initiator_address;     // "" and 0: not told
  std::string source;                  // "sysfs", "configfs", "tgtadm"
  std::map<uint64_t, int>
      device_types;  // peripheral, by the LUN's eight bytes; those that are told
};

// The names of the connection with these ends, as FormatAddress writes them. A name on which the
// sessions that it can be one of differ is empty; so is the source if there is none at all.
HostSession FindHostSession(const std::vector<HostSession>& sessions, uint8_t role,
                            const std::string& local, const std::string& remote);

}  // namespace lunscope
