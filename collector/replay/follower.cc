// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/follower.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>
#include <utility>

namespace lunscope {
namespace {

// A name that the snap length cut must not look like a whole one. It ends as a name that is too
// long does (base/printable.h).
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
  lunscope_fill_header(&record.header, connection_.get(), LUNSCOPE_RECORD_CONNECTION,
                       sizeof(record), 0);
  record.local_port = local.port;
  record.remote_port = remote.port;
  record.is_ipv6 = local.is_ipv6 ? 1 : 0;
  std::ranges::copy(local.address, record.local_address);
  std::ranges::copy(remote.address, record.remote_address);
}

void ConnectionFollower::Open(uint32_t received_seq, uint32_t sent_seq, uint64_t now_ns) {
  lunscope_connection_open(connection_.get(), received_seq, sent_seq);
  EmitConnection(LUNSCOPE_FLAG_OPENED, now_ns);
}

void ConnectionFollower::FailToConnect(uint64_t now_ns, lunscope_end end) {
  connection_->record.end = static_cast<uint8_t>(end);
  EmitConnection(LUNSCOPE_FLAG_OPENED | LUNSCOPE_FLAG_CLOSED | LUNSCOPE_FLAG_CONNECTING, now_ns);
}

lunscope_offer ConnectionFollower::Offer(uint32_t direction, const Stretch& stretch,
                                         uint32_t gone_to) {
  return kept_ ? OfferToTrial(direction, stretch, gone_to)
               : OfferBytes(direction, stretch, gone_to);
}

lunscope_offer ConnectionFollower::OfferBytes(uint32_t direction, const Stretch& stretch,
                                              uint32_t gone_to) {
  now_ns_ = stretch.time_ns;
  const lunscope_offer offer = lunscope_connection_offer(connection_.get(), direction, stretch.seq,
                                                         stretch.end(), gone_to, &totals_);
  if (const auto from = kept_ ? kept_->From(direction) : std::nullopt)
    connection_->streams[direction & 1].from = *from;
  if (offer == LUNSCOPE_OFFER_NEW) {
    Follow(direction, stretch);
    if (lunscope_troubles(connection_.get()) != connection_->told) EmitConnection(0, now_ns_);
  }
  if (offer == LUNSCOPE_OFFER_OLD) PassData(direction, stretch);
  return offer;
}

// pass_data() of bpf/follow.bpf.h. When a reader took the data is not known.
void ConnectionFollower::PassData(uint32_t direction, const Stretch& stretch) {
  if (lunscope_stream_has_passed(&connection_->streams[direction & 1], stretch.end()))
    lunscope_connection_data_passed(connection_.get(), spill_.get(), direction, now_ns_, 0);
}

void ConnectionFollower::Follow(uint32_t direction, const Stretch& stretch) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  if (!is_announced_) EmitConnection(LUNSCOPE_FLAG_OPENED | LUNSCOPE_FLAG_MIDSTREAM, now_ns_);
  for (uint32_t i = 0; i < max_reads_; i++) {
    PassData(direction, stretch);
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
      Judge(direction, wanted, stretch);
    }
  }
}

// The snap length cut off wanted bytes; only the first `have` of them are there. A PDU is delivered
// without the end of its data. Without the end of a header the boundaries are lost.
void ConnectionFollower::FollowCut(uint32_t direction, const Stretch& stretch, uint32_t have) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  if (stream->sync == LUNSCOPE_SYNC_LOST) {
    if (have != 0) Judge(direction, have, stretch);
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
  Chunk(direction, stretch.end());
  // With C the text goes on in the next PDU, but not from here: the filter has lost its place.
  const bool goes_on = (iscsi_flags(stream->room) & ISCSI_FLAG_CONTINUE) != 0;
  if (lunscope_is_text(iscsi_opcode(stream->room)) && goes_on)
    connection_->texts[direction & 1].known = 0;
}

// When the header in the room began, now that these bytes of it were read: set_begin() of
// bpf/follow.bpf.h.
void ConnectionFollower::SetBegin(lunscope_stream* stream, uint32_t bytes) const {
  if (stream->capture_bytes == 0 && stream->have == bytes) stream->times.began_ns = now_ns_;
}

void ConnectionFollower::Judge(uint32_t direction, uint32_t bytes, const Stretch& stretch) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  lunscope_take take = lunscope_stream_take(stream, bytes);
  if (take == LUNSCOPE_TAKE_UNSURE)
    take = lunscope_connection_settle(connection_.get(), direction, stretch.end(), &totals_);
  if (take == LUNSCOPE_TAKE_CHUNK) return Chunk(direction, stretch.end());
  SetBegin(stream, bytes);
  if (take == LUNSCOPE_TAKE_SHORT) return;
  stream->times.passed_ns = now_ns_;
  const uint64_t began_ns = stream->times.began_ns;
  const lunscope_header header =
      lunscope_connection_header(connection_.get(), spill_.get(), direction, began_ns, &totals_);
  if (header == LUNSCOPE_HEADER_ACT) lunscope_connection_act(connection_.get(), direction);
  lunscope_connection_reach_end(stream, stretch.end());
  EmitDue(direction);
  if (stream->awaits_end) lunscope_stream_go_on(stream);
  switch (header) {
    case LUNSCOPE_HEADER_TRIAL:
      lunscope_connection_note_trial(connection_.get(), spill_.get(), direction);
      break;
    case LUNSCOPE_HEADER_FOLLOWED:
    case LUNSCOPE_HEADER_ACT: break;
    case LUNSCOPE_HEADER_CROWDED:
      if (!spill_) spill_ = std::make_unique<lunscope_spill>();
      [[fallthrough]];
    case LUNSCOPE_HEADER_REUSED:
      lunscope_connection_begin(connection_.get(), spill_.get(), direction, began_ns, &totals_);
      break;
    case LUNSCOPE_HEADER_LOST:
      lunscope_connection_lose_header(connection_.get(), direction, stretch.seq, &totals_);
      break;
  }
}

