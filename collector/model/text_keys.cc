// SPDX-License-Identifier: Apache-2.0
#include "collector/model/text_keys.h"

#include "collector/base/printable.h"

namespace lunscope {

std::string TextValue(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=')
      return Printable(pair.substr(key.size() + 1));
  }
  return {};
}

}  // namespace lunscope
