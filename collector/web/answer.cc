// SPDX-License-Identifier: Apache-2.0
#include "collector/web/answer.h"

#include <array>
#include <memory>

namespace lunscope {
namespace {

constexpr const char* kSniffing = "X-Content-Type-Options";

struct Refusal {
  unsigned status;
  const char* text;
};

// By HttpRefusal.
constexpr std::array<Refusal, kHttpRefusals> kRefusals = {{
    {MHD_HTTP_MISDIRECTED_REQUEST,
     "The Host header has no name of this host. --web.allowed-host adds one.\n"},
    {MHD_HTTP_TOO_MANY_REQUESTS, "There are more requests than rate_limit allows.\n"},
    {MHD_HTTP_FORBIDDEN, "The client certificate has no name that is allowed.\n"},
    {MHD_HTTP_UNAUTHORIZED, "The user or the password is wrong, or missing.\n"},
    {MHD_HTTP_SERVICE_UNAVAILABLE, "Too many passwords wait for their check.\n"},
}};

struct ResponseDeleter {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseDeleter>;

MHD_Result Send(MHD_Connection* connection, Response response, const AnswerHead& head) {
  if (!response) return MHD_NO;
  const auto add = [&](const char* name, const char* value) {
    MHD_add_response_header(response.get(), name, value);
  };
  add(MHD_HTTP_HEADER_CONTENT_TYPE, head.content_type);
  bool has_own_sniffing = false;
  if (head.more != nullptr) {
    for (const auto& [name, value] : *head.more) {
      has_own_sniffing |= name == kSniffing;
      add(name.c_str(), value.c_str());
    }
  }
  if (!has_own_sniffing) add(kSniffing, "nosniff");
  if (head.is_gzip) add(MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
  if (head.is_shared) add(MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
  if (head.status == MHD_HTTP_METHOD_NOT_ALLOWED) add(MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  if (head.status == MHD_HTTP_UNAUTHORIZED)
    add(MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"lunscope\", charset=\"UTF-8\"");
  return MHD_queue_response(connection, head.status, response.get());
}

void Release(void* rendering) { delete static_cast<SharedRendering*>(rendering); }

}  // namespace

MHD_Result SendText(MHD_Connection* connection, std::string_view text, const AnswerHead& head) {
  // MHD copies the text, and reads through a pointer that is not const.
  return Send(connection,
              Response(MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),
                                                       MHD_RESPMEM_MUST_COPY)),
              head);
}

MHD_Result SendRendering(MHD_Connection* connection, const SharedRendering& rendering,
                         AnswerHead head) {
  head.is_shared = true;
  const std::string& body = head.is_gzip ? rendering->gzip : rendering->plain;
  return Send(
      connection,
      Response(MHD_create_response_from_buffer_with_free_callback_cls(
          body.size(), const_cast<char*>(body.data()), &Release, new SharedRendering(rendering))),
      head);
}

MHD_Result SendRefusal(MHD_Connection* connection, HttpRefusal why, const HttpHeaders& headers) {
  const Refusal& refusal = kRefusals.at(static_cast<size_t>(why));
  return SendText(connection, refusal.text, {.status = refusal.status, .more = &headers});
}

std::string_view HeaderOf(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

bool HasBody(MHD_Connection* connection) {
  const std::string_view length = HeaderOf(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  return !HeaderOf(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty() ||
         length.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace lunscope
