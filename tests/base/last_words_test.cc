// SPDX-License-Identifier: Apache-2.0
#include "collector/base/last_words.h"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <thread>

namespace lunscope {
namespace {

struct Row {
  std::function<void()> fail;
  const char* sentence;
};

const Row kRows[] = {
    {[] { throw std::runtime_error("no more room"); },
     "lunscope: ends, because a part of it failed: no more room\n"},
    {[] { throw std::bad_alloc(); }, "failed: std::bad_alloc\n"},
    {[] { throw 7; }, "failed: an unknown exception\n"},
    {[] { std::terminate(); }, "failed: it cannot go on\n"},
};

TEST(LastWords, OfAThreadThatFails) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const Row& row : kRows) {
    EXPECT_EXIT(
        {
          SetLastWords();
          std::thread(row.fail).join();
        },
        testing::ExitedWithCode(1), row.sentence);
  }
}

}  // namespace
}  // namespace lunscope
