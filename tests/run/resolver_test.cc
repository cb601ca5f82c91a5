// SPDX-License-Identifier: Apache-2.0
//
// The resolver: what is asked once, what is late, and that nobody waits for a reader that hangs.
#include "collector/run/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "collector/run/fact_cache.h"
#include "tests/run/scripted_source.h"

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Far above what a busy machine takes.
constexpr seconds kLongest(60);

bool IsReadable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() { Make({}); }
  // A reader that still stands at the door would be waited for.
  ~ResolverTest() override { door_->Open(); }

  void Make(const ResolverLimits& limits) {
    resolver_ = std::make_unique<Resolver>(
        [this, make = HostBehind(door_)] {
          return [this, read = make()](const Question& question) {
            reads_++;
            return read(question);
          };
        },
        limits);
  }

  // The targets of SCSI hosts that are answered, until there are this many.
  std::vector<std::string> Targets(size_t count) {
    std::vector<std::string> targets;
    const auto end = steady_clock::now() + kLongest;
    while (targets.size() < count && steady_clock::now() < end) {
      resolver_->WaitForAnswers(milliseconds(10));
      for (const Answer& answer : resolver_->TakeAnswers())
        targets.push_back(std::get<std::string>(answer.fact));
    }
    return targets;
  }

  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::atomic<int> reads_ = 0;
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(ResolverTest, AnswersAndRemembers) {
  EXPECT_EQ(resolver_->Find(ScsiHostQuestion{1}), std::nullopt);
  EXPECT_THAT(Targets(1), ElementsAre("iqn.host1"));
  EXPECT_EQ(std::get<std::string>(*resolver_->Find(ScsiHostQuestion{1})), "iqn.host1");
  EXPECT_THAT(resolver_->TakeAnswers(), IsEmpty());
  EXPECT_EQ(reads_, 1);
}

TEST_F(ResolverTest, AwaitsTheAnswer) {
  resolver_->Await(ScsiHostQuestion{1}, kLongest);
  EXPECT_EQ(std::get<std::string>(*resolver_->Find(ScsiHostQuestion{1})), "iqn.host1");
  resolver_->Await(ScsiHostQuestion{1}, kLongest);
  EXPECT_EQ(reads_, 1);
}

// The second call would wait for an hour.
TEST_F(ResolverTest, AwaitsAReaderThatHangsOnlyOnce) {
  door_->Close();
  resolver_->Await(ScsiHostQuestion{1}, milliseconds(1));
  ASSERT_TRUE(door_->AwaitStanding(1));
  resolver_->Await(ScsiHostQuestion{1}, std::chrono::hours(1));
  EXPECT_EQ(resolver_->Find(ScsiHostQuestion{1}), std::nullopt);
  EXPECT_EQ(reads_, 1);
}

TEST_F(ResolverTest, RemembersThatThereIsNoName) {
  resolver_->Find(ScsiHostQuestion{2});
  EXPECT_THAT(Targets(1), ElementsAre(""));
  EXPECT_EQ(std::get<std::string>(*resolver_->Find(ScsiHostQuestion{2})), "");
}

TEST_F(ResolverTest, AsksOnceWhatIsAskedOften) {
  door_->Close();
  for (int i = 0; i < 100; i++) resolver_->Find(ScsiHostQuestion{1});
  door_->Open();
  EXPECT_THAT(Targets(1), ElementsAre("iqn.host1"));
  EXPECT_EQ(reads_, 1);
}

TEST_F(ResolverTest, WakesUpWhoWaitsForAnswers) {
  door_->Close();
  resolver_->Find(ScsiHostQuestion{1});
  ASSERT_TRUE(door_->AwaitStanding(1));
  EXPECT_FALSE(IsReadable(resolver_->wakeup_fd()));
  door_->Open();
  resolver_->WaitForAnswers(kLongest);
  EXPECT_TRUE(IsReadable(resolver_->wakeup_fd()));
  EXPECT_EQ(resolver_->TakeAnswers().size(), 1u);
  EXPECT_FALSE(IsReadable(resolver_->wakeup_fd()));
}

// The first question hangs. The others are answered by another thread once its deadline is over,
// and the late answer comes all the same.
TEST_F(ResolverTest, ALateQuestionHoldsUpNoOther) {
  auto hangs = std::make_shared<Door>();
  hangs->Close();
  resolver_ = std::make_unique<Resolver>(
      [hangs] {
        return [hangs](const Question& question) -> HostFact {
          const uint32_t host = std::get<ScsiHostQuestion>(question).host;
          if (host == 1) hangs->Pass();
          return std::to_string(host);
        };
      },
      ResolverLimits{.deadline = milliseconds(1)});
  resolver_->Find(ScsiHostQuestion{1});
  ASSERT_TRUE(hangs->AwaitStanding(1));
  resolver_->Find(ScsiHostQuestion{2});
  resolver_->Find(ScsiHostQuestion{3});
  EXPECT_THAT(Targets(2), ElementsAre("2", "3"));
  EXPECT_EQ(resolver_->Find(ScsiHostQuestion{1}), std::nullopt);
  hangs->Open();
  EXPECT_THAT(Targets(1), ElementsAre("1"));
}

