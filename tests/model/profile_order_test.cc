// SPDX-License-Identifier: Apache-2.0
// Profiles compare commands in the order in which they began, though records come as commands end.
// Random commands are computed a second time, by sorting them all.
#include "collector/model/profiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/model/profiled_host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;

// ---- many commands, computed a second time ----

// The profile of these commands, from all of them at once.
struct Computed {
  std::map<bool, std::vector<uint64_t>> interarrivals;  // by is_read
  std::map<std::pair<bool, SeekDirection>, std::vector<uint64_t>> seeks;
  std::map<bool, uint64_t> sequential;
  std::vector<uint64_t> depth_ns = std::vector<uint64_t>(DepthHistogram::kBuckets);
  uint64_t depth_sum_ns = 0;

  Computed(std::vector<Request> all, uint64_t until_ns) {
    std::ranges::sort(
        all, {}, [](const Request& request) { return std::pair(request.start_ns, request.cmdsn); });
    AddOrder(all);
    AddDepth(all, until_ns);
  }

  void AddOrder(const std::vector<Request>& all) {
    std::deque<uint64_t> ends;
    for (size_t i = 0; i < all.size(); i++) {
      const Request& now = all[i];
      if (std::ranges::find(ends, now.lba) != ends.end()) sequential[now.is_read]++;
      ends.push_back(now.lba + now.blocks);
      if (ends.size() > 16) ends.pop_front();
      if (i == 0) continue;
      const Request& before = all[i - 1];
      interarrivals[now.is_read].push_back(now.start_ns - before.start_ns);
      const auto distance = static_cast<int64_t>(now.lba - (before.lba + before.blocks - 1));
      seeks[{now.is_read, distance > 0 ? kSeekForward : kSeekBackward}].push_back(
          static_cast<uint64_t>(std::abs(distance)));
    }
  }

  void AddDepth(const std::vector<Request>& all, uint64_t until_ns) {
    std::map<uint64_t, int64_t> changes = {{until_ns, 0}};
    for (const Request& request : all) {
      changes[request.start_ns]++;
      changes[request.end_ns]--;
    }
    int64_t depth = 0;
    uint64_t last_ns = all.front().start_ns;
    for (const auto& [time_ns, change] : changes) {
      if (time_ns > until_ns) break;
      size_t bucket = 0;
      while (bucket < 12 && static_cast<uint64_t>(depth) > (bucket == 0 ? 0 : 1u << (bucket - 1)))
        bucket++;
      depth_ns[bucket] += time_ns - last_ns;
      depth_sum_ns += static_cast<uint64_t>(depth) * (time_ns - last_ns);
      last_ns = time_ns;
      depth += change;
    }
  }
};

// The counts of a histogram whose bounds grow four times.
std::vector<uint64_t> Buckets(const std::vector<uint64_t>& values, uint64_t first, size_t bounds) {
  std::vector<uint64_t> counts(bounds + 1);
  for (const uint64_t value : values) {
    size_t bucket = 0;
    uint64_t bound = first;
    while (bucket < bounds && value > bound) {
      bound *= 4;
      bucket++;
    }
    counts[bucket]++;
  }
  return counts;
}

void ExpectComputed(const LunProfile& profile, const Computed& computed) {
  for (const bool is_read : {true, false}) {
    const auto& counted = *profile.operations[is_read ? SCSI_OPERATION_READ : SCSI_OPERATION_WRITE];
    EXPECT_EQ(CountsOf(counted.interarrival_ns),
              Buckets(computed.interarrivals.at(is_read), 1000, 15));
    for (const SeekDirection direction : {kSeekForward, kSeekBackward}) {
      EXPECT_EQ(CountsOf(counted.seeks[direction]),
                Buckets(computed.seeks.at({is_read, direction}), 1, 16));
    }
    EXPECT_EQ(counted.sequential, computed.sequential.at(is_read));
  }
  std::vector<uint64_t> microseconds;
  for (const uint64_t ns : computed.depth_ns) microseconds.push_back(ns / 1000);
  EXPECT_EQ(CountsOf(profile.depth), microseconds);
  EXPECT_EQ(profile.depth.sum(), computed.depth_sum_ns / 1000);
}

