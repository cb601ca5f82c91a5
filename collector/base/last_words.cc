// SPDX-License-Identifier: Apache-2.0
#include "collector/base/last_words.h"

#include <cstdlib>
#include <exception>
#include <string>

#include "collector/base/log.h"
#include "collector/base/result.h"

namespace lunscope {
namespace {

std::string Cause() {
  const std::exception_ptr thrown = std::current_exception();
  if (!thrown) return "it cannot go on";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an unknown exception";
  }
}

[[noreturn]] void End() {
  try {
    Log(LogLevel::kError, "ends, because a part of it failed: " + Cause());
  } catch (...) {
    // There is no memory for a sentence.
  }
  // No destructors: the other threads still run.
  std::_Exit(static_cast<int>(ExitCode::kFailure));
}

}  // namespace

void SetLastWords() { std::set_terminate(&End); }

}  // namespace lunscope
