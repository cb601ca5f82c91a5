// SPDX-License-Identifier: Apache-2.0
//
// Reads negotiation text (RFC 7143 section 6.1): "key=value" pairs, each ended by a NUL, cut into
// chunks and PDUs anywhere. It keeps one unfinished pair, never the whole text. Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace lunscope {

class TextReader {
 public:
  // key: as on the wire, not empty. value: printable; "" if the kernel half held it back.
  using Visitor = std::function<void(std::string_view key, const std::string& value)>;

  // The rest of a longer pair is dropped. Names have at most 223 bytes, other values 255.
  static constexpr size_t kMaxPairBytes = 1024;

  // Take the next bytes, and visit each pair that ends in them.
  void Take(std::string_view bytes, const Visitor& visit);
  // The text ends here. Visit its last pair if that had no NUL.
  void End(const Visitor& visit);

  [[nodiscard]] size_t pending_bytes() const { return pair_.size(); }

 private:
  std::string pair_;  // the unfinished one
};

}  // namespace lunscope
