// SPDX-License-Identifier: Apache-2.0
#include "collector/web/client.h"

#include <fmt/format.h>
#include <httplib.h>

namespace lunscope {
namespace {

constexpr int kHttpOk = 200;

}  // namespace

Result<std::string> Fetch(const ListenAddress& address, const std::string& path) {
  httplib::Client client(address.host.empty() ? "localhost" : address.host, address.port);
  const httplib::Result response = client.Get(path);
  if (response && response->status == kHttpOk) return response->body;
  const std::string cause = response
                                ? fmt::format("status {}", response->status)
                                : fmt::format("{} error", httplib::to_string(response.error()));
  return Error{ExitCode::kFailure,
               fmt::format("cannot read {}: {}; is `lunscope serve` running there? "
                           "--web.listen-address says where it is",
                           address.Url(path), cause)};
}

}  // namespace lunscope
