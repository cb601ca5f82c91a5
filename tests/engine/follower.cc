// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/engine/guarded_bytes.h"

namespace lunscope {

Follower::Follower(lunscope_role side, bool knows_role) : side_(side) {
  connection->report.header.role = static_cast<uint8_t>(knows_role ? side : LUNSCOPE_ROLE_UNKNOWN);
  inflight().limit = LUNSCOPE_TASKS;
  connection->checks_header_digest = 1;
  next_seq_[initiator_direction()] = 1000;
  next_seq_[target_direction()] = 2000;
}

Follower::~Follower() { CheckConservation(); }

void Follower::CheckConservation() const {
  EXPECT_EQ(seen(), reported() + unreported() + lunscope_inflight_count(&inflight()))
      << "a command went missing";
  EXPECT_EQ(reported(), commands.size());
  EXPECT_LE(lunscope_inflight_count(&inflight()), inflight().limit);
}

void Follower::Open(uint32_t initiator_seq, uint32_t target_seq) {
  next_seq_[initiator_direction()] = initiator_seq;
  next_seq_[target_direction()] = target_seq;
  lunscope_connection_open(connection.get(), next_seq_[LUNSCOPE_RECEIVED],
                           next_seq_[LUNSCOPE_SENT]);
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
  const uint32_t end = seq + Seq(segment.size());
  lunscope_stream* stream = &connection->streams[direction];
  now_ns += 1000;
  lunscope_offer offer = lunscope_stream_offer(stream, seq, end);
  if (offer == LUNSCOPE_OFFER_HOLE) {
    if (lunscope_distance(stream->next, read_to) <= 0) return offer;
    lunscope_connection_lose(connection.get(), direction, seq, LUNSCOPE_REASON_MISSING_BYTES,
                             &totals);
    if (lunscope_stream_offer(stream, seq, end) == LUNSCOPE_OFFER_NEW)
      Follow(direction, seq, end, GuardedBytes(segment).data());
    return LUNSCOPE_OFFER_HOLE;
  }
  if (offer == LUNSCOPE_OFFER_NEW) Follow(direction, seq, end, GuardedBytes(segment).data());
  return offer;
}

void Follower::Follow(uint32_t direction, uint32_t seq, uint32_t end, const uint8_t* bytes) {
  lunscope_stream* stream = &connection->streams[direction];
  for (uint32_t i = 0; i < max_reads; i++) {
    const uint32_t wanted = lunscope_stream_wants(stream, end);
    if (wanted == 0) return;
    const uint8_t* room_end = stream->room + sizeof(stream->room);
    ASSERT_LE(wanted, static_cast<size_t>(room_end - lunscope_stream_room(stream)));
    std::memcpy(lunscope_stream_room(stream), bytes + (stream->next - seq), wanted);
    reads++;
    const lunscope_take take = lunscope_stream_take(stream, wanted);
    if (take == LUNSCOPE_TAKE_SHORT) continue;
    if (take == LUNSCOPE_TAKE_CHUNK) {
      Deliver(direction);
      lunscope_stream_chunk_done(stream);
      continue;
    }
    switch (lunscope_connection_header(connection.get(), direction, now_ns, &totals)) {
      case LUNSCOPE_HEADER_DELIVER: Deliver(direction); break;
      case LUNSCOPE_HEADER_LOST:
        lunscope_connection_lose(connection.get(), direction, end,
                                 stream->sync == LUNSCOPE_SYNC_FIRST ? LUNSCOPE_REASON_NOT_ISCSI
                                                                     : LUNSCOPE_REASON_BAD_HEADER,
                                 &totals);
        return;
      default: break;
    }
  }
}

void Follower::Deliver(uint32_t direction) {
  const lunscope_stream& stream = connection->streams[direction];
  const uint8_t opcode = iscsi_opcode(stream.room);
  if (opcode == ISCSI_SCSI_RESPONSE || opcode == ISCSI_DATA_IN) {
    DeliverAnswer(direction);
    return;
  }
  EmitPdu(stream, direction, nullptr);
  if (lunscope_is_text(opcode) && lunscope_stream_chunk_is_last(&stream))
    lunscope_connection_end_text(connection.get(), direction);
  if (opcode == ISCSI_REJECT) lunscope_connection_reject(connection.get(), direction, &totals);
}

void Follower::DeliverAnswer(uint32_t direction) {
  const lunscope_stream& stream = connection->streams[direction];
  const uint32_t role = connection->report.header.role & LUNSCOPE_ROLE_MASK;
  const uint32_t index = lunscope_inflight_find(&inflight(), iscsi_itt(stream.room));
  if (index == LUNSCOPE_NO_TASK) {
    totals.unmatched_responses[role]++;
    return;
  }
  const lunscope_task& task = inflight().tasks[index];
  if (iscsi_opcode(stream.room) == ISCSI_DATA_IN) {
    if (stream.have > ISCSI_BHS_BYTES) EmitPdu(stream, direction, &task);
    if (!(iscsi_flags(stream.room) & ISCSI_DATA_IN_STATUS)) return;
  }
  EmitCommand(stream, task);
  totals.commands_reported[role]++;
  lunscope_inflight_end(&inflight(), index);
}

void Follower::EmitCommand(const lunscope_stream& stream, const lunscope_task& task) {
  CompletedCommand command = {};
  lunscope_command_fill(&command.event, &task, stream.room, now_ns, connection->report.gaps);
  if (iscsi_opcode(stream.room) == ISCSI_SCSI_RESPONSE && stream.have > ISCSI_BHS_BYTES + 2) {
    const uint8_t* data = lunscope_stream_chunk(&stream);
    const uint32_t sense_bytes =
        std::min({uint32_t{lunscope_be16(data)}, lunscope_stream_chunk_bytes(&stream) - 2,
                  uint32_t{LUNSCOPE_SENSE_BYTES}});
    command.sense.assign(data + 2, data + 2 + sense_bytes);
    command.event.sense_bytes = static_cast<uint16_t>(sense_bytes);
  }
  commands.push_back(command);
  totals.events++;
}

void Follower::EmitPdu(const lunscope_stream& stream, uint32_t direction,
                       const lunscope_task* task) {
  lunscope_pdu_event event = {};
  const uint32_t chunk_bytes =
      stream.have > ISCSI_BHS_BYTES ? lunscope_stream_chunk_bytes(&stream) : 0;
  ASSERT_LE(chunk_bytes, uint32_t{LUNSCOPE_CHUNK_BYTES});
  std::memcpy(event.bhs, stream.room, ISCSI_BHS_BYTES);
  if (task != nullptr) {
    event.lun = task->lun;
    std::memcpy(event.cdb, task->cdb, ISCSI_CDB_BYTES);
  }
  event.chunk_offset = stream.chunk_offset;
  event.direction = static_cast<uint8_t>(direction);
  event.last = stream.have <= ISCSI_BHS_BYTES || lunscope_stream_chunk_is_last(&stream);
  const uint8_t* chunk = lunscope_stream_chunk(&stream);
  const bool is_text = lunscope_is_text(iscsi_opcode(stream.room));
  for (uint32_t i = 0; i < chunk_bytes; i++) {
    if (is_text && !lunscope_text_take(&connection->texts[direction], chunk[i])) continue;
    event.chunk[event.chunk_bytes++] = chunk[i];
  }
  delivered.push_back(event);
  totals.events++;
}

void Follower::Close() {
  const uint32_t role = connection->report.header.role & LUNSCOPE_ROLE_MASK;
  totals.commands_unreported[role][LUNSCOPE_UNREPORTED_CONNECTION_CLOSED] +=
      lunscope_inflight_count(&inflight());
  inflight().ended = inflight().begun;
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
