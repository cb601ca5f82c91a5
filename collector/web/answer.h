// SPDX-License-Identifier: Apache-2.0
//
// Answers of the endpoint, as GNU libmicrohttpd sends them.
#pragma once

#include <microhttpd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/base/endpoint_counts.h"
#include "collector/web/renderer.h"

namespace lunscope {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The part of an answer that is not its body.
struct AnswerHead {
  unsigned status = MHD_HTTP_OK;
  const char* content_type = "text/plain; charset=utf-8";
  bool is_gzip = false;
  bool is_shared = false;  // its body depends on Accept-Encoding
  const HttpHeaders* more = nullptr;
};

// Each returns MHD_NO, which closes the connection, if there is no memory.
MHD_Result SendText(MHD_Connection* connection, std::string_view text, const AnswerHead& head);
// The page is sent out of the one copy that all its readers share.
MHD_Result SendRendering(MHD_Connection* connection, const SharedRendering& rendering,
                         AnswerHead head);

// The status and the sentence for this reason.
MHD_Result SendRefusal(MHD_Connection* connection, HttpRefusal why, const HttpHeaders& headers);

// "" if the request has no such header.
std::string_view HeaderOf(MHD_Connection* connection, const char* name);
bool HasBody(MHD_Connection* connection);

}  // namespace lunscope
