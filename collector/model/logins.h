// SPDX-License-Identifier: Apache-2.0
//
// Logins, logouts and texts tell names, sessions and their parameters, and the targets that other
// targets list. Here that is learned. Not thread-safe: one thread at a time.
#pragma once

#include <lunscope/records.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "collector/model/connection.h"
#include "collector/model/directory.h"
#include "collector/model/series.h"
#include "collector/model/sessions.h"

namespace lunscope {

// The changes that a Login Response made, besides names. Pointers are good until the next call.
struct LoginNews {
  const std::string* redirected_to = nullptr;   // the address as the target gave it
  const SessionBeginning* beginning = nullptr;  // a session came up
};

class Logins {
 public:
  // series: outlives this. max_down_sessions: sessions that ended without a logout and are kept.
  Logins(Series& series, size_t max_down_sessions)
      : series_(series), sessions_(max_down_sessions) {}

  // A Login, Text or Logout PDU. Other PDUs change nothing.
  LoginNews Apply(Connection& connection, const lunscope_pdu_record& record);
  // The connection's own record says which digests its session uses.
  void Apply(Connection& connection, const lunscope_connection_record& record);
  // The connection has ended: its session may go down with it.
  void Close(const Connection& connection, uint64_t time_ns);
  // Forget what has been over for long.
  void Age(uint64_t now_ns) { sessions_.Age(now_ns); }

  [[nodiscard]] const SessionTable& sessions() const { return sessions_; }
  [[nodiscard]] const Directory& directory() const { return directory_; }

 private:
  void ReadText(Connection& connection, const lunscope_pdu_record& record);
  void TakeKey(Connection& connection, Party party, std::string_view key, const std::string& value);
  void ApplyRequest(Connection& connection, const lunscope_pdu_record& record);
  LoginNews ApplyResponse(Connection& connection, const lunscope_pdu_record& record);
  LoginNews Redirect(Connection& connection, const lunscope_pdu_record& record);
  LoginNews OpenSession(Connection& connection, const lunscope_pdu_record& record);
  void LogOut(Connection& connection);
  void NameByPortal(Connection& connection);
  Session* SessionOf(const Connection& connection);

  Series& series_;
  SessionTable sessions_;
  Directory directory_;
  std::string redirected_to_;  // by the last redirection
};

}  // namespace lunscope
