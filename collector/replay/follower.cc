// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/follower.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>
#include <utility>

namespace lunscope {
namespace {

// A name that was cut must not pass for a whole one: it ends as one that is too long does
// (base/printable.h).
void MarkCut(lunscope_stream* stream) {
  constexpr std::string_view kMark = "...";
  constexpr size_t kLimit = ISCSI_BHS_BYTES + LUNSCOPE_CHUNK_BYTES - kMark.size();
  const size_t at = std::min<size_t>(stream->have, kLimit);
  std::ranges::copy(kMark, stream->room + at);
  stream->have = static_cast<uint16_t>(at + kMark.size());
}

}  // namespace

ConnectionFollower::ConnectionFollower(lunscope_role role, lunscope_totals* totals, Handler handler)
    : totals_(*totals), handler_(std::move(handler)) {
  lunscope_connection_record& record = connection_->record;
  record.header.role = static_cast<uint8_t>(role);
  connection_->inflight.limit = LUNSCOPE_TRACKED_COMMANDS;
  connection_->checks_header_digest = 1;
  Identify(0, {}, {});
}

void ConnectionFollower::Identify(uint64_t number, const TcpEnd& local, const TcpEnd& remote) {
  lunscope_connection_record& record = connection_->record;
  record.header.connection = number;
  FillHeader(&record.header, LUNSCOPE_RECORD_CONNECTION, sizeof(record));
  record.local_port = local.port;
  record.remote_port = remote.port;
  record.is_ipv6 = local.is_ipv6 ? 1 : 0;
  std::ranges::copy(local.address, record.local_address);
  std::ranges::copy(remote.address, record.remote_address);
}

void ConnectionFollower::FillHeader(lunscope_record* header, lunscope_record_kind kind,
                                    size_t bytes) const {
  header->connection = connection_->record.header.connection;
  header->bytes = static_cast<uint32_t>(bytes);
  header->abi = LUNSCOPE_ABI;
  header->kind = static_cast<uint8_t>(kind);
  header->role = connection_->record.header.role;
}

void ConnectionFollower::Open(uint32_t received_seq, uint32_t sent_seq, uint64_t now_ns) {
  lunscope_connection_open(connection_.get(), received_seq, sent_seq);
  EmitConnection(LUNSCOPE_FLAG_OPENED, now_ns);
}

lunscope_offer ConnectionFollower::Offer(uint32_t direction, const Stretch& stretch,
                                         uint32_t read_to) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  now_ns_ = stretch.time_ns;
  const lunscope_offer offer = lunscope_stream_offer(stream, stretch.seq, stretch.end());
  if (offer == LUNSCOPE_OFFER_HOLE) {
    if (lunscope_distance(stream->next, read_to) <= 0) return offer;
    lunscope_connection_lose(connection_.get(), direction, stretch.seq,
                             LUNSCOPE_REASON_MISSING_BYTES, &totals_);
    if (lunscope_stream_offer(stream, stretch.seq, stretch.end()) != LUNSCOPE_OFFER_NEW)
      return offer;
  }
  if (offer != LUNSCOPE_OFFER_OLD) Follow(direction, stretch);
  return offer;
}

void ConnectionFollower::Follow(uint32_t direction, const Stretch& stretch) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  if (!is_announced_) EmitConnection(LUNSCOPE_FLAG_OPENED | LUNSCOPE_FLAG_MIDSTREAM, now_ns_);
  for (uint32_t i = 0; i < max_reads_; i++) {
    const uint32_t wanted = lunscope_stream_wants(stream, stretch.end());
    if (wanted == 0 || lunscope_distance(stretch.seq, stream->next) < 0) return;
    const uint32_t offset = stream->next - stretch.seq;
    const size_t captured = stretch.captured.size();
    const size_t have = std::min<size_t>(wanted, captured > offset ? captured - offset : 0);
    uint8_t* room = lunscope_stream_room(stream);
    assert(wanted <= static_cast<size_t>(stream->room + sizeof(stream->room) - room));
    if (have != 0) std::memcpy(room, stretch.captured.data() + offset, have);
    reads_++;
    if (have < wanted) {
      FollowCut(direction, stretch, static_cast<uint32_t>(have));
    } else {
      Judge(direction, lunscope_stream_take(stream, wanted), stretch);
    }
  }
}

