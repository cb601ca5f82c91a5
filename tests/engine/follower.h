// SPDX-License-Identifier: Apache-2.0
//
// The language of the engine's tests, around a ConnectionFollower that keeps its records:
//
//   Follower session;
//   session.Open();
//   session.Initiator(ScsiCommand(1, Read10(), 4096, kReadFlags));
//   session.Target(ScsiResponse(1));
//   EXPECT_EQ(session.commands.size(), 1u);
//
// Every follower checks, when it dies, that no command went missing:
// seen = reported + unreported + in flight.
#pragma once

#include <lunscope/connection.h>

#include <numeric>
#include <string>
#include <vector>

#include "collector/replay/follower.h"
#include "tests/vectors/pdu.h"

namespace lunscope {

// A command that ended, with its status or without.
struct EndedCommand {
  lunscope_command_record record;
  Bytes sense;
};

class Follower {
 public:
  // side: the role of the observed host. knows_role: the ports decide the role, as they do unless
  // both ends use a target's port.
  explicit Follower(lunscope_role side = LUNSCOPE_ROLE_INITIATOR, bool knows_role = true);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Follows the connection from its first byte. Without this call it is followed from the middle.
  void Open(uint32_t initiator_seq = 1000, uint32_t target_seq = 2000);

  // The initiator or the target sends these bytes as one segment.
  void Initiator(const Bytes& segment);
  void Target(const Bytes& segment);
  // The same, in segments of `bytes` bytes.
  void InitiatorIn(size_t bytes, const Bytes& stream);
  void TargetIn(size_t bytes, const Bytes& stream);
  // Bytes that pass no hook.
  void InitiatorUnseen(size_t bytes) { next_seq_[initiator_direction()] += Seq(bytes); }
  void TargetUnseen(size_t bytes) { next_seq_[target_direction()] += Seq(bytes); }

  // Offers any segment. A hole before it is given up, as when bytes are sent or consumed.
  lunscope_offer Offer(uint32_t direction, uint32_t seq, const Bytes& segment) {
    return Offer(direction, seq, segment, seq);
  }
  // The same for an arrival: a hole is given up only if it lies before gone_to, because the
  // socket's reader has its bytes.
  lunscope_offer Offer(uint32_t direction, uint32_t seq, const Bytes& segment, uint32_t gone_to);

  // The record that a walk over the live connections gets.
  void Walk(const ConnectionFollower::Handler& handler) const { follower_.Walk(handler); }

  // The connection closes. The commands in flight were never answered.
  void Close() { follower_.Close(now_ns); }

  uint32_t initiator_direction() const {
    return side_ == LUNSCOPE_ROLE_INITIATOR ? LUNSCOPE_SENT : LUNSCOPE_RECEIVED;
  }
  uint32_t target_direction() const { return 1 - initiator_direction(); }
  uint32_t next_seq(uint32_t direction) const { return next_seq_[direction]; }

  // The records that the collector got, without times. Equal strings mean equal records.
  std::string Outcome() const;
  // All bytes that the engine keeps.
  Bytes State() const;
  // All text that left the kernel in this direction, and in both.
  std::string Text(uint32_t direction) const;
  std::string Text() const { return Text(LUNSCOPE_RECEIVED) + Text(LUNSCOPE_SENT); }

  uint64_t seen() const { return Sum(totals.commands_seen); }
  uint64_t reported() const { return Sum(totals.commands_reported); }
  uint64_t unmatched() const { return connection->record.unmatched_responses; }
  uint64_t unreported() const;
  uint64_t unreported(lunscope_unreported reason) const;
  uint64_t pdus(uint32_t direction, uint8_t opcode) const {
    return connection->record.traffic[direction].pdus[opcode & 0x1f];
  }
  lunscope_inflight& inflight() const { return connection->inflight; }
  // The command in flight with this tag, or nullptr.
  const lunscope_command* Find(uint32_t itt) {
    return lunscope_inflight_find(&inflight(), follower_.spill(), itt);
  }
  const lunscope_stream& initiator_stream() const {
    return connection->streams[initiator_direction()];
  }
  const lunscope_stream& target_stream() const { return connection->streams[target_direction()]; }

  lunscope_totals totals = {};

  std::vector<EndedCommand> commands;    // with a status
  std::vector<EndedCommand> unanswered;  // without
  std::vector<lunscope_pdu_record> delivered;
  uint64_t now_ns = 1'000'000;  // grows by 1000 with every offer
  uint64_t reads = 0;
  uint32_t max_reads = kMaxReadsPerSegment;

 private:
  static uint32_t Seq(size_t bytes) { return static_cast<uint32_t>(bytes); }
  template <size_t kCount>
  static uint64_t Sum(const uint64_t (&values)[kCount]) {
    return std::accumulate(values, values + kCount, uint64_t{0});
  }

  void Say(uint32_t direction, const Bytes& segment);
  void Take(const lunscope_record& record);
  void CheckConservation() const;

  const lunscope_role side_;
  uint32_t next_seq_[LUNSCOPE_DIRECTIONS] = {2000, 1000};
  ConnectionFollower follower_;

 public:
  lunscope_connection* const connection = &follower_.connection();
};

// Open, and log in with these keys in the last Login Request and Response.
void LogIn(Follower* session, const Bytes& offered = {}, const Bytes& answered = {});

// The text of a delivered PDU's chunk.
std::string ChunkText(const lunscope_pdu_record& record);

}  // namespace lunscope
