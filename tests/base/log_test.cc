// SPDX-License-Identifier: Apache-2.0
//
// Lines of the log in each form, and which levels are written.
#include "collector/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace lunscope {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kNewYear2026Ns = 1'767'225'600'123'456'789;

struct LineRow {
  LogFormat format;
  LogLevel level;
  const char* sentence;
  const char* line;
};

constexpr LineRow kLines[] = {
    {LogFormat::kPlain, LogLevel::kInfo, "serving", "lunscope: serving\n"},
    {LogFormat::kPlain, LogLevel::kError, "a \"b\"", "lunscope: a \"b\"\n"},
    {LogFormat::kLogfmt, LogLevel::kDebug, "ended",
     "time=2026-01-01T00:00:00.123456Z level=debug msg=\"ended\"\n"},
    {LogFormat::kLogfmt, LogLevel::kInfo, "serving it",
     "time=2026-01-01T00:00:00.123456Z level=info msg=\"serving it\"\n"},
    {LogFormat::kLogfmt, LogLevel::kWarning, "a \"b\\x0a\"",
     "time=2026-01-01T00:00:00.123456Z level=warn msg=\"a \\\"b\\\\x0a\\\"\"\n"},
    {LogFormat::kJson, LogLevel::kError, "a \"b\"",
     "{\"time\":\"2026-01-01T00:00:00.123456Z\",\"level\":\"error\",\"msg\":\"a \\\"b\\\"\"}\n"},
};

TEST(Log, HasALineInEachForm) {
  for (const LineRow& row : kLines)
    EXPECT_EQ(LogLine(row.format, row.level, row.sentence, kNewYear2026Ns), row.line);
}

std::string Said(const std::function<void()>& say) {
  testing::internal::CaptureStderr();
  say();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  EXPECT_EQ(Said([] { LogInfo("{} and {}", 1, 2); }), "lunscope: 1 and 2\n");
  EXPECT_THAT(Said([] { Log(LogLevel::kDebug, "ended"); }), IsEmpty());
  SetUpLog(LogLevel::kWarning, LogFormat::kLogfmt);
  EXPECT_THAT(Said([] { LogInfo("{}", 1); }), IsEmpty());
  EXPECT_THAT(Said([] { LogNotice(""); }), IsEmpty());
  EXPECT_THAT(Said([] { LogNotice("lost"); }), AllOf(HasSubstr("level=warn"), HasSubstr("lost")));
  EXPECT_THAT(Said([] { Log(LogLevel::kError, "failed"); }), HasSubstr("level=error"));
  SetUpLog(LogLevel::kInfo, LogFormat::kPlain);
}

}  // namespace
}  // namespace lunscope
