// SPDX-License-Identifier: Apache-2.0
//
// A session as some part of this host describes it. Connections that were open before lunscope
// started get their names from here, because their login was not seen. A description has less than
// a login has, so a name counts only if no other session that fits contradicts it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collector/base/address.h"
#include "collector/base/local_lun.h"

namespace lunscope {

struct HostSession {
  uint8_t role = 0;  // of the end that is described: LUNSCOPE_ROLE_TARGET or _INITIATOR
  std::string target;
  std::string initiator;                 // "": unknown
  std::vector<SocketAddress> portals;    // the addresses that the target's end may have
  SocketAddress initiator_address;       // "" and 0: unknown
  std::string source;                    // who describes it: "sysfs", "configfs", "tgtadm"
  std::map<uint64_t, int> device_types;  // peripheral device types that are known, by LUN
  LocalLuns luns;                        // those whose place on this host is known
  bool has_connection = true;            // false: it says only which LUNs the target has
  bool is_asked_once = false;            // its source is asked at lunscope's start alone
};

// Combines the sessions that fit the connection with these ends. local and remote have the form of
// FormatAddress(), and role is that of the local end. A member is empty if these sessions have
// different values for it. The source is empty if no session fits.
HostSession FindHostSession(const std::vector<HostSession>& sessions, uint8_t role,
                            const std::string& local, const std::string& remote);

// The LUNs at this end of the connection. Empty if several sessions to the target fit, and their
// LUNs differ.
LocalLuns FindLocalLuns(const std::vector<HostSession>& sessions, uint8_t role,
                        const std::string& target, const std::string& local,
                        const std::string& remote);

}  // namespace lunscope