void ConnectionFollower::Chunk(uint32_t direction, uint32_t end) {
  lunscope_stream* stream = &connection_->streams[direction & 1];
  if (lunscope_is_text(iscsi_opcode(stream->room))) {
    lunscope_connection_act(connection_.get(), direction);
  } else {
    lunscope_connection_chunk(connection_.get(), spill_.get(), direction);
  }
  lunscope_connection_reach_end(stream, end);
  EmitDue(direction);
  lunscope_stream_go_on(stream);
}

// A record is handed to the handler in the place of the ring, and is always delivered.
void ConnectionFollower::EmitDue(uint32_t direction) {
  const uint8_t due = connection_->streams[direction & 1].due;
  if (due & LUNSCOPE_DUE_SWEEP) Sweep();
  const lunscope_command* command =
      lunscope_due_command(connection_.get(), spill_.get(), direction);
  if (due & LUNSCOPE_DUE_HEADER) {
    lunscope_header_record record;
    lunscope_fill_pdu_header(&record, connection_.get(), direction, now_ns_);
    Delivered(direction, LUNSCOPE_DUE_HEADER, record.header);
  }
  if (due & LUNSCOPE_DUE_PDU) {
    lunscope_pdu_record record;
    lunscope_fill_pdu(&record, connection_.get(), direction, command, now_ns_);
    Delivered(direction, LUNSCOPE_DUE_PDU, record.header);
  }
  if (due & LUNSCOPE_DUE_SENSE) {
    lunscope_sensed_command_record record;
    lunscope_fill_sensed_command(&record, connection_.get(), direction, command, now_ns_);
    Delivered(direction, LUNSCOPE_DUE_COMMAND, record.command.header);
  } else if (due & LUNSCOPE_DUE_COMMAND) {
    lunscope_command_record record;
    lunscope_fill_command(&record, connection_.get(), direction, command, now_ns_);
    Delivered(direction, LUNSCOPE_DUE_COMMAND, record.header);
  }
  const bool is_settled = (connection_->streams[direction & 1].due & LUNSCOPE_DUE_SWEEP) != 0;
  if ((due & LUNSCOPE_DUE_COMMAND) && is_settled) Sweep();
}

void ConnectionFollower::Sweep() {
  const uint32_t places = lunscope_inflight_places(spill_.get());
  for (uint32_t place = 0; place < places; place++) {
    lunscope_command* command = lunscope_swept_command(connection_.get(), spill_.get(), place);
    if (command == nullptr) continue;
    lunscope_command_record record;
    lunscope_fill_swept_command(&record, connection_.get(), command, now_ns_);
    handler_(record.header);
    lunscope_connection_swept(connection_.get(), spill_.get(), command, LUNSCOPE_DELIVERED,
                              &totals_);
  }
}

void ConnectionFollower::Delivered(uint32_t direction, lunscope_due due,
                                   const lunscope_record& record) {
  handler_(record);
  lunscope_connection_delivered(connection_.get(), spill_.get(), direction, due, LUNSCOPE_DELIVERED,
                                &totals_);
}

void ConnectionFollower::EmitHeaders() {
  for (lunscope_stream& stream : connection_->streams) stream.shows_headers = 1;
}

void ConnectionFollower::EmitConnection(uint8_t flags, uint64_t now_ns) {
  is_announced_ = true;
  lunscope_fill_connection(connection_.get(), flags, now_ns);
  handler_(connection_->record.header);
  lunscope_connection_announced(connection_.get(), LUNSCOPE_DELIVERED, &totals_);
}

void ConnectionFollower::Close(uint64_t now_ns, lunscope_end end) {
  for (uint32_t direction = 0; direction < LUNSCOPE_DIRECTIONS; direction++)
    FollowWaiting(direction);
  now_ns_ = now_ns;
  lunscope_connection_close(connection_.get(), &totals_);
  Sweep();
  connection_->record.end = static_cast<uint8_t>(end);
  EmitConnection(LUNSCOPE_FLAG_CLOSED, now_ns);
}

void ConnectionFollower::Walk(const Handler& handler) const {
  lunscope_fill_window(connection_.get(), now_ns_);
  lunscope_fill_statuses(connection_.get());
  handler(connection_->record.header);
  if (lunscope_inflight_count(&connection_->inflight) == 0) return;
  const auto list = std::make_unique<lunscope_inflight_record>();
  for (const lunscope_command& command : connection_->inflight.commands)
    lunscope_inflight_list(list.get(), &command);
  if (spill_) {
    for (const lunscope_command& command : spill_->commands)
      lunscope_inflight_list(list.get(), &command);
  }
  lunscope_fill_inflight(list.get(), connection_.get());
  handler(list->header);
  const auto show = [&](const lunscope_command& command) {
    lunscope_command_record record;
    if (lunscope_fill_open_command(&record, connection_.get(), &command, now_ns_))
      handler(record.header);
  };
  std::ranges::for_each(connection_->inflight.commands, show);
  if (spill_) std::ranges::for_each(spill_->commands, show);
}

}  // namespace lunscope
