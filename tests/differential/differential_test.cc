// SPDX-License-Identifier: Apache-2.0
// Compares the engine in the kernel with the native engine. Both follow random conversations, and
// every byte of state, every total and every record must be the same.
//
// usage: differential_test [conversations] [seed]
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "collector/probe/totals.h"
#include "collector/replay/follower.h"
#include "tests/differential/conversation.h"
#include "tests/differential/kernel_engine.h"

namespace lunscope {
namespace {

constexpr uint32_t kRingBytes = 1 << 22;  // more than the records of one conversation
using Records = std::vector<Bytes>;

// The time of a connection's first bytes in a record comes from the kernel's own clock.
void KeepRecord(Records* records, const void* data, size_t bytes) {
  const auto* from = static_cast<const uint8_t*>(data);
  auto& kept = records->emplace_back(from, from + bytes);
  lunscope_record header;
  std::memcpy(&header, kept.data(), sizeof(header));
  if (header.kind == LUNSCOPE_RECORD_CONNECTION) header.time_ns = 0;
  std::memcpy(kept.data(), &header, sizeof(header));
}

std::string FirstDifference(const char* what, const void* kernel, const void* native,
                            size_t bytes) {
  const auto* in_kernel = static_cast<const uint8_t*>(kernel);
  const auto* here = static_cast<const uint8_t*>(native);
  for (size_t i = 0; i < bytes; i++) {
    if (in_kernel[i] != here[i])
      return fmt::format("{} differs at byte {}: {:02x} in the kernel, {:02x} here", what, i,
                         in_kernel[i], here[i]);
  }
  return {};
}

// Plays the conversation natively. Returns the difference to the kernel's result, or an empty text.
class Comparison {
 public:
  std::string Run(KernelEngine* kernel, const Conversation& conversation) {
    Follow(kernel, conversation);
    Records in_kernel;
    kernel->Run([&](const void* data, size_t bytes) { KeepRecord(&in_kernel, data, bytes); });
    const exchange& there = kernel->input();
    follower_->connection().record.header.time_ns = there.connection.record.header.time_ns;
    // Only the ring of the kernel has a rate.
    for (size_t i = 0; i < LUNSCOPE_DIRECTIONS; i++)
      follower_->connection().streams[i].paid = there.connection.streams[i].paid;
    for (size_t i = 0; i < std::max(in_kernel.size(), records_.size()); i++) {
      if (i >= in_kernel.size() || i >= records_.size() || in_kernel[i] != records_[i])
        return fmt::format("record {} of {} in the kernel and {} here differs", i, in_kernel.size(),
                           records_.size());
    }
    std::string difference = FirstDifference("the connection", &there.connection,
                                             &follower_->connection(), sizeof(lunscope_connection));
    const auto counted = SumOf<lunscope_totals>(there.totals);
    if (difference.empty())
      difference = FirstDifference("a total", &counted, &totals_, sizeof(totals_));
    if (difference.empty() && follower_->spill() != nullptr)
      difference =
          FirstDifference("the spill", &there.spill, follower_->spill(), sizeof(lunscope_spill));
    return difference;
  }

  [[nodiscard]] const lunscope_totals& totals() const { return totals_; }
  [[nodiscard]] size_t records() const { return records_.size(); }
  [[nodiscard]] bool spilled() { return follower_->spill() != nullptr; }

 private:
  void Follow(KernelEngine* kernel, const Conversation& conversation) {
    exchange& there = kernel->input();
    follower_ = std::make_unique<ConnectionFollower>(
        static_cast<lunscope_role>(conversation.role), &totals_,
        [this](const lunscope_record& record) { KeepRecord(&records_, &record, record.bytes); });
    if (conversation.is_opened)
      follower_->Open(conversation.received_seq, conversation.sent_seq, 1);
    records_.clear();  // opening is no part of the comparison: both begin in the state it made
    std::memcpy(&there.connection, &follower_->connection(), sizeof(there.connection));
    there.spill = {};
    totals_ = {};
    there.segments = 0;
    uint32_t offset = 0;
    uint64_t now_ns = 1000;
    for (const Segment& segment : conversation.segments) {
      const auto bytes = static_cast<uint32_t>(segment.bytes.size());
      if (there.segments == EXCHANGE_SEGMENTS || bytes > EXCHANGE_BYTES - offset) break;
      now_ns += 1000;
      there.segment[there.segments++] = {now_ns, segment.direction, segment.seq, bytes, offset};
      std::memcpy(there.bytes + offset, segment.bytes.data(), bytes);
      offset += bytes;
      follower_->Offer(segment.direction,
                       {segment.seq, bytes, {segment.bytes.data(), bytes}, now_ns});
    }
  }

  lunscope_totals totals_ = {};
  Records records_;
  std::unique_ptr<ConnectionFollower> follower_;
};

// Counts of the cases that the conversations reached. They show that the agreement is not about
// nothing.
struct Reached {
  uint64_t conversations = 0, records = 0, seen = 0, reported = 0, unreported = 0, gaps = 0,
           resyncs = 0, spills = 0;

  void Add(Comparison* comparison) {
    const lunscope_totals& totals = comparison->totals();
    const auto sum = [](const auto& counts) {
      uint64_t all = 0;
      for (const uint64_t count : counts) all += count;
      return all;
    };
    conversations++;
    records += comparison->records();
    seen += sum(totals.commands_seen);
    reported += sum(totals.commands_reported);
    for (const auto& role : totals.commands_unreported) unreported += sum(role);
    gaps += sum(totals.gaps);
    resyncs += sum(totals.resyncs);
    spills += comparison->spilled() ? 1 : 0;
  }
  [[nodiscard]] bool everything() const {
    return records > conversations && reported > 0 && unreported > 0 && gaps > 0 && resyncs > 0 &&
           spills > 0;
  }
};

int Compare(uint64_t conversations, uint32_t seed) {
  KernelEngine kernel(LUNSCOPE_STEP_EMIT, kRingBytes);
  Reached reached;
  for (uint64_t i = 0; i < conversations; i++) {
    std::mt19937 random(static_cast<uint32_t>(seed + i));
    const Conversation conversation = RandomConversation(&random);
    Comparison comparison;
    if (const std::string difference = comparison.Run(&kernel, conversation); !difference.empty()) {
      fmt::print(stderr, "conversation {}: {}\nto see it alone: differential_test 1 {}\n", i,
                 difference, seed + i);
      return 1;
    }
    reached.Add(&comparison);
  }
  fmt::print(
      "{} conversations, 0 mismatches: {} records, {} commands seen, {} reported, {} "
      "unreported, {} gaps, {} resyncs, {} with a spill\n",
      reached.conversations, reached.records, reached.seen, reached.reported, reached.unreported,
      reached.gaps, reached.resyncs, reached.spills);
  if (conversations >= 1000 && !reached.everything()) {
    fmt::print(stderr, "the conversations did not reach everything they should\n");
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace lunscope

int main(int count, char** words) {
  const uint64_t conversations = count > 1 ? std::strtoull(words[1], nullptr, 10) : 100'000;
  const auto seed = static_cast<uint32_t>(count > 2 ? std::strtoul(words[2], nullptr, 10) : 1);
  try {
    return lunscope::Compare(conversations, seed);
  } catch (const std::exception& error) {
    fmt::print(stderr, "differential_test: {}\n", error.what());
    return 1;
  }
}
