// SPDX-License-Identifier: Apache-2.0
#include "collector/base/log.h"

#include <array>
#include <cstdio>
#include <string_view>

#include "collector/base/clock.h"
#include "collector/base/json.h"
#include "collector/base/output.h"

namespace lunscope {
namespace {

constexpr std::array kLevelNames = {"debug", "info", "warn", "error"};

// Standard error is the process's own, and so is the form of what is written there.
LogLevel g_least = LogLevel::kInfo;
LogFormat g_format = LogFormat::kPlain;

// As Go's strconv.Quote, which readers of logfmt expect.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string LogLine(LogFormat format, LogLevel level, const std::string& sentence,
                    int64_t epoch_ns) {
  const char* name = kLevelNames.at(static_cast<size_t>(level));
  switch (format) {
    case LogFormat::kLogfmt:
      return fmt::format("time={} level={} msg={}\n", FormatTime(epoch_ns), name, Quoted(sentence));
    case LogFormat::kJson:
      return json::Object([&](json::Members& line) {
               line.String("time", FormatTime(epoch_ns));
               line.String("level", name);
               line.String("msg", sentence);
             }) +
             "\n";
    default: return fmt::format("lunscope: {}\n", sentence);
  }
}

void SetUpLog(LogLevel least, LogFormat format) {
  g_least = least;
  g_format = format;
}

void Log(LogLevel level, const std::string& sentence) {
  if (level < g_least) return;
  Say(stderr, "{}", LogLine(g_format, level, sentence, WallClockNs()));
}

}  // namespace lunscope
