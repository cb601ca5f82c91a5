// SPDX-License-Identifier: Apache-2.0
// A connection that is followed, and the checks that must hold for any input.
#pragma once

#include <lunscope/connection.h>

#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "collector/base/record.h"
#include "collector/replay/follower.h"
#include "tests/fuzz/target.h"

namespace lunscope {

template <size_t kCount>
uint64_t SumOf(const uint64_t (&values)[kCount]) {
  return std::accumulate(values, values + kCount, uint64_t{0});
}

inline uint64_t Unreported(const lunscope_totals& totals) {
  uint64_t sum = 0;
  for (const auto& role : totals.commands_unreported) sum += SumOf(role);
  return sum;
}

// seen = reported + unreported + in flight
inline void CheckConservation(const lunscope_totals& totals, uint64_t in_flight) {
  Check(SumOf(totals.commands_seen) ==
            SumOf(totals.commands_reported) + Unreported(totals) + in_flight,
        "a command went missing");
  Check(lunscope_totals_balance(&totals), "the counts do not balance");
}

class Observed {
 public:
  static constexpr uint32_t kFirstSeq[LUNSCOPE_DIRECTIONS] = {0xffffff00, 1000};  // one wraps soon

  // handler is called with each record, after the check that the record is whole.
  explicit Observed(lunscope_role role, ConnectionFollower::Handler handler = {})
      : handler_(std::move(handler)),
        follower_(role, &totals, [this](const lunscope_record& record) { Take(record); }) {}

  void Open() { follower_.Open(kFirstSeq[LUNSCOPE_RECEIVED], kFirstSeq[LUNSCOPE_SENT], kNow); }
  void EmitHeaders() { follower_.EmitHeaders(); }

  // Offers a segment of wire_bytes bytes, whose end may be cut off: wire_bytes >= segment.size().
  lunscope_offer Offer(uint32_t direction, uint32_t seq, const Bytes& segment, uint32_t wire_bytes,
                       uint32_t gone_to) {
    const uint64_t reads = follower_.reads();
    const Stretch stretch = {seq, wire_bytes, segment, kNow};
    const lunscope_offer offer = follower_.Offer(direction, stretch, gone_to);
    // Each byte is read once, and up to three times more while boundaries are unknown: by the scan,
    // as the first byte of a header that turns out not to be one, and on trial.
    Check(follower_.reads() - reads <= 4 * uint64_t{wire_bytes}, "reads without end");
    CheckConservation(totals, in_flight());
    Check(in_flight() <= connection().inflight.limit, "more in flight than may be");
    Check(SumOf(totals.commands_reported) == commands, "a command is reported by a record");
    Check(unanswered <= Unreported(totals),
          "a record for what ended without a status, and no more");
    const lunscope_stream& stream = connection().streams[direction];
    Check(stream.have <= LUNSCOPE_ROOM_MASK + 1, "what was read fits the room");
    // During a trial, a header may end before this segment begins. The next segment ends the trial.
    const bool is_behind = lunscope_distance(stream.next, stretch.seq) > 0;
    if (seq == gone_to && !is_behind && lunscope_distance(stream.next, stretch.end()) > 0)
      Check(follower_.reads() - reads == kMaxReadsPerSegment,
            "bytes are neither used nor given up");
    return offer;
  }
  lunscope_offer Offer(uint32_t direction, uint32_t seq, const Bytes& segment) {
    return Offer(direction, seq, segment, static_cast<uint32_t>(segment.size()), seq);
  }

  void Close() {
    follower_.Close(kNow);
    CheckConservation(totals, 0);
  }

  lunscope_connection& connection() { return follower_.connection(); }
  [[nodiscard]] uint32_t in_flight() { return lunscope_inflight_count(&connection().inflight); }
  // All bytes that the engine keeps, without what only tells how the bytes came in pieces.
  Bytes State() {
    return StateWithout([](lunscope_stream& /*stream*/) {});
  }
  // The same, without how far bytes came during a trial.
  Bytes StateWithoutReach() {
    return StateWithout([](lunscope_stream& stream) { stream.offered = 0; });
  }

  lunscope_totals totals = {};
  uint64_t commands = 0;
  uint64_t unanswered = 0;  // records of commands that ended without a status

 private:
  Bytes StateWithout(const std::function<void(lunscope_stream&)>& forget) {
    const auto kept = std::make_unique<lunscope_connection>(connection());
    for (lunscope_stream& stream : kept->streams) {
      stream.times = {};
      forget(stream);
    }
    const auto bytes_of = [](const auto& value) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
      return Bytes(bytes, bytes + sizeof(value));
    };
    return Join({bytes_of(*kept), bytes_of(totals)});
  }

  static constexpr uint64_t kNow = 1'000'000;  // never changes

  void Take(const lunscope_record& record) {
    Check(CheckRecord(&record, record.bytes) == &record, "a record is whole");
    if (const auto* command = RecordAs<lunscope_command_record>(record); command != nullptr)
      (command->no_status == 0 ? commands : unanswered)++;
    if (handler_) handler_(record);
  }

  const ConnectionFollower::Handler handler_;
  ConnectionFollower follower_;
};

}  // namespace lunscope
