// SPDX-License-Identifier: Apache-2.0
//
// The watcher over scripted sources: in which order records reach the model, what waits for names,
// and that nobody waits for a reader of the host's facts that hangs.
#include "collector/run/watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/model/host.h"
#include "tests/model/layers.h"
#include "tests/run/scripted_source.h"

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kReader = 7;
constexpr const char* kReaderName = "reader7";
// Longer than a test may take.
constexpr milliseconds kEver = std::chrono::hours(1);

class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest() { wire_->Record(host_); }
  // A reader that still stands at the door would be waited for.
  ~WatcherTest() override { door_->Open(); }

  static std::unique_ptr<Source> Play(const std::shared_ptr<Script>& script) {
    return std::make_unique<ScriptedSource>(script);
  }

  // Watch the wire, and the layers if they are wanted. Each record that is taken in is written
  // down.
  void Start(bool has_layers, HostNames names = {}) {
    SourceList sources;
    sources.push_back(Play(wire_));
    if (has_layers) sources.push_back(Play(layers_));
    watcher_ = std::make_unique<Watcher>(std::move(sources), ModelOptions{}, std::move(names));
    watcher_->set_listener([this](const lunscope_record& record, const Applied& applied) {
      const Connection* connection = applied.connection;
      taken_.push_back(fmt::format("{}:{}", Kind(record.kind),
                                   connection == nullptr ? "" : connection->process.comm));
    });
  }

  // A host whose facts are behind the door.
  HostNames Names(bool waits_for_processes, milliseconds patience = kEver) {
    return {std::make_unique<Resolver>(HostBehind(door_)), waits_for_processes, {}, patience};
  }

  static std::string Kind(uint8_t kind) {
    switch (kind) {
      case LUNSCOPE_RECORD_CONNECTION: return "connection";
      case LUNSCOPE_RECORD_COMMAND: return "command";
      case LUNSCOPE_RECORD_NEXUS: return "nexus";
      case LUNSCOPE_RECORD_SCSI_COMMAND: return "scsi command";
      default: return "other";
    }
  }

  // The record of a connection that this process reads.
  static lunscope_connection_record ReadBy(lunscope_connection_record record, uint32_t process) {
    record.process = process;
    return record;
  }

  // Drain until the model knows so many processes by name, or a minute has passed.
  bool DrainUntilNamed(const std::string& name) {
    const auto end = steady_clock::now() + seconds(60);
    while (steady_clock::now() < end) {
      watcher_->Drain();
      const auto connections = watcher_->Observe().snapshot.connections;
      for (const auto& [key, count] : connections) {
        if (key.second.comm == name) return true;
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
    return false;
  }

  // Drain until so many records have been taken in, or a minute has passed.
  void DrainUntilTaken(size_t count) {
    const auto end = steady_clock::now() + seconds(60);
    while (taken_.size() < count && steady_clock::now() < end) {
      watcher_->Drain();
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  static uint64_t Commands(const Observation& observation) {
    uint64_t count = 0;
    for (const auto& [key, target] : observation.snapshot.targets) {
      for (const auto& [number, lun] : target.luns) {
        for (const auto& operation : lun.operations)
          if (operation) count += operation->duration_ns.count();
      }
    }
    return count;
  }

  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::shared_ptr<Script> wire_ = std::make_shared<Script>();
  std::shared_ptr<Script> layers_ = std::make_shared<Script>();
  Host host_;
  std::vector<std::string> taken_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(WatcherTest, DrainsLayersBeforeTheWireAndTakesThemInAfterIt) {
  std::vector<std::string> diary;
  wire_->diary = layers_->diary = &diary;
  wire_->name = "wire";
  layers_->name = "layers";
  Start(true);
  layers_->Add(NexusRecord(1, kTarget).Serving(kDisk, kHost).record);
  host_.Opens(1).Completes(Read16(0, 8));
  layers_->Add(Dispatched(1, Read16(0, 8), kTarget).record);
  watcher_->Drain();
  EXPECT_THAT(diary, ElementsAre("layers drain", "wire drain"));
  EXPECT_THAT(taken_, ElementsAre("connection:", "command:", "nexus:", "scsi command:"));
}

TEST_F(WatcherTest, ScrapeDrainsWalksAndDescribesEachSource) {
  std::vector<std::string> diary;
  wire_->diary = layers_->diary = &diary;
  wire_->name = "wire";
  layers_->name = "layers";
  Start(true);
  host_.Opens(1).LogsIn().Completes(Read16(0, 8));
  const Observation observation = watcher_->Observe();
  EXPECT_THAT(diary, ElementsAre("layers drain", "wire drain", "wire walk", "layers walk",
                                 "wire describe", "layers describe", "layers drain", "wire drain"));
  EXPECT_EQ(Commands(observation), 1u);
  EXPECT_FALSE(observation.scrape_failed);
  ASSERT_EQ(observation.probes.size(), 2u);
  EXPECT_EQ(observation.probes[0].name, "wire");
  EXPECT_GT(observation.now_ns, 0u);
}

TEST_F(WatcherTest, DrainsInTheMiddleOfALongWalk) {
  Start(false);
  wire_->live = {host_.Opens(1).Record(), host_.Opens(2).Record()};
  watcher_->Drain();
  taken_.clear();
  wire_->in_walk = [this] {
    if (!taken_.empty()) return;
    host_.On(1).Completes(Read16(0, 8));
    std::this_thread::sleep_for(milliseconds(1));
  };
  EXPECT_EQ(Commands(watcher_->Observe()), 1u);
}

TEST_F(WatcherTest, AWalkThatBreaksOffForgetsNoConnection) {
  Start(false);
  host_.Opens(1);
  wire_->walk_fails = true;
  for (int i = 0; i < 3; i++) EXPECT_TRUE(watcher_->Observe().scrape_failed);
  EXPECT_EQ(watcher_->Observe().snapshot.connections.size(), 1u);
  wire_->walk_fails = false;
  for (int i = 0; i < 3; i++) EXPECT_FALSE(watcher_->Observe().scrape_failed);
  EXPECT_THAT(watcher_->Observe().snapshot.connections, IsEmpty());
}

TEST_F(WatcherTest, CountsWakeupsAndNotDrains) {
  Start(false);
  watcher_->Drain();
  watcher_->DrainAfterWakeup();
  watcher_->DrainAfterWakeup();
  EXPECT_EQ(watcher_->Observe().wakeups, 2u);
}

TEST_F(WatcherTest, SumsWhatItsSourcesSay) {
  wire_->commands = {.seen = 14,
                     .reported = 10,
                     .lost = 1,
                     .without_status = {{"aborted", 1}, {"rejected", 1}},
                     .in_flight = 1,
                     .gaps = 1};
  layers_->commands = {.seen = 9, .reported = 5, .lost = 2, .without_status = {{"aborted", 2}}};
  wire_->commands.left_out = 4;
  wire_->commands.untracked = 3;
  layers_->missing = "the mid-layer";
  wire_->is_done = true;
  Start(true);
  EXPECT_EQ(watcher_->EndLine(),
            "15 commands, 3 lost; 23 seen, 4 without a status (3 aborted, 1 rejected), "
            "1 in flight, 1 gap, 4 records of PDUs left out, 3 connections not watched");
  EXPECT_EQ(watcher_->Missing(), "the mid-layer");
  EXPECT_FALSE(watcher_->is_done());
  layers_->is_done = true;
  wire_->missing = "iSCSI";
  EXPECT_TRUE(watcher_->is_done());
  EXPECT_EQ(watcher_->Missing(), "iSCSI; the mid-layer");
}

TEST_F(WatcherTest, RendersWhatTheModelKnowsNow) {
  Start(false);
  host_.Opens(1).LogsIn();
  wire_->live = {host_.On(1).Record()};
  const auto count = [](const Model& model) { return std::to_string(model.connections().size()); };
  EXPECT_EQ(watcher_->Render(count), "1");
}

// The guarantee of the resolver: a reader that blocks delays no drain, and a scrape a tenth of a
// second. While the door is closed, each of these calls would hang if it waited for the reader.
TEST_F(WatcherTest, AReaderThatHangsStopsNeitherADrainNorAScrape) {
  door_->Close();
  Start(false, Names(false));
  wire_->Add(ReadBy(host_.Meets(1).Record(), kReader));
  watcher_->Drain();
  ASSERT_TRUE(door_->AwaitStanding(1));
  host_.On(1).Completes(Read16(0, 8));
  watcher_->DrainAfterWakeup();
  wire_->live = {ReadBy(host_.On(1).Record(), kReader)};
  const Observation observation = watcher_->Observe();
  EXPECT_EQ(Commands(observation), 1u);
  ASSERT_EQ(observation.snapshot.connections.size(), 1u);
  EXPECT_EQ(observation.snapshot.connections.begin()->first.second.comm, "");
  EXPECT_EQ(watcher_->Render([](const Model&) { return "page"; }), "page");
  EXPECT_GE(door_->standing(), 1u);
  door_->Open();
  EXPECT_TRUE(DrainUntilNamed(kReaderName));
}

TEST_F(WatcherTest, AScrapeHasWhatIsBehindTheLunsOfThisHost) {
  Start(false, Names(false));
  host_.Opens(1).LogsIn().Completes(Read16(0, 8));
  wire_->live = {host_.On(1).Record()};
  const auto disks = [this] {
    std::vector<std::string> disks;
    for (const auto& [target, luns] : watcher_->Observe().snapshot.local_luns) {
      for (const auto& [lun, local] : luns)
        disks.push_back(target.name + " " + FormatLun(lun) + " " + local.device);
    }
    return disks;
  };
  // A busy machine may be late for the first.
  const auto end = steady_clock::now() + seconds(60);
  while (disks().empty() && steady_clock::now() < end) continue;
  EXPECT_THAT(disks(), ElementsAre("iqn.disk 0 sdb"));
}

TEST_F(WatcherTest, WhatIsLateForAScrapeIsThereInALaterOne) {
  door_->Close();
  Start(false, Names(false));
  for (const uint64_t id : {1, 2}) {
    wire_->Add(ReadBy(host_.Meets(id).Record(), kReader));
    wire_->live.push_back(ReadBy(host_.On(id).Record(), kReader));
  }
  watcher_->Drain();
  door_->Open();
  ASSERT_TRUE(DrainUntilNamed(kReaderName));
  const auto connections = watcher_->Observe().snapshot.connections;
  ASSERT_EQ(connections.size(), 1u);
  EXPECT_EQ(connections.begin()->second, 2u);
}

TEST_F(WatcherTest, RowsWaitForTheirProcess) {
  door_->Close();
  Start(false, Names(true));
  host_.Opens(1).Completes(Read16(0, 8));
  wire_->Add(ReadBy(host_.Meets(2).Record(), kReader));
  host_.On(2).Completes(Read16(0, 8));
  host_.On(1).Completes(Read16(8, 8));
  watcher_->Drain();
  ASSERT_TRUE(door_->AwaitStanding(1));
  watcher_->Drain();
  // All that was drained behind the new reader waits, so that rows stay in their order.
  EXPECT_THAT(taken_, ElementsAre("connection:", "command:"));
  EXPECT_TRUE(watcher_->has_waiting());
  EXPECT_EQ(watcher_->Observe().waiting_records, 3u);
  door_->Open();
  DrainUntilTaken(5);
  EXPECT_FALSE(watcher_->has_waiting());
  EXPECT_EQ(watcher_->Observe().waiting_records, 0u);
  EXPECT_THAT(taken_, ElementsAre("connection:", "command:", "connection:reader7",
                                  "command:reader7", "command:"));
}

TEST_F(WatcherTest, PatienceHasAnEnd) {
  door_->Close();
  Start(false, Names(true, milliseconds(1)));
  wire_->Add(ReadBy(host_.Meets(1).Record(), kReader));
  host_.On(1).Completes(Read16(0, 8));
  DrainUntilTaken(2);
  EXPECT_THAT(taken_, ElementsAre("connection:", "command:"));
}

TEST_F(WatcherTest, PatienceBeginsWithTheDrainOfEachRecord) {
  door_->Close();
  Start(false, Names(true, milliseconds(100)));
  const auto start = steady_clock::now();
  for (uint64_t id = 1; id <= 50; id++)
    wire_->Add(ReadBy(host_.Meets(id).Record(), static_cast<uint32_t>(2 * id + 1)));
  DrainUntilTaken(50);
  EXPECT_EQ(taken_.size(), 50u);
  // One after the other they would have waited for five seconds.
  EXPECT_LT(steady_clock::now() - start, seconds(4));
}

TEST_F(WatcherTest, TheEndWaitsForNames) {
  Start(false, Names(true));
  wire_->Add(ReadBy(host_.Meets(1).Record(), kReader));
  host_.On(1).Completes(Read16(0, 8));
  watcher_->Finish();
  EXPECT_THAT(taken_, ElementsAre("connection:reader7", "command:reader7"));
}

TEST_F(WatcherTest, TheEndWaitsForNamesNotForEver) {
  door_->Close();
  Start(false, Names(true, milliseconds(1)));
  wire_->Add(ReadBy(host_.Meets(1).Record(), kReader));
  watcher_->Finish();
  EXPECT_THAT(taken_, ElementsAre("connection:"));
}

TEST_F(WatcherTest, ANexusIsMetUnderItsTargetsName) {
  door_->Close();
  Start(true, Names(false));
  layers_->Add(NexusRecord(kReader).Below("iscsi_tcp").record);
  layers_->Add(Dispatched(kReader, Read16(0, 8)).record);
  host_.Opens(1).Completes(Read16(0, 8));
  const Observation meanwhile = watcher_->Observe();
  ASSERT_TRUE(door_->AwaitStanding(1));
  EXPECT_THAT(taken_, ElementsAre("connection:", "command:"));
  EXPECT_EQ(Commands(meanwhile), 1u);
  door_->Open();
  DrainUntilTaken(4);
  const Observation observation = watcher_->Observe();
  EXPECT_TRUE(observation.snapshot.targets.contains({kInitiator, "iqn.host7", "iscsi_tcp"}));
  EXPECT_EQ(Commands(observation), 2u);
}

TEST_F(WatcherTest, AScsiHostWithoutISCSIIsNamedByItsNumbers) {
  Start(true, Names(false));
  layers_->Add(NexusRecord(8).Below("virtio_scsi").record);
  layers_->Add(Dispatched(8, Read16(0, 8)).record);
  DrainUntilTaken(2);
  EXPECT_TRUE(watcher_->Observe().snapshot.targets.contains({kInitiator, "8:0:0", "virtio_scsi"}));
}

TEST_F(WatcherTest, ANameThatComesTooLateIsTakenAllTheSame) {
  door_->Close();
  Start(true, Names(false, milliseconds(1)));
  layers_->Add(NexusRecord(kReader).Below("iscsi_tcp").record);
  DrainUntilTaken(1);
  door_->Open();
  const auto end = steady_clock::now() + seconds(60);
  bool is_named = false;
  while (!is_named && steady_clock::now() < end) {
    watcher_->Drain();
    layers_->Add(Dispatched(kReader, Read16(0, 8)).record);
    is_named =
        watcher_->Observe().snapshot.targets.contains({kInitiator, "iqn.host7", "iscsi_tcp"});
  }
  EXPECT_TRUE(is_named);
}

TEST_F(WatcherTest, ALoopWakesUpForNames) {
  EventLoop loop;
  door_->Close();
  Start(false, Names(false));
  watcher_->Watch(loop);
  wire_->Add(ReadBy(host_.Meets(1).Record(), kReader));
  // The answer on sessions comes by itself.
  while (loop.Wait(milliseconds(0)) == EventLoop::Wake::kRing) watcher_->Drain();
  watcher_->Drain();
  ASSERT_TRUE(door_->AwaitStanding(1));
  door_->Open();
  EXPECT_EQ(loop.Wait(seconds(60)), EventLoop::Wake::kRing);
}

TEST(RecordQueue, IsFirstInFirstOut) {
  RecordQueue queue;
  for (const uint16_t bytes : {24, 88, 27, 760}) {
    std::vector<char> memory(bytes);
    lunscope_record header{};
    header.bytes = bytes;
    header.connection = bytes;
    std::memcpy(memory.data(), &header, sizeof(header));
    queue.Push(reinterpret_cast<const lunscope_record&>(*memory.data()), bytes * 10U);
  }
  for (const uint16_t bytes : {24, 88, 27, 760}) {
    ASSERT_FALSE(queue.empty());
    EXPECT_EQ(queue.Front().connection, bytes);
    EXPECT_EQ(queue.Front().bytes, bytes);
    EXPECT_EQ(queue.FrontTimeNs(), bytes * 10U);
    queue.Pop();
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

}  // namespace
}  // namespace lunscope
