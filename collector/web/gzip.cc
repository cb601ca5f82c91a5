// SPDX-License-Identifier: Apache-2.0
#include "collector/web/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>

namespace lunscope {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, with a gzip header (zlib.h)
constexpr int kMemoryLevel = 8;       // zlib's default

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool IsZeroWeight(std::string_view parameters) {
  const size_t weight = parameters.find("q=");
  if (weight == std::string_view::npos) return false;
  const std::string_view value = Trimmed(parameters.substr(weight + 2));
  return !value.empty() && value.find_first_not_of("0.") == std::string_view::npos;
}

bool IsGzip(std::string_view coding) {
  constexpr std::string_view kGzip = "gzip";
  return std::ranges::equal(coding, kGzip, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

}  // namespace

std::string Gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return "";
  std::string packed(deflateBound(&stream, text.size()), '\0');
  // zlib reads through a pointer that is not const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool is_whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  packed.resize(is_whole ? stream.total_out : 0);
  deflateEnd(&stream);
  packed.shrink_to_fit();
  return packed;
}

bool AcceptsGzip(const char* header) {
  std::string_view rest = header == nullptr ? "" : header;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view element = rest.substr(0, comma);
    const size_t semicolon = std::min(element.find(';'), element.size());
    if (IsGzip(Trimmed(element.substr(0, semicolon))))
      return !IsZeroWeight(element.substr(semicolon));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

}  // namespace lunscope
