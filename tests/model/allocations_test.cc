// SPDX-License-Identifier: Apache-2.0
// The model takes in a record without a heap allocation, once it knows the connection, LUN and
// operation of the record. The test counts every operator new of this program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <span>
#include <string>

#include "collector/diagnosis/diagnosis.h"
#include "tests/model/layers.h"
#include "tests/model/tape.h"

namespace {

uint64_t allocations = 0;

void* Allocate(std::size_t bytes, std::size_t alignment = alignof(std::max_align_t)) {
  allocations++;
  // aligned_alloc() takes only multiples of the alignment.
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Not inline, because g++ would then warn about the pair of new and free().
[[gnu::noinline]] void Free(void* memory) { std::free(memory); }

}  // namespace

// The other forms call these.
void* operator new(std::size_t bytes) { return Allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return Allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { Free(memory); }

namespace lunscope {
namespace {

constexpr size_t kRecords = 1'000'000;
// Longer than a std::string holds without memory of its own, as real names are.
constexpr const char* kLongName = "iqn.2026-01.org.lunscope:storage.array.1";
const std::vector<uint8_t> kInquiry = {SCSI_INQUIRY, 0, 0, 0, 36, 0};

std::vector<uint8_t> InquiryData() {
  const std::string text = std::string(8, '\0') + "VENDOR-8PRODUCT-NAME--16";
  return {text.begin(), text.end()};
}

Dispatched Joinable(const Command& command) { return {4, command}; }

struct Row {
  const char* name;
  // Records that are repeated for connection 1 or nexus 4, at growing times.
  std::function<void(Host&)> tell;
};

const Row kRows[] = {
    {"command", [](Host& host) { host.On(1).Completes(Read16(0, 8).OnLun(Lun(1))); }},
    {"command, another LUN and operation each time",
     [](Host& host) {
       for (uint8_t lun = 0; lun < 4; lun++) {
         host.On(1).Completes(Read16(0, 8).OnLun(Lun(lun)));
         host.On(1).Completes(Write16(0, 8).OnLun(Lun(lun)));
       }
     }},
    {"command with sense",
     [](Host& host) { host.On(1).Completes(Read16(0, 8).Sensing(5, 0x21, 0)); }},
    {"target failure", [](Host& host) { host.On(1).Completes(Read16(0, 8).Responding(1)); }},
    {"INQUIRY's data", [](Host& host) { host.On(1).Reads(kInquiry, InquiryData(), Lun(1)); }},
    {"task management", [](Host& host) { host.On(1).RequestsTask(1); }},
    {"Reject", [](Host& host) { host.On(1).Rejects(9); }},
    {"asynchronous message", [](Host& host) { host.On(1).Announces(1); }},
    {"walk over a connection", [](Host& host) { host.Apply(host.On(1).Record()); }},
    {"command of the mid-layer",
     [](Host& host) { host.Apply(Dispatched(4, Read16(0, 8)).record); }},
    {"failed command of the mid-layer",
     [](Host& host) { host.Apply(Dispatched(4, Read16(0, 8)).Failing(7).Again(1).record); }},
    {"command of the wire and of the mid-layer",
     [](Host& host) {
       host.On(1).Completes(Read16(0, 8).OnLun(Lun(1)).Taking(1000));
       host.Apply(Joinable(Read16(0, 8).OnLun(Lun(1)).Taking(3000)).At(host.now_ns + 1000).record);
     }},
    {"command of LIO and of the wire",
     [](Host& host) {
       host.Apply(Dispatched(5, Read16(0, 8).OnLun(Lun(1)).Taking(1000), LUNSCOPE_ROLE_TARGET)
                      .At(host.now_ns - 1000)
                      .record);
       host.On(2).Completes(Read16(0, 8).OnLun(Lun(1)).Taking(3000));
     }},
};

// Allocations while the model takes in a million records of this kind.
uint64_t AllocationsOf(const Row& row, const ModelOptions& options) {
  Model model(options);
  Tape tape;
  {
    Host host;
    host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
    host.Opens(1).LogsIn({.target = kLongName});
    host.NameScsiHost(4, kLongName);
    model.NameScsiHost(4, kLongName);
    host.Apply(NexusRecord(4).Below("iscsi_tcp").OnLun(Lun(1)).record);
    host.Opens(2, LUNSCOPE_ROLE_TARGET).LogsIn({.target = kLongName, .isid = 2});
    host.Apply(NexusRecord(5, LUNSCOPE_ROLE_TARGET).Below("iSCSI").Serving(kLongName, "h").record);
    tape.Record(host);
    row.tell(host);
  }
  const auto play = [&](size_t records) {
    for (size_t done = 0; done < records; done += tape.records())
      tape.Play([&](const lunscope_record& record) { model.Apply(record); });
  };
  play(200'000);  // the first records of each kind, and the growth of queues
  const uint64_t before = allocations;
  play(kRecords);
  return allocations - before;
}

TEST(Allocations, OfAMillionRecordsAreNone) {
  for (const Row& row : kRows) {
    EXPECT_EQ(AllocationsOf(row, {}), 0u) << row.name;
    EXPECT_EQ(AllocationsOf(row, {.profiles = true, .joins = {.midlayer = true, .target = true}}),
              0u)
        << row.name << ", with a profile, and looked for at the mid-layer";
  }
}

// The diagnosis takes in commands only: an event is seldom, and is kept in words.
TEST(Allocations, OfADiagnosisOfCommandsAreNone) {
  for (const Row& row : std::span(kRows).first(4)) {
    Model model;
    Diagnosis diagnosis;
    Tape tape;
    const auto take = [&](const lunscope_record& record) {
      diagnosis.Take(record, model.Apply(record));
    };
    {
      Host host;
      host.HandOn(take);
      host.Opens(1).LogsIn({.target = kLongName});
      tape.Record(host);
      row.tell(host);
    }
    tape.Play(take);
    const uint64_t before = allocations;
    for (int i = 0; i < 10'000; i++) tape.Play(take);
    EXPECT_EQ(allocations, before) << row.name;
  }
}

// The counter counts. Otherwise the test above could not fail.
TEST(Allocations, AreCounted) {
  const uint64_t before = allocations;
  Model model;
  Host host;
  host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
  host.Opens(1).LogsIn();
  EXPECT_GT(allocations, before);
}

}  // namespace
}  // namespace lunscope
