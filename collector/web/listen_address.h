// SPDX-License-Identifier: Apache-2.0
//
// Where an endpoint is: the address that it listens on, and the paths of its pages. Server and
// client share it.
#pragma once

#include <cstdint>
#include <string>

#include "collector/base/result.h"

namespace lunscope {

struct ListenAddress {
  std::string host;   // a name, or an address without brackets; "" stands for every address
  uint16_t port = 0;  // 1 to 65535 after Parse()

  // Reads "127.0.0.1:13260", "[::1]:13260" or ":13260"; an IPv6 address needs its brackets. Any
  // other text is an error (kUsage) whose message shows the form.
  static Result<ListenAddress> Parse(const std::string& text);
  // "127.0.0.1:13260", "[::1]:13260"
  [[nodiscard]] std::string Authority() const;
  // "http://127.0.0.1:13260/metrics"; for every address, the host is "localhost".
  [[nodiscard]] std::string Url(const std::string& path) const;
};

// The pages on which `lunscope serve` lists the sessions: as JSON and as a table.
inline constexpr const char* kSessionsPath = "/sessions";
inline constexpr const char* kSessionsTablePath = "/sessions.txt";

}  // namespace lunscope