// Commands of two connections to one LUN, some sequential and some random, some at the same time.
std::vector<Request> RandomCommands(std::mt19937& random, size_t count) {
  std::vector<Request> all;
  std::uniform_int_distribution<uint64_t> gap(0, 40), lba(0, 1 << 20), duration(1, 3000);
  uint64_t now = 0;
  for (uint32_t i = 0; i < count; i++) {
    now += (gap(random) / 8) * kOneUs * (gap(random) == 0 ? 500 : 1);
    Request request{now,
                    now + duration(random) * kOneUs,
                    lba(random),
                    1 + i % 64,
                    random() % 10 < 7,
                    i,
                    1 + random() % 2};
    if (i > 20 && random() % 3 == 0) {
      const Request& before = all[all.size() - 1 - random() % 18];
      request.lba = before.lba + before.blocks;
    }
    all.push_back(request);
  }
  return all;
}

// As rings are drained: between two walks all records of one connection, then all of the other one.
void TellAsDrained(ProfiledHost& host, std::vector<Request> all, std::mt19937& random) {
  std::ranges::sort(all, {}, &Request::end_ns);
  uint64_t from_ns = 0;
  while (from_ns <= all.back().end_ns) {
    const uint64_t until_ns = from_ns + 1 + random() % 3'000'000;
    for (const uint64_t connection : {1, 2}) {
      std::vector<Task> tasks;
      for (const Request& request : all) {
        if (request.connection != connection) continue;
        if (request.end_ns >= from_ns && request.end_ns < until_ns) host.Tell(request);
        if (request.start_ns <= until_ns && request.end_ns >= until_ns)
          tasks.push_back({Lun(1), kProfileFromNs + request.start_ns});
      }
      host.On(connection).Holds(tasks);
    }
    host.now_ns = kProfileFromNs + until_ns;
    if (random() % 2 == 0) {
      host.Walks();
      static_cast<void>(host.See());
    }
    from_ns = until_ns;
  }
  for (const uint64_t connection : {1, 2}) host.On(connection).Holds({});
}

TEST(Profile, OfRandomCommandsIsWhatSortingThemSays) {
  for (uint32_t seed = 1; seed <= 20; seed++) {
    std::mt19937 random(seed);
    const std::vector<Request> all = RandomCommands(random, 1500);
    ProfiledHost host;
    host.Opens(2).LogsIn({.isid = 2});
    TellAsDrained(host, all, random);
    const uint64_t until_ns = all.back().start_ns + 10'000'000;
    const LunProfile profile = host.ProfileAt(until_ns);
    SCOPED_TRACE(seed);
    EXPECT_THAT(profile.unordered, ElementsAre(0, 0, 0));
    ExpectComputed(profile, Computed(all, until_ns));
  }
}

// A file has no walks but at its end, and a walk's time is not by its clock.
TEST(Profile, OfAFileReachesUpToItsLastCommand) {
  std::mt19937 random(7);
  std::vector<Request> all = RandomCommands(random, 1500);
  for (Request& request : all) request.connection = 1;
  ProfiledHost host({.profiles = true, .has_own_time = true});
  std::ranges::sort(all, {}, &Request::end_ns);
  for (const Request& request : all) host.Tell(request);
  const uint64_t until_ns = all.back().end_ns;
  ExpectComputed(host.ProfileAt(0), Computed(all, until_ns));
}

// ---- the order ----

