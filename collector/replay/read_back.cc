// SPDX-License-Identifier: Apache-2.0
//
// The part of a follower that reads a capture back: bytes of a trial are kept, and followed again
// once the trial is believed. Meanwhile the other direction waits, for it may answer commands that
// are on trial.
#include <algorithm>

#include "collector/replay/follower.h"

namespace lunscope {
namespace {

// A trial takes three headers. If it takes longer, the other direction goes on without it: its
// numbers may be what the trial lacks.
constexpr size_t kMaxWaiting = 256;

}  // namespace

// Is this direction on trial, and are its bytes kept?
bool ConnectionFollower::IsOnTrial(uint32_t direction) const {
  return connection_->streams[direction & 1].sync == LUNSCOPE_SYNC_CANDIDATE &&
         kept_->CountOf(direction) != 0;
}

// May these bytes wait for a trial of the other direction?
bool ConnectionFollower::MayWait(uint32_t direction, const Stretch& stretch) const {
  return connection_->streams[direction & 1].sync == LUNSCOPE_SYNC_FOLLOWED &&
         IsOnTrial(1 - direction) && kept_->CountOf(direction) < kMaxWaiting &&
         kept_->HasRoomFor(stretch);
}

// Follow the bytes that wait. Only a direction that is followed has such.
void ConnectionFollower::FollowWaiting(uint32_t direction) {
  if (!kept_ || connection_->streams[direction & 1].sync != LUNSCOPE_SYNC_FOLLOWED) return;
  for (const KeptBytes::Kept& kept : kept_->Take(direction))
    OfferBehindKept(direction, kept.stretch(), kept.seq);
}

lunscope_offer ConnectionFollower::OfferToTrial(uint32_t direction, const Stretch& stretch,
                                                uint32_t gone_to) {
  if (gone_to == stretch.seq && MayWait(direction, stretch)) {
    kept_->Add(direction, stretch);
    return LUNSCOPE_OFFER_NEW;
  }
  FollowWaiting(direction);
  const lunscope_offer offer = OfferBehindKept(direction, stretch, gone_to);
  if (!IsOnTrial(direction)) FollowWaiting(1 - direction);
  return offer;
}

// The stretch may go on where kept bytes end. A header that began in a stretch before is scanned in
// one piece with this one.
lunscope_offer ConnectionFollower::OfferBehindKept(uint32_t direction, const Stretch& stretch,
                                                   uint32_t gone_to) {
  lunscope_stream& stream = connection_->streams[direction & 1];
  if (kept_->To(direction) != stretch.seq) kept_->Forget(direction);
  std::vector<uint8_t> joined;
  Stretch all = stretch;
  const auto kept_from = kept_->From(direction);
  if (stream.sync == LUNSCOPE_SYNC_LOST && kept_from) {
    const uint32_t from = *kept_from;
    joined = kept_->Joined(direction);
    joined.insert(joined.end(), stretch.captured.begin(), stretch.captured.end());
    all = {from, stretch.bytes + (stretch.seq - from), joined, stretch.time_ns};
    totals_.unparsed_bytes[stream.lost_reason & LUNSCOPE_REASON_MASK] -= stretch.seq - from;
    lunscope_stream_scan_from(&stream, from);
    kept_->Forget(direction);
  }
  const lunscope_offer offer = OfferBytes(direction, all, gone_to);
  if (stream.sync == LUNSCOPE_SYNC_CANDIDATE && lunscope_distance(stream.next, all.seq) > 0)
    OfferAgain(direction, all);
  KeepRest(direction, all);
  return offer;
}

// The trial has given back bytes of an earlier stretch.
void ConnectionFollower::OfferAgain(uint32_t direction, const Stretch& stretch) {
  const std::vector<uint8_t> joined = kept_->Joined(direction);
  const auto from = kept_->From(direction);
  if (!from || lunscope_distance(*from, connection_->streams[direction & 1].next) < 0) return;
  const uint32_t bytes = stretch.seq - *from;
  if (joined.size() == bytes) OfferBytes(direction, {*from, bytes, joined, stretch.time_ns}, *from);
  OfferBytes(direction, stretch, stretch.seq);
}

// Keep the part of this stretch that may have to be read again.
void ConnectionFollower::KeepRest(uint32_t direction, const Stretch& stretch) {
  const lunscope_stream& stream = connection_->streams[direction & 1];
  const bool is_whole = stretch.captured.size() >= stretch.bytes;
  switch (stream.sync) {
    case LUNSCOPE_SYNC_CANDIDATE:
      kept_->Keep(direction, stretch);
      return kept_->ForgetBefore(direction, stream.trial);
    case LUNSCOPE_SYNC_LOST: {
      kept_->Forget(direction);
      constexpr uint32_t kPart = ISCSI_BHS_BYTES - 1;  // of a header that this stretch may end with
      const uint32_t tail = std::min(stretch.bytes, kPart);
      if (!is_whole || stream.next != stretch.end()) return;
      return kept_->Keep(
          direction, {stretch.end() - tail, tail, stretch.captured.last(tail), stretch.time_ns});
    }
    default: break;
  }
  if (!CanReadBack(direction)) return kept_->Forget(direction);
  ReadBack();
  OfferBytes(direction, stretch, stretch.seq);
}

// Has a trial ended, so that the next wanted byte is a kept one?
bool ConnectionFollower::CanReadBack(uint32_t direction) const {
  const auto to = kept_->To(direction);
  return to && lunscope_distance(connection_->streams[direction & 1].next, *to) > 0;
}

// A trial was believed because two headers agree, one of each direction: a trial of the other
// direction is as good. Follow the kept bytes of both in the order in which they came.
void ConnectionFollower::ReadBack() {
  for (uint32_t direction = 0; direction < LUNSCOPE_DIRECTIONS; direction++) {
    lunscope_stream& stream = connection_->streams[direction];
    if (stream.sync != LUNSCOPE_SYNC_CANDIDATE || stream.headers == 0) continue;
    if (const auto from = kept_->From(direction); from) stream.from = *from;
    if (lunscope_distance(stream.from, stream.trial) >= 0)
      lunscope_connection_end_trial(connection_.get(), direction, &totals_);
  }
  for (const KeptBytes::Kept& kept : kept_->Take())
    OfferToTrial(kept.direction, kept.stretch(), kept.seq);
}

void ConnectionFollower::Infer() {
  if (!kept_) return;
  uint32_t headers = 0;
  bool has_trial = false;
  for (lunscope_stream& stream : connection_->streams) {
    if (stream.sync != LUNSCOPE_SYNC_CANDIDATE) continue;
    // Nothing stands behind the first header, so it has no digest.
    if (stream.headers == 0 && stream.have == ISCSI_BHS_BYTES) {
      lunscope_stream_use_no_header_digest(&stream);
      stream.headers = 1;
    }
    headers += stream.headers;
    has_trial = true;
  }
  if (!has_trial || headers < 2 || SpeaksAgainst()) {
    FollowWaiting(LUNSCOPE_RECEIVED);
    FollowWaiting(LUNSCOPE_SENT);
    return;
  }
  EmitConnection(LUNSCOPE_FLAG_INFERRED, now_ns_);
  ReadBack();
}

// Do the last headers of the two directions not belong to one connection at one time?
bool ConnectionFollower::SpeaksAgainst() const {
  for (const lunscope_stream& stream : connection_->streams) {
    const bool has_header = stream.have == 0 || stream.have == ISCSI_BHS_BYTES;
    if (stream.sync < LUNSCOPE_SYNC_CANDIDATE || !has_header) return false;
  }
  const bool is_target = connection_->record.header.role == LUNSCOPE_ROLE_TARGET;
  const uint8_t* initiator =
      connection_->streams[is_target ? LUNSCOPE_RECEIVED : LUNSCOPE_SENT].room;
  const uint8_t* target = connection_->streams[is_target ? LUNSCOPE_SENT : LUNSCOPE_RECEIVED].room;
  return lunscope_sync_has_cmdsn(initiator) && lunscope_sync_has_statsn(target) &&
         !lunscope_sync_agree(initiator, target);
}

}  // namespace lunscope
