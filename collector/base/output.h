// SPDX-License-Identifier: Apache-2.0
//
// Formatted output that does not care whether anybody still reads it. fmt::print throws when a
// stream is closed, and a closed standard error is no reason to stop watching.
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
