// SPDX-License-Identifier: Apache-2.0
//
// Formatted output that ignores a closed stream. fmt::print would throw, and a closed standard
// error must not stop the collector.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace lunscope {

template <typename... Arguments>
void Say(std::FILE* stream, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  const std::string text = fmt::format(format, std::forward<Arguments>(arguments)...);
  std::fwrite(text.data(), 1, text.size(), stream);
}

}  // namespace lunscope
