// SPDX-License-Identifier: Apache-2.0
#include "collector/model/text_reader.h"

#include "collector/base/printable.h"

namespace lunscope {

void TextReader::Take(std::string_view bytes, const Visitor& visit) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, bytes.find('\0'));
    pair_ += piece.substr(0, kMaxPairBytes - pair_.size());
    bytes.remove_prefix(piece.size());
    if (bytes.empty()) return;
    End(visit);
    bytes.remove_prefix(1);
  }
}

void TextReader::End(const Visitor& visit) {
  const std::string_view pair = pair_;
  const size_t equals = pair.find('=');
  if (equals != 0 && equals != std::string_view::npos)
    visit(pair.substr(0, equals), Printable(pair.substr(equals + 1)));
  pair_.clear();
}

}  // namespace lunscope
