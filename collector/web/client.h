// SPDX-License-Identifier: Apache-2.0
//
// The client of another lunscope's endpoint.
#pragma once

#include <string>

#include "collector/base/result.h"
#include "collector/web/listen_address.h"

namespace lunscope {

struct FetchOptions {
  ListenAddress address;
  bool is_tls = false;      // never for a Unix socket
  std::string ca_file;      // PEM, that the server's certificate is by; "": those of this host
  std::string cert_file;    // PEM, to show to the server; "": none
  std::string key_file;     // PEM
  std::string credentials;  // "USER:PASSWORD"; "": none
};

// Returns the body of the page at this path, of 64 MiB at most, within 30 s. Every other answer
// than status 200, and no answer, is an error (kFailure) whose message has the URL, the cause and
// what to do.
Result<std::string> Fetch(const FetchOptions& options, const std::string& path);

}  // namespace lunscope
