// SPDX-License-Identifier: Apache-2.0
#include "collector/web/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <exception>
#include <memory>

namespace lunscope {
namespace {

constexpr long kHttpOk = 200;
constexpr long kConnectMs = 5'000;
constexpr long kAnswerMs = 30'000;
constexpr size_t kMaxBodyBytes = size_t{64} << 20;

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleDeleter>;

// libcurl calls this with each piece. Less than it gave ends the transfer.
size_t Take(const char* bytes, size_t, size_t size, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size > kMaxBodyBytes) return 0;
  try {
    body.append(bytes, size);
  } catch (const std::exception&) {
    return 0;
  }
  return size;
}

void SetText(CURL* handle, CURLoption option, const std::string& text) {
  if (!text.empty()) curl_easy_setopt(handle, option, text.c_str());
}

// A socket's file stands for the address, so the URL has any name of this host.
std::string RequestUrl(const FetchOptions& options, const std::string& path) {
  if (options.address.is_unix()) return "http://localhost" + path;
  return options.address.Url(path, options.is_tls);
}

void SetUp(CURL* handle, const FetchOptions& options, const std::string& path, std::string* body) {
  curl_easy_setopt(handle, CURLOPT_URL, RequestUrl(options, path).c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, kAnswerMs);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Take);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, body);
  SetText(handle, CURLOPT_UNIX_SOCKET_PATH, options.address.path);
  SetText(handle, CURLOPT_CAINFO, options.ca_file);
  SetText(handle, CURLOPT_SSLCERT, options.cert_file);
  SetText(handle, CURLOPT_SSLKEY, options.key_file);
  SetText(handle, CURLOPT_USERPWD, options.credentials);
}

}  // namespace

Result<std::string> Fetch(const FetchOptions& options, const std::string& path) {
  const auto failure = [&](const std::string& cause, const char* advice) {
    return Error{ExitCode::kFailure,
                 fmt::format("cannot read {}: {}; {}", options.address.Url(path, options.is_tls),
                             cause, advice)};
  };
  constexpr const char* kWhere =
      "is `lunscope serve` running there? --web.listen-address says where it is";
  const Handle handle(curl_easy_init());
  if (!handle) return failure("there is no memory", "try again");
  std::string body;
  std::array<char, CURL_ERROR_SIZE> reason{};
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason.data());
  SetUp(handle.get(), options, path, &body);
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_WRITE_ERROR) return failure("it is larger than 64 MiB", kWhere);
  if (code == CURLE_GOT_NOTHING && !options.is_tls)
    return failure("it answers nothing", "--web.tls, if it has TLS");
  // libcurl has more to say of certificates, but not of connections.
  const bool has_reason = code != CURLE_COULDNT_CONNECT && reason[0] != '\0';
  if (code != CURLE_OK)
    return failure(has_reason ? reason.data() : curl_easy_strerror(code), kWhere);
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  constexpr long kUnauthorized = 401;
  if (status == kUnauthorized)
    return failure("status 401", "--web.user-file names a file with USER:PASSWORD");
  if (status != kHttpOk) return failure(fmt::format("status {}", status), kWhere);
  return body;
}

}  // namespace lunscope