TEST_F(ResolverTest, ThreadsAreLimited) {
  door_->Close();
  Make({.deadline = milliseconds(1), .threads = 3});
  for (uint32_t host = 1; host <= 9; host += 2) resolver_->Find(ScsiHostQuestion{host});
  const auto end = steady_clock::now() + kLongest;
  while (door_->standing() < 3 && steady_clock::now() < end) resolver_->TakeAnswers();
  ASSERT_EQ(door_->standing(), 3u);
  for (int i = 0; i < 20; i++) {
    resolver_->WaitForAnswers(milliseconds(1));
    EXPECT_THAT(resolver_->TakeAnswers(), IsEmpty());
    EXPECT_EQ(door_->standing(), 3u);
  }
  door_->Open();
  EXPECT_THAT(Targets(5), UnorderedElementsAre("iqn.host1", "iqn.host3", "iqn.host5", "iqn.host7",
                                               "iqn.host9"));
}

TEST_F(ResolverTest, QuestionsAreLimitedAndMayBeAskedAgain) {
  Make({.questions = 2});
  door_->Close();
  resolver_->Find(ScsiHostQuestion{1});
  ASSERT_TRUE(door_->AwaitStanding(1));
  for (const uint32_t host : {3, 5, 7}) resolver_->Find(ScsiHostQuestion{host});
  door_->Open();
  EXPECT_THAT(Targets(3), ElementsAre("iqn.host1", "iqn.host3", "iqn.host5"));
  resolver_->Find(ScsiHostQuestion{7});
  EXPECT_THAT(Targets(1), ElementsAre("iqn.host7"));
}

TEST_F(ResolverTest, EndsWithoutAReaderThatHangs) {
  Make({.goodbye = milliseconds(1)});
  door_->Close();
  resolver_->Find(ScsiHostQuestion{1});
  ASSERT_TRUE(door_->AwaitStanding(1));
  resolver_.reset();
  door_->Open();
  EXPECT_TRUE(door_->AwaitStanding(0));
}

TEST(FactCache, ForgetsWhatIsOld) {
  FactCache cache(10);
  const FactCache::Time now{};
  cache.Put(ScsiHostQuestion{1}, std::string("one"), now);
  EXPECT_TRUE(cache.Find(ScsiHostQuestion{1}, now + FactCache::kFresh - milliseconds(1)));
  EXPECT_FALSE(cache.Find(ScsiHostQuestion{1}, now + FactCache::kFresh));
  EXPECT_FALSE(cache.Find(ScsiHostQuestion{2}, now));
  cache.Put(ScsiHostQuestion{1}, std::string("new"), now + FactCache::kFresh);
  EXPECT_TRUE(cache.Find(ScsiHostQuestion{1}, now + FactCache::kFresh));
}

TEST(FactCache, IsLimited) {
  FactCache cache(2);
  const FactCache::Time now{};
  for (uint32_t host = 1; host <= 2; host++) cache.Put(ScsiHostQuestion{host}, std::string(), now);
  cache.Put(ScsiHostQuestion{2}, std::string("again"), now);
  EXPECT_TRUE(cache.Find(ScsiHostQuestion{1}, now));
  cache.Put(ScsiHostQuestion{3}, std::string(), now);
  EXPECT_FALSE(cache.Find(ScsiHostQuestion{1}, now));
  EXPECT_TRUE(cache.Find(ScsiHostQuestion{3}, now));
}

TEST(FactCache, TellsQuestionsOfAKindApart) {
  FactCache cache(10);
  const FactCache::Time now{};
  cache.Put(ProcessQuestion{1, 2, 3, {'a'}}, LocalProcess{1}, now);
  EXPECT_TRUE(cache.Find(ProcessQuestion{1, 2, 3, {'a'}}, now));
  for (const ProcessQuestion& other :
       {ProcessQuestion{9, 2, 3, {'a'}}, {1, 9, 3, {'a'}}, {1, 2, 9, {'a'}}, {1, 2, 3, {'z'}}})
    EXPECT_FALSE(cache.Find(other, now));
  EXPECT_FALSE(cache.Find(SessionsQuestion{}, now));
  EXPECT_FALSE(cache.Find(ScsiHostQuestion{1}, now));
}

}  // namespace
}  // namespace lunscope