// The snap length cut off bytes that are wanted, all but the first few. A PDU is delivered without
// the end of its data; without a header the boundaries are lost.
void ConnectionFollower::FollowCut(uint32_t direction, const Stretch& stretch, uint32_t have) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  if (stream->sync == LUNSCOPE_SYNC_LOST) {
    if (have != 0) Judge(direction, lunscope_stream_take(stream, have), stretch);
    if (stream->sync == LUNSCOPE_SYNC_LOST)
      lunscope_connection_pass(connection_.get(), direction, stretch.end(), &totals_);
    return;
  }
  if (stream->capture_bytes == 0) {
    lunscope_connection_lose(connection_.get(), direction, stretch.end(),
                             LUNSCOPE_REASON_MISSING_BYTES, &totals_);
    return;
  }
  lunscope_stream_take(stream, have);
  if (lunscope_is_text(iscsi_opcode(stream->room))) MarkCut(stream);
  stream->capture_bytes = lunscope_stream_chunk_bytes(stream);  // no further chunk
  Deliver(direction, true);
  lunscope_stream_chunk_done(stream);
}

void ConnectionFollower::Judge(uint32_t direction, lunscope_take take, const Stretch& stretch) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  if (take == LUNSCOPE_TAKE_UNSURE)
    take = lunscope_connection_settle(connection_.get(), direction, stretch.end(), &totals_);
  if (take == LUNSCOPE_TAKE_SHORT) return;
  if (take == LUNSCOPE_TAKE_CHUNK) {
    Deliver(direction, false);
    lunscope_stream_chunk_done(stream);
    return;
  }
  const lunscope_header header =
      lunscope_connection_header(connection_.get(), spill_.get(), direction, now_ns_, &totals_);
  if (stream->reads_ahs != 0 && header != LUNSCOPE_HEADER_LOST &&
      stream->sync == LUNSCOPE_SYNC_FOLLOWED)
    EmitHeader(direction);
  switch (header) {
    case LUNSCOPE_HEADER_DELIVER: Deliver(direction, false); break;
    case LUNSCOPE_HEADER_CROWDED:
      if (!spill_) spill_ = std::make_unique<lunscope_spill>();
      lunscope_connection_spill(connection_.get(), spill_.get(), direction, now_ns_, &totals_);
      break;
    case LUNSCOPE_HEADER_LOST:
      lunscope_connection_lose_header(connection_.get(), direction, stretch.seq, &totals_);
      break;
    default: break;
  }
}

void ConnectionFollower::Deliver(uint32_t direction, bool is_cut) {
  const lunscope_stream& stream = connection_->streams[direction & 1];
  const uint8_t opcode = iscsi_opcode(stream.room);
  if (opcode == ISCSI_SCSI_RESPONSE || opcode == ISCSI_DATA_IN) {
    DeliverAnswer(direction);
    return;
  }
  EmitPdu(direction, nullptr);
  if (opcode == ISCSI_REJECT)
    lunscope_connection_reject(connection_.get(), spill_.get(), direction, &totals_);
  if (!lunscope_is_text(opcode) || !lunscope_stream_chunk_is_last(&stream)) return;
  if (is_cut) connection_->texts[direction & 1].known = 0;  // the next text does not go on from it
  lunscope_connection_end_text(connection_.get(), direction);
}

void ConnectionFollower::DeliverAnswer(uint32_t direction) {
  const lunscope_stream& stream = connection_->streams[direction & 1];
  lunscope_inflight* inflight = &connection_->inflight;
  lunscope_command* command =
      lunscope_inflight_find(inflight, spill_.get(), iscsi_itt(stream.room));
  if (command == nullptr) {
    totals_.unmatched_responses[role()]++;
    return;
  }
  if (iscsi_opcode(stream.room) == ISCSI_DATA_IN) {
    if (stream.have > ISCSI_BHS_BYTES) EmitPdu(direction, command);
    if (!(iscsi_flags(stream.room) & ISCSI_DATA_IN_STATUS)) return;
  }
  EmitCommand(stream, *command);
  totals_.commands_reported[role()]++;
  totals_.commands_in_flight[role()]--;
  lunscope_inflight_end(inflight, spill_.get(), command);
}

void ConnectionFollower::EmitHeaders() {
  for (lunscope_stream& stream : connection_->streams) stream.reads_ahs = 1;
}

