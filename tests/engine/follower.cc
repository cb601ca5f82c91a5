// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "collector/probe/record.h"
#include "tests/engine/guarded_bytes.h"

namespace lunscope {

Follower::Follower(lunscope_role side, bool knows_role)
    : side_(side),
      follower_(knows_role ? side : LUNSCOPE_ROLE_UNKNOWN, &totals,
                [this](const lunscope_event& event) { Take(event); }) {
  next_seq_[initiator_direction()] = 1000;
  next_seq_[target_direction()] = 2000;
}

Follower::~Follower() { CheckConservation(); }

void Follower::CheckConservation() const {
  EXPECT_EQ(seen(), reported() + unreported() + lunscope_inflight_count(&inflight()))
      << "a command went missing";
  EXPECT_TRUE(lunscope_totals_balance(&totals));
  EXPECT_EQ(reported(), commands.size());
  EXPECT_LE(lunscope_inflight_count(&inflight()), inflight().limit);
}

void Follower::Open(uint32_t initiator_seq, uint32_t target_seq) {
  next_seq_[initiator_direction()] = initiator_seq;
  next_seq_[target_direction()] = target_seq;
  follower_.Open(next_seq_[LUNSCOPE_RECEIVED], next_seq_[LUNSCOPE_SENT], now_ns);
}

void Follower::Say(uint32_t direction, const Bytes& segment) {
  const uint32_t seq = next_seq_[direction];
  next_seq_[direction] += Seq(segment.size());
  Offer(direction, seq, segment);
}

void Follower::Initiator(const Bytes& segment) { Say(initiator_direction(), segment); }
void Follower::Target(const Bytes& segment) { Say(target_direction(), segment); }

void Follower::InitiatorIn(size_t bytes, const Bytes& stream) {
  for (size_t at = 0; at < stream.size(); at += bytes)
    Initiator(Slice(stream, at, std::min(at + bytes, stream.size())));
}

void Follower::TargetIn(size_t bytes, const Bytes& stream) {
  for (size_t at = 0; at < stream.size(); at += bytes)
    Target(Slice(stream, at, std::min(at + bytes, stream.size())));
}

lunscope_offer Follower::Offer(uint32_t direction, uint32_t seq, const Bytes& segment,
                               uint32_t read_to) {
  const GuardedBytes guarded(segment);
  now_ns += 1000;
  follower_.set_max_reads(max_reads);
  const lunscope_offer offer = follower_.Offer(
      direction, {seq, Seq(segment.size()), {guarded.data(), segment.size()}, now_ns}, read_to);
  reads = follower_.reads();
  return offer;
}

void Follower::Take(const lunscope_event& event) {
  ASSERT_EQ(CheckRecord(&event, event.bytes), &event) << "a record that is not whole";
  if (event.kind == LUNSCOPE_EVENT_PDU) {
    delivered.push_back(reinterpret_cast<const lunscope_pdu_event&>(event));
  } else if (event.kind == LUNSCOPE_EVENT_COMMAND) {
    CompletedCommand command = {};
    command.event = reinterpret_cast<const lunscope_command_event&>(event);
    if (command.event.sense_bytes != 0) {
      const auto& sensed = reinterpret_cast<const lunscope_sensed_command_event&>(event);
      command.sense.assign(sensed.sense, sensed.sense + command.event.sense_bytes);
    }
    commands.push_back(command);
  }
}

uint64_t Follower::unreported(lunscope_unreported reason) const {
  uint64_t sum = 0;
  for (const auto& role : totals.commands_unreported) sum += role[reason];
  return sum;
}

uint64_t Follower::unreported() const {
  uint64_t sum = 0;
  for (const auto& role : totals.commands_unreported) sum += Sum(role);
  return sum;
}

std::string ChunkText(const lunscope_pdu_event& event) {
  return {reinterpret_cast<const char*>(event.chunk), event.chunk_bytes};
}

std::string Follower::Text(uint32_t direction) const {
  std::string text;
  for (const lunscope_pdu_event& event : delivered) {
    if (event.direction == direction && lunscope_is_text(iscsi_opcode(event.bhs)))
      text += ChunkText(event);
  }
  return text;
}

std::string Follower::Outcome() const {
  std::string outcome;
  for (const auto& [event, sense] : commands) {
    outcome += fmt::format(
        "command itt {:08x} lun {:016x} cmdsn {} cdb {} flags {:02x} expected {} transferred {} "
        "response {}/{:02x} flags {:02x} residual {}/{} gap {} sense {}\n",
        event.itt, event.lun, event.cmdsn, ToHex(event.cdb, ISCSI_CDB_BYTES), event.command_flags,
        event.expected_bytes, event.transferred_bytes, event.response, event.status,
        event.response_flags, event.residual_bytes, event.bidi_residual_bytes, event.header.flags,
        ToHex(sense.data(), sense.size()));
  }
  for (const lunscope_pdu_event& event : delivered) {
    outcome += fmt::format("pdu {} {} lun {:016x} cdb {} chunk {}+{} last {} {}\n", event.direction,
                           ToHex(event.bhs, ISCSI_BHS_BYTES), event.lun,
                           ToHex(event.cdb, ISCSI_CDB_BYTES), event.chunk_offset, event.chunk_bytes,
                           event.last, ToHex(event.chunk, event.chunk_bytes));
  }
  const lunscope_connection_event& report = connection->report;
  const auto* numbers = reinterpret_cast<const uint8_t*>(report.traffic);
  outcome += fmt::format("traffic {}\ngaps {} in flight {} digests {}{} role {}\n",
                         ToHex(numbers, sizeof(report.traffic)), report.gaps,
                         lunscope_inflight_count(&inflight()), report.header_digest,
                         report.data_digest, report.header.role);
  outcome +=
      fmt::format("totals {}\n", ToHex(reinterpret_cast<const uint8_t*>(&totals), sizeof(totals)));
  return outcome;
}

Bytes Follower::State() const {
  const auto bytes_of = [](const auto& value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    return Bytes(bytes, bytes + sizeof(value));
  };
  return Join({bytes_of(*connection), bytes_of(totals),
               ToBytes(fmt::format("{} {}", commands.size(), delivered.size()))});
}

void LogIn(Follower* session, const Bytes& offered, const Bytes& answered) {
  session->Open();
  session->Initiator(LoginRequest(offered));
  session->Target(LoginResponse(answered));
}

}  // namespace lunscope
