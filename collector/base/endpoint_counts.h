// SPDX-License-Identifier: Apache-2.0
//
// The HTTP endpoint counts its clients here, for the metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lunscope {

// Why a request is refused before its page is looked for: X(name, label value, explanation).
#define LUNSCOPE_HTTP_REFUSALS(X)                                                             \
  X(kHost, "host", "The Host header has no name of this host (status 421).")                  \
  X(kRate, "rate", "The rate limit of the web configuration has no room (status 429).")       \
  X(kCertificate, "certificate", "The client certificate has no name that is allowed (403).") \
  X(kPassword, "password", "The user or the password is wrong, or missing (status 401).")     \
  X(kBusy, "busy", "Too many passwords wait for their check (status 503).")

enum class HttpRefusal : size_t {
#define LUNSCOPE_HTTP_REFUSAL(name, label, help) name,
  LUNSCOPE_HTTP_REFUSALS(LUNSCOPE_HTTP_REFUSAL)
#undef LUNSCOPE_HTTP_REFUSAL
      kCount
};
inline constexpr size_t kHttpRefusals = static_cast<size_t>(HttpRefusal::kCount);

struct EndpointCounts {
  std::atomic<uint64_t> cut_clients{0};  // for whatever reason
  std::array<std::atomic<uint64_t>, kHttpRefusals> refused{};
};

}  // namespace lunscope
