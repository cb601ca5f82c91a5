// SPDX-License-Identifier: Apache-2.0
//
// Sentences of the program on standard error: for people, or for a collector of logs. A closed
// standard error must not stop the program, so nobody learns of it. Safe to call from several
// threads: a line is written at once.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

namespace lunscope {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

enum class LogFormat {
  kPlain,   // lunscope: serving http://...
  kLogfmt,  // time=2026-01-31T12:00:00.000000Z level=info msg="serving http://..."
  kJson,    // {"time":"2026-01-31T12:00:00.000000Z","level":"info","msg":"serving http://..."}
};

// From now on, in the whole process. To be called before there are other threads. At first every
// level but debug is written, in plain form.
void SetUpLog(LogLevel least, LogFormat format);

// sentence: one line, without its end.
void Log(LogLevel level, const std::string& sentence);

template <typename... Arguments>
void LogInfo(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  Log(LogLevel::kInfo, fmt::format(format, std::forward<Arguments>(arguments)...));
}
template <typename... Arguments>
void LogWarning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  Log(LogLevel::kWarning, fmt::format(format, std::forward<Arguments>(arguments)...));
}

// A warning, if there is one; "": none.
inline void LogNotice(const std::string& sentence) {
  if (!sentence.empty()) Log(LogLevel::kWarning, sentence);
}

// One line of the log, with its end. epoch_ns: the time.
std::string LogLine(LogFormat format, LogLevel level, const std::string& sentence,
                    int64_t epoch_ns);

}  // namespace lunscope
