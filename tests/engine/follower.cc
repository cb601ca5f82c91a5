// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "collector/base/record.h"
#include "tests/engine/guarded_bytes.h"

namespace lunscope {

Follower::Follower(lunscope_role side, bool knows_role)
    : side_(side),
      follower_(knows_role ? side : LUNSCOPE_ROLE_UNKNOWN, &totals,
                [this](const lunscope_record& record) { Take(record); }) {
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
                               uint32_t gone_to) {
  const GuardedBytes guarded(segment);
  now_ns += 1000;
  follower_.set_max_reads(max_reads);
  const lunscope_offer offer = follower_.Offer(
      direction, {seq, Seq(segment.size()), {guarded.data(), segment.size()}, now_ns}, gone_to);
  reads = follower_.reads();
  return offer;
}

void Follower::Take(const lunscope_record& record) {
  ASSERT_EQ(CheckRecord(&record, record.bytes), &record) << "a record that is not whole";
  Visit(record, Overloaded{[](const auto&) {},
                           [this](const lunscope_pdu_record& pdu) { delivered.push_back(pdu); },
                           [this](const lunscope_command_record& command) {
                             const std::span sense = SenseBytes(command);
                             auto& ended = command.no_status == 0 ? commands : unanswered;
                             ended.push_back({command, {sense.begin(), sense.end()}});
                           }});
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

std::string ChunkText(const lunscope_pdu_record& record) {
  return {reinterpret_cast<const char*>(record.chunk), record.chunk_bytes};
}

std::string Follower::Text(uint32_t direction) const {
  std::string text;
  for (const lunscope_pdu_record& record : delivered) {
    if (record.direction == direction && lunscope_is_text(iscsi_opcode(record.bhs)))
      text += ChunkText(record);
  }
  return text;
}

std::string Follower::Outcome() const {
  std::string outcome;
  for (const auto& [record, sense] : commands) {
    outcome += fmt::format(
        "command itt {:08x} lun {:016x} cmdsn {} cdb {} flags {:02x} expected {} read {} written "
        "{} "
        "response {}/{:02x} flags {:02x} residual {}/{} gap {} sense {}\n",
        record.itt, record.lun, record.cmdsn, ToHex(record.cdb, ISCSI_CDB_BYTES),
        record.command_flags, record.expected_bytes, record.read_bytes, record.written_bytes,
        record.response, record.status, record.response_flags, record.residual_bytes,
        record.bidi_residual_bytes, record.header.flags, ToHex(sense.data(), sense.size()));
  }
  for (const auto& [record, sense] : unanswered) {
    outcome +=
        fmt::format("command itt {:08x} lun {:016x} cmdsn {} no status {} {} gap {}\n", record.itt,
                    record.lun, record.cmdsn, record.no_status, record.cause, record.header.flags);
  }
  for (const lunscope_pdu_record& record : delivered) {
    outcome +=
        fmt::format("pdu {} {} lun {:016x} cdb {} chunk {}+{} last {} {}\n", record.direction,
                    ToHex(record.bhs, ISCSI_BHS_BYTES), record.lun,
                    ToHex(record.cdb, ISCSI_CDB_BYTES), record.chunk_offset, record.chunk_bytes,
                    record.last, ToHex(record.chunk, record.chunk_bytes));
  }
  const lunscope_connection_record& record = connection->record;
  const auto* numbers = reinterpret_cast<const uint8_t*>(record.traffic);
  outcome += fmt::format("traffic {}\ngaps {} unmatched {} in flight {} digests {}{} role {}\n",
                         ToHex(numbers, sizeof(record.traffic)), record.gaps,
                         record.unmatched_responses, lunscope_inflight_count(&inflight()),
                         record.header_digest, record.data_digest, record.header.role);
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
