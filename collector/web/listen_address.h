// SPDX-License-Identifier: Apache-2.0
//
// Where an endpoint is: an address that it listens on, and the paths of its pages. Server and
// client share it.
#pragma once

#include <cstdint>
#include <string>

#include "collector/base/result.h"

namespace lunscope {

struct ListenAddress {
  std::string host;   // a name, or an address without brackets; "" stands for every address
  uint16_t port = 0;  // 1 to 65535 after Parse()
  std::string path;   // of a Unix socket; "" for TCP

  // Reads "127.0.0.1:13260", "[::1]:13260", ":13260" or "unix:/run/lunscope.sock"; an IPv6 address
  // needs its brackets, and the path of a socket is absolute. Any other text is an error (kUsage)
  // whose message shows the forms.
  static Result<ListenAddress> Parse(const std::string& text);
  [[nodiscard]] bool is_unix() const { return !path.empty(); }
  // "127.0.0.1:13260", "[::1]:13260", "unix:/run/lunscope.sock"
  [[nodiscard]] std::string Text() const;
  // "http://127.0.0.1:13260/metrics", "unix:/run/lunscope.sock /metrics"; for every address, the
  // host is "localhost".
  [[nodiscard]] std::string Url(const std::string& page, bool is_tls = false) const;
};

// The pages on which `lunscope serve` lists the sessions: as JSON and as a table.
inline constexpr const char* kSessionsPath = "/sessions";
inline constexpr const char* kSessionsTablePath = "/sessions.txt";
// The last events: as rows and as JSON.
inline constexpr const char* kEventsPath = "/events";
inline constexpr const char* kEventsJsonPath = "/events.json";
// The findings: for a person and as JSON.
inline constexpr const char* kFindingsPath = "/findings";
inline constexpr const char* kFindingsJsonPath = "/findings.json";

}  // namespace lunscope
