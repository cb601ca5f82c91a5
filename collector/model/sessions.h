// SPDX-License-Identifier: Apache-2.0
//
// Which sessions there are, and of which connections (RFC 7143 sections 4.2.3 and 6.3): a session
// begins with its first login, is one over all its connections, and ends by a logout, by another
// login in its place, or stays as down when its last connection breaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "collector/model/parameters.h"

namespace lunscope {

// What tells a session from all others. The ISID belongs to the initiator and the portal group,
// the TSIH to the target: neither is unique by itself.
struct SessionKey {
  uint8_t role;
  std::string target;
  std::string initiator;
  uint64_t isid;
  uint16_t tsih;
  // TargetPortalGroupTag. Where the target did not say it, the portal of the leading login stands
  // for its group; "" if that login was not seen.
  std::string portal_group;
  auto operator<=>(const SessionKey&) const = default;
};

struct Session {
  std::string name;    // ISID and TSIH in hex
  std::string portal;  // of the target
  bool header_digest = false;
  bool data_digest = false;
  bool logged_out = false;                   // as a whole: its connections may end one by one
  std::map<uint16_t, uint64_t> connections;  // by CID; none: down
  uint64_t since_ns = 0;                     // its first login that was seen
  ParameterValues parameters;                // none are known where the leading login was not seen
  uint64_t down_order = 0;                   // the lower, the longer down

  [[nodiscard]] bool is_up() const { return !connections.empty(); }
};

// A login that succeeded.
struct SessionLogin {
  SessionKey key;  // with the TSIH that the target answered
  uint16_t cid = 0;
  uint64_t connection = 0;
  bool is_leading = true;  // the request's TSIH was 0: a session is to begin
  uint64_t time_ns = 0;
};

class SessionTable {
 public:
  explicit SessionTable(size_t max_down) : max_down_(max_down) {}

  // Returns the session's place in the table.
  const SessionKey& LogIn(const SessionLogin& login);
  // Is this connection one of a session's?
  [[nodiscard]] bool Has(const std::optional<SessionKey>& key, uint16_t cid,
                         uint64_t connection) const;
  // The session that this connection is one of; nullptr if it is none's, any more.
  Session* Find(const std::optional<SessionKey>& key, uint16_t cid, uint64_t connection);
  // The connection has ended. is_orderly: it was logged out.
  void Close(const std::optional<SessionKey>& key, uint16_t cid, uint64_t connection,
             bool is_orderly);

  [[nodiscard]] const std::map<SessionKey, Session>& all() const { return sessions_; }

 private:
  using Entry = std::map<SessionKey, Session>::const_iterator;

  // The sessions of this initiator, ISID and target: whatever their TSIH and portal group.
  [[nodiscard]] std::pair<Entry, Entry> OfInitiatorPort(const SessionKey& key) const;
  void EndThoseInPlaceOf(const SessionKey& key);
  [[nodiscard]] const SessionKey& JoinedBy(const SessionKey& key) const;
  void ForgetTheLongestDown();

  std::map<SessionKey, Session> sessions_;
  size_t max_down_;
  uint64_t went_down_ = 0;
};

}  // namespace lunscope