// A command waits for those in flight that began before it.
TEST(Profile, ReachesUpToTheOldestCommandInFlight) {
  ProfiledHost host;
  host.Tell({0, 10 * kOneUs, 100, 8}).Tell({40 * kOneUs, 50 * kOneUs, 300, 8});
  host.On(1).Holds({{Lun(1), kProfileFromNs + 20 * kOneUs}});
  LunProfile profile = host.ProfileAt(100 * kOneUs);
  EXPECT_EQ(ReadsOf(profile).seeks[kSeekForward].count(), 0u);
  // Up to the nanosecond before it, and so 19 whole microseconds.
  EXPECT_EQ(profile.depth.counts()[0] + profile.depth.counts()[1], 19u);
  host.On(1).Holds({});
  host.Tell({20 * kOneUs, 200 * kOneUs, 200, 8});
  profile = host.ProfileAt(300 * kOneUs);
  EXPECT_EQ(ReadsOf(profile).seeks[kSeekForward].sum(), 93u + 93u);
  // 10 us of the first, 160 us of the last alone, 10 us of two, and the rest is idle.
  EXPECT_THAT(CountsOf(profile.depth), ElementsAre(110, 180, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(profile.depth.sum(), 200u);
  EXPECT_THAT(profile.unordered, ElementsAre(0, 0, 0));
}

// With no walk, half of the room goes when it is full.
TEST(Profile, OfALateCommand) {
  ProfiledHost host;
  constexpr uint64_t kCommands = Profiler::kRoom + Profiler::kRoom / 2;
  for (uint64_t i = 1; i <= kCommands; i++) host.Tell({i * kOneUs, i * kOneUs + 500, 8 * i, 8});
  const uint64_t last_ns = kCommands * kOneUs + 500;
  host.Tell({0, last_ns, 1 << 20, 8});
  const LunProfile profile = host.ProfileAt(last_ns);
  EXPECT_THAT(profile.unordered, ElementsAre(1, 0, 0));
  EXPECT_EQ(ReadsOf(profile).sequential, kCommands - 1);
  EXPECT_EQ(ReadsOf(profile).interarrival_ns.count(), kCommands - 1);
  // In flight from the time that had been reached when it ended.
  const uint64_t without_it = kCommands / 2;
  EXPECT_NEAR(static_cast<double>(profile.depth.sum() - without_it), Profiler::kRoom, 2);
}

// The clock of a file may be set back: what comes then is compared among itself.
TEST(Profile, WithAClockThatIsSetBack) {
  constexpr uint64_t kHour = 3'600'000'000'000;
  ProfiledHost host({.profiles = true, .has_own_time = true});
  host.Tell({kHour, kHour + 10 * kOneUs, 100, 8})
      .Tell({kHour + 20 * kOneUs, kHour + 30 * kOneUs, 108, 8});
  host.Tell({0, 10 * kOneUs, 100, 8}).Tell({20 * kOneUs, 30 * kOneUs, 108, 8});
  const LunProfile profile = host.ProfileAt(0);
  EXPECT_THAT(profile.unordered, ElementsAre(0, 0, 0));
  EXPECT_EQ(ReadsOf(profile).interarrival_ns.count(), 2u);
  EXPECT_EQ(ReadsOf(profile).interarrival_ns.sum(), 40 * kOneUs);
  EXPECT_EQ(ReadsOf(profile).sequential, 2u);
  EXPECT_THAT(profile.depth.counts()[0] + profile.depth.counts()[1], 60u);
}

// Commands of one segment began at the same time, and end in any order.
TEST(Profile, OfCommandsThatBeganTogetherIsInTheOrderOfTheirNumbers) {
  ProfiledHost host;
  host.Tell({0, 10, 116, 8, true, 3}).Tell({0, 20, 100, 8, true, 1}).Tell({0, 30, 108, 8, true, 2});
  const LunProfile profile = host.ProfileAt(40);
  EXPECT_EQ(ReadsOf(profile).sequential, 2u);
  EXPECT_EQ(ReadsOf(profile).seeks[kSeekForward].sum(), 2u);
}

TEST(Profile, OfTooManyCommandsInFlight) {
  ProfiledHost host;
  for (uint64_t i = 0; i <= DepthSweep::kMaxDepth; i++) host.Tell({i, 1'000'000, 8 * i, 8});
  const LunProfile profile = host.ProfileAt(2'000'000);
  EXPECT_THAT(profile.unordered, ElementsAre(0, 0, 1));
  EXPECT_EQ(ReadsOf(profile).sequential, DepthSweep::kMaxDepth);
  EXPECT_EQ(CountsOf(profile.depth).back(), 998u);
}

}  // namespace
}  // namespace lunscope
