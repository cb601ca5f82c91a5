// SPDX-License-Identifier: Apache-2.0
//
// Negotiation text (RFC 7143 section 6.1): "key=value" strings, each ended by a NUL, over as many
// chunks and PDUs as they take. What is kept is one unfinished pair and never the whole text.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace lunscope {

class TextReader {
 public:
  // key: as it came, and not empty. value: printable; "" if it was held back or there is none.
  using Visitor = std::function<void(std::string_view key, const std::string& value)>;

  // Of a longer pair only the beginning is read; names have at most 223 bytes, other values 255.
  static constexpr size_t kMaxPairBytes = 1024;

  // The next bytes. Each pair that ends in them is visited.
  void Take(std::string_view bytes, const Visitor& visit);
  // The text ends here, whether or not its last pair has a NUL.
  void End(const Visitor& visit);

  [[nodiscard]] size_t pending_bytes() const { return pair_.size(); }

 private:
  std::string pair_;  // that has not ended
};

}  // namespace lunscope