// The header in the room, whole: nothing was read since it was taken.
void ConnectionFollower::EmitHeader(uint32_t direction) {
  const lunscope_stream& stream = connection_->streams[direction & 1];
  lunscope_header_record record = {};
  FillHeader(&record.header, LUNSCOPE_RECORD_HEADER, sizeof(record));
  record.header.time_ns = now_ns_;
  record.direction = static_cast<uint8_t>(direction);
  record.has_wrong_digest = stream.bad_digests;
  std::memcpy(record.bhs, stream.room, ISCSI_BHS_BYTES);
  if (const uint32_t bytes = iscsi_ahs_bytes(stream.room); bytes <= LUNSCOPE_AHS_BYTES) {
    std::memcpy(record.ahs, stream.room + ISCSI_BHS_BYTES, bytes);
    record.ahs_bytes = static_cast<uint16_t>(bytes);
  }
  totals_.records++;
  handler_(record.header);
}

void ConnectionFollower::EmitConnection(uint8_t flags, uint64_t now_ns) {
  lunscope_record* header = &connection_->record.header;
  is_announced_ = true;
  header->time_ns = now_ns;
  header->flags |= flags;
  totals_.records++;
  handler_(*header);
  header->flags &= static_cast<uint8_t>(~LUNSCOPE_FLAG_OPENED);
}

void ConnectionFollower::EmitCommand(const lunscope_stream& stream,
                                     const lunscope_command& command) {
  lunscope_sensed_command_record record = {};
  lunscope_command_record* filled = &record.command;
  lunscope_command_fill(filled, &command, stream.room, now_ns_, connection_->record.gaps);
  if (iscsi_opcode(stream.room) == ISCSI_SCSI_RESPONSE && stream.have > ISCSI_BHS_BYTES + 2) {
    const uint8_t* data = lunscope_stream_chunk(&stream);
    const uint32_t sense_bytes =
        std::min({uint32_t{lunscope_be16(data)}, lunscope_stream_chunk_bytes(&stream) - 2,
                  uint32_t{LUNSCOPE_SENSE_BYTES}});
    std::memcpy(record.sense, data + 2, sense_bytes);
    filled->sense_bytes = static_cast<uint16_t>(sense_bytes);
  }
  FillHeader(&filled->header, LUNSCOPE_RECORD_COMMAND,
             filled->sense_bytes != 0 ? sizeof(record) : sizeof(*filled));
  totals_.records++;
  handler_(filled->header);
}

void ConnectionFollower::EmitPdu(uint32_t direction, const lunscope_command* command) {
  const lunscope_stream& stream = connection_->streams[direction & 1];
  lunscope_pdu_record record = {};
  FillHeader(&record.header, LUNSCOPE_RECORD_PDU, sizeof(record));
  record.header.time_ns = now_ns_;
  const uint32_t chunk_bytes =
      stream.have > ISCSI_BHS_BYTES ? lunscope_stream_chunk_bytes(&stream) : 0;
  assert(chunk_bytes <= LUNSCOPE_CHUNK_BYTES);
  std::memcpy(record.bhs, stream.room, ISCSI_BHS_BYTES);
  if (command != nullptr) {
    record.lun = command->lun;
    std::memcpy(record.cdb, command->cdb, ISCSI_CDB_BYTES);
  }
  record.chunk_offset = stream.chunk_offset;
  record.direction = static_cast<uint8_t>(direction);
  record.last = stream.have <= ISCSI_BHS_BYTES || lunscope_stream_chunk_is_last(&stream);
  const uint8_t* chunk = lunscope_stream_chunk(&stream);
  const bool is_text = lunscope_is_text(iscsi_opcode(stream.room));
  for (uint32_t i = 0; i < chunk_bytes; i++) {
    if (is_text && !lunscope_text_take(&connection_->texts[direction & 1], chunk[i])) continue;
    record.chunk[record.chunk_bytes++] = chunk[i];
  }
  totals_.records++;
  handler_(record.header);
}

void ConnectionFollower::Close(uint64_t now_ns) {
  lunscope_connection_close(connection_.get(), &totals_);
  EmitConnection(LUNSCOPE_FLAG_CLOSED, now_ns);
}

void ConnectionFollower::Walk(const Handler& handler) const {
  handler(connection_->record.header);
  if (lunscope_inflight_count(&connection_->inflight) == 0) return;
  const auto list = std::make_unique<lunscope_inflight_record>();
  for (const lunscope_command& command : connection_->inflight.commands)
    lunscope_inflight_list(list.get(), &command);
  if (spill_) {
    for (const lunscope_command& command : spill_->commands)
      lunscope_inflight_list(list.get(), &command);
  }
  FillHeader(&list->header, LUNSCOPE_RECORD_INFLIGHT, lunscope_inflight_list_bytes(list.get()));
  handler(list->header);
}

}  // namespace lunscope
