// SPDX-License-Identifier: Apache-2.0
//
// The sessions and their connections (RFC 7143 sections 4.2.3 and 6.3). A session begins with its
// first login and may have many connections. It ends by a logout, or by another login in its place.
// If its last connection breaks, it stays in the table as down, until its initiator is back or
// until it has been down for long. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "collector/model/parameters.h"

namespace lunscope {

// Identifies a session as seen through one portal. The initiator chooses an ISID for each portal
// group, and the target chooses the TSIH: neither is unique by itself. A name, a portal group and a
// TSIH are what a peer claims, and the address is where it is: somebody else's listener with a
// target's name changes nothing of that target's sessions. So a session with connections through
// two portals is two of these.
struct SessionKey {
  uint8_t role;
  std::string target;
  std::string initiator;
  uint64_t isid;
  uint16_t tsih;
  // TargetPortalGroupTag. If the target did not give it, the portal of the leading login stands for
  // the group. "" if that login was not seen.
  std::string portal_group;
  std::string portal;  // its address; "" if unknown
  auto operator<=>(const SessionKey&) const = default;
};

// The sessions before, in whose place a session is. One that was down for long is forgotten.
struct SessionHistory {
  uint64_t relogins = 0;   // logins that came in the place of an earlier session
  uint64_t outages = 0;    // that have ended
  uint64_t outage_ns = 0;  // their sum

  void AddOutage(uint64_t ns) {
    outages++;
    outage_ns += ns;
  }
};

struct Session {
  std::string name;    // ISID and TSIH in hex
  std::string portal;  // of the target; known later than the key's if a record was lost
  bool header_digest = false;
  bool data_digest = false;
  bool logged_out = false;                   // as a whole: its connections may end one by one
  bool is_replaced = false;                  // by another portal: its end is no loss
  std::string initiator_address;             // of the connection that logged in last
  std::map<uint16_t, uint64_t> connections;  // by CID; empty: down
  uint64_t since_ns = 0;                     // the login by which it came up
  uint64_t down_since_ns = 0;                // once it is down: its last connection broke
  SessionHistory history;
  ParameterValues parameters;  // empty if the leading login was not seen

  [[nodiscard]] bool is_up() const { return !connections.empty(); }
};

// A login that succeeded.
struct SessionLogin {
  SessionKey key;  // with the TSIH that the target answered
  uint16_t cid = 0;
  uint64_t connection = 0;
  bool is_leading = true;  // the request's TSIH was 0: it asks for a new session
  uint64_t time_ns = 0;
  std::string initiator_address;
};

// A login may end sessions that its initiator had before. This says which.
struct SessionBeginning {
  // The address of the initiator whose session this login ended while it was up; "": none.
  std::string taken_over_from;
  bool is_from_elsewhere = false;     // that is another host address than that of the login
  std::optional<uint64_t> outage_ns;  // for how long its session before had been down
  SessionHistory history;             // of the session that begins
};

class SessionTable {
 public:
  // Ten minutes. Tools that never log out would leave a session each, for good.
  static constexpr uint64_t kMaxDownNs = 600'000'000'000;

  explicit SessionTable(size_t max_down) : max_down_(max_down) {}

  // Returns the key of the session, which is the key of an older one if the login joins that.
  const SessionKey& LogIn(const SessionLogin& login);
  // The beginning of the session that logged in last.
  [[nodiscard]] const SessionBeginning& beginning() const { return beginning_; }
  // Does this connection belong to a session?
  [[nodiscard]] bool Has(const std::optional<SessionKey>& key, uint16_t cid,
                         uint64_t connection) const;
  // The session of this connection; nullptr if the connection belongs to no session.
  Session* Find(const std::optional<SessionKey>& key, uint16_t cid, uint64_t connection);
  // The connection has ended. is_orderly: a logout came first.
  void Close(const std::optional<SessionKey>& key, uint16_t cid, uint64_t connection,
             bool is_orderly, uint64_t time_ns);
  // Forget the sessions that have been down for kMaxDownNs.
  void Age(uint64_t now_ns);

  [[nodiscard]] const std::map<SessionKey, Session>& all() const { return sessions_; }

 private:
  using Entry = std::map<SessionKey, Session>::iterator;

  // The sessions of this initiator, ISID and target, with any TSIH, portal group and portal.
  [[nodiscard]] std::pair<Entry, Entry> OfInitiatorPort(const SessionKey& key);
  bool EndThoseInPlaceOf(const SessionLogin& login);
  void EndThoseThatAreBack(const SessionLogin& login);
  void Succeed(const Session& before, const SessionLogin& login);
  void EndOutage(const Session& before, const SessionLogin& login);
  const SessionKey& JoinedBy(const SessionLogin& login);
  void ForgetTheLongestDown();

  std::map<SessionKey, Session> sessions_;
  SessionBeginning beginning_;
  size_t max_down_;
};

}  // namespace lunscope
