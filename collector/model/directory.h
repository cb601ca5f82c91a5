// SPDX-License-Identifier: Apache-2.0
//
// Which targets are where: the answers to SendTargets (RFC 7143 appendix C), redirections (section
// 11.13.5), and the portals of sessions. Names and addresses are those of the wire, made printable.
// Not thread-safe. The table is bounded: what has no room is counted and left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace lunscope {

struct ListedTarget {
  std::vector<std::string> addresses;  // "192.0.2.2:3260,1": with the portal group tag
  std::string redirected_to;           // the address of the last redirection; "" before the first
  bool is_moved_for_good = false;      // the last redirection was a permanent one
};

// The names of the sessions through a portal. A name on which they do not agree is "".
struct PortalUse {
  std::string target;
  std::string initiator;
};

class Directory {
 public:
  static constexpr size_t kMaxTargets = 4096;
  static constexpr size_t kMaxPortals = 4096;
  static constexpr size_t kMaxAddresses = 16;  // of one target

  // The role of the observed end, and the target's name.
  using Key = std::pair<uint8_t, std::string>;

  // An answer to SendTargets names a target. Drops the addresses of an earlier answer.
  void List(uint8_t role, const std::string& target);
  // The same answer gives the target an address.
  void AddAddress(uint8_t role, const std::string& target, const std::string& address);
  void Redirect(uint8_t role, const std::string& target, const std::string& address,
                bool is_for_good);

  // A session has come up through this portal.
  void Use(uint8_t role, const std::string& portal, const PortalUse& use);
  // nullptr: no session was seen there.
  [[nodiscard]] const PortalUse* UseOf(uint8_t role, const std::string& portal) const;

  [[nodiscard]] const std::map<Key, ListedTarget>& targets() const { return targets_; }
  // How many names and addresses had no room.
  [[nodiscard]] uint64_t left_out() const { return left_out_; }

 private:
  ListedTarget* Entry(uint8_t role, const std::string& target);

  std::map<Key, ListedTarget> targets_;
  std::map<Key, PortalUse> portals_;  // by role and address
  uint64_t left_out_ = 0;
};

}  // namespace lunscope
