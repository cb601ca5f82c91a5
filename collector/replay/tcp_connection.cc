// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/tcp_connection.h"

#include <lunscope/bytes.h>

#include <algorithm>

namespace lunscope {
namespace {

// UNANSWERED_SYN_RETRANSMITS of bpf/connection.bpf.h. TCP waits a second before it sends a SYN
// again (RFC 6298 section 2), and its clock is coarse.
constexpr uint32_t kUnansweredSyns = 2;
constexpr uint64_t kSynIntervalNs = 500'000'000;

Sender Opposite(Sender sender) { return sender == kFromInitiator ? kFromTarget : kFromInitiator; }

// The direction of what this sender sends, as the end with this role sees it.
uint32_t DirectionAt(lunscope_role role, Sender sender) {
  const bool is_own = (role == LUNSCOPE_ROLE_INITIATOR) == (sender == kFromInitiator);
  return is_own ? LUNSCOPE_SENT : LUNSCOPE_RECEIVED;
}

}  // namespace

TcpConnection::TcpConnection(const ConnectionEnds& ends, Watch* watch)
    : ends_(ends),
      watch_(*watch),
      directions_{Direction([this](const Stretch& stretch) { Offer(kFromInitiator, stretch); }),
                  Direction([this](const Stretch& stretch) { Offer(kFromTarget, stretch); })} {}

bool TcpConnection::IsSucceededBy(const TcpSegment& segment, Sender sender) const {
  const Direction& own = directions_[sender];
  if (!segment.syn || segment.rst) return false;
  // The same SYN again is no other connection, nor is the SYN-ACK to a SYN. It comes again even
  // after the end, where a capture of the other host, whose clock is late, was merged in.
  if (own.first) return *own.first != segment.seq + 1;
  return is_closed_ || own.stream.is_started();
}

void TcpConnection::Take(const TcpSegment& segment, Sender sender) {
  if (is_closed_) return;
  FollowConnect(segment, sender);
  last_ns_ = segment.time_ns;
  Direction& own = directions_[sender];
  Direction& other = directions_[Opposite(sender)];
  if (segment.rst) {
    // One that lies behind what was seen is late, and no receiver heeds it.
    if (!own.stream.is_started() || lunscope_distance(own.stream.next(), segment.seq) >= 0) {
      reset_ = sender;
      Close(segment.time_ns);
    }
    return;
  }
  LearnBeginning(segment, sender);
  // Before the payload: it may answer bytes that the capture missed.
  if (segment.has_ack && other.stream.is_started()) other.stream.Acknowledge(segment.ack);
  if (segment.payload_bytes != 0) TakePayload(segment, sender);
  if (segment.fin) {
    if (!own.end) own.ends_first = !other.end || lunscope_distance(*other.end, segment.ack) <= 0;
    own.end = segment.payload_seq() + segment.payload_bytes;
  }
  if (IsOver()) Close(segment.time_ns);
}

// A SYN shows where its own direction begins. An acknowledgement of a SYN shows where the other
// direction begins, even if the capture missed that SYN.
void TcpConnection::LearnBeginning(const TcpSegment& segment, Sender sender) {
  Direction& own = directions_[sender];
  Direction& other = directions_[Opposite(sender)];
  if (segment.syn && !own.stream.is_started()) {
    own.first = segment.seq + 1;
    own.stream.Start(*own.first);
  }
  const bool is_handshake = own.first && *own.first == segment.payload_seq();
  if (is_handshake && segment.has_ack && !other.stream.is_started()) {
    other.first = segment.ack;
    other.stream.Start(*other.first);
  }
}

// A capture that begins behind the handshake: the initiator's first data is a Login Request. So the
// connection begins here, and the target has sent what is acknowledged.
void TcpConnection::LearnLogin(const TcpSegment& segment, Sender sender) {
  const bool is_first =
      sender == kFromInitiator && !directions_[kFromInitiator].stream.is_started();
  if (!is_first || !segment.has_ack || !BeginsWithLogin(segment)) return;
  Direction& target = directions_[kFromTarget];
  if (target.stream.is_started() && target.stream.next() != segment.ack) return;
  directions_[kFromInitiator].first = segment.payload_seq();
  target.first = segment.ack;
  if (!target.stream.is_started()) target.stream.Start(segment.ack);
}

void TcpConnection::TakePayload(const TcpSegment& segment, Sender sender) {
  Reassembly& stream = directions_[sender].stream;
  LearnLogin(segment, sender);
  if (!stream.is_started()) stream.Start(segment.payload_seq());
  FollowEnds(segment.time_ns);
  stream.Take({segment.payload_seq(), segment.payload_bytes, segment.payload, segment.time_ns});
}

// Only FINs that were seen count here: a later segment may show another end.
bool TcpConnection::IsOver() const {
  return directions_[kFromInitiator].end && directions_[kFromTarget].end &&
         HasEnded(kFromInitiator) && HasEnded(kFromTarget);
}

void TcpConnection::FollowEnds(uint64_t now_ns) {
  if (!followed_.empty()) return;
  if (watch_.initiators) Follow(LUNSCOPE_ROLE_INITIATOR, now_ns);
  if (watch_.targets) Follow(LUNSCOPE_ROLE_TARGET, now_ns);
}

std::unique_ptr<ConnectionFollower> TcpConnection::NewFollower(lunscope_role role) {
  auto follower = std::make_unique<ConnectionFollower>(role, &watch_.totals, watch_.handler);
  const bool is_initiator = role == LUNSCOPE_ROLE_INITIATOR;
  follower->Identify(++watch_.ends_met, is_initiator ? ends_.initiator : ends_.target,
                     is_initiator ? ends_.target : ends_.initiator);
  return follower;
}

// A connect that is refused, or not answered, as on_failed_connect() and on_retransmit() of
// bpf/connection.bpf.h see it. Only the initiator's host has a socket then.
void TcpConnection::FollowConnect(const TcpSegment& segment, Sender sender) {
  if (!watch_.initiators || directions_[kFromTarget].stream.is_started()) return;
  if (sender == kFromTarget) {
    if (segment.rst && syns_ != 0) FailToConnect(segment.time_ns, LUNSCOPE_END_REFUSED);
    return;
  }
  // A capture of two places has each SYN twice.
  if (!segment.syn || (syns_ != 0 && segment.time_ns < syn_ns_ + kSynIntervalNs)) return;
  syn_ns_ = segment.time_ns;
  if (syns_++ == kUnansweredSyns) FailToConnect(segment.time_ns, LUNSCOPE_END_UNANSWERED);
}

void TcpConnection::FailToConnect(uint64_t now_ns, lunscope_end end) {
  NewFollower(LUNSCOPE_ROLE_INITIATOR)->FailToConnect(now_ns, end);
}

void TcpConnection::Follow(lunscope_role role, uint64_t now_ns) {
  auto follower = NewFollower(role);
  const bool is_initiator = role == LUNSCOPE_ROLE_INITIATOR;
  if (watch_.headers) follower->EmitHeaders();
  follower->KeepTrials(&watch_.kept);
  const Direction& sent = directions_[is_initiator ? kFromInitiator : kFromTarget];
  const Direction& received = directions_[is_initiator ? kFromTarget : kFromInitiator];
  if (sent.first && received.first) follower->Open(*received.first, *sent.first, now_ns);
  followed_.push_back({role, std::move(follower)});
}

void TcpConnection::Offer(Sender sender, const Stretch& stretch) {
  for (const End& end : followed_) end.follower->Offer(DirectionAt(end.role, sender), stretch);
}

bool TcpConnection::HasEnded(Sender sender) const {
  const Direction& direction = directions_[sender];
  if (direction.end)
    return !direction.stream.is_started() || direction.stream.IsPast(*direction.end);
  return direction.stream.is_started() && direction.stream.HasUnseenEnd();
}

void TcpConnection::Close(uint64_t now_ns) {
  if (is_closed_) return;
  FollowWhatWaits();
  for (const End& end : followed_) end.follower->Close(now_ns, EndAt(end.role));
  followed_.clear();
  is_closed_ = true;
}

// FINs may cross: then each end was first, as it saw it.
lunscope_end TcpConnection::EndAt(lunscope_role role) const {
  const Sender here = role == LUNSCOPE_ROLE_INITIATOR ? kFromInitiator : kFromTarget;
  const Direction& own = directions_[here];
  if (own.end && own.ends_first) return LUNSCOPE_END_CLOSED_HERE;
  if (directions_[Opposite(here)].end) return LUNSCOPE_END_CLOSED_BY_PEER;
  if (!reset_) return LUNSCOPE_END_UNKNOWN;
  return *reset_ == here ? LUNSCOPE_END_RESET_HERE : LUNSCOPE_END_RESET_BY_PEER;
}

bool TcpConnection::IsProven() const {
  return std::ranges::any_of(followed_, [](const End& end) {
    const auto& traffic = end.follower->connection().record.traffic;
    return traffic[LUNSCOPE_RECEIVED].bytes != 0 && traffic[LUNSCOPE_SENT].bytes != 0;
  });
}

void TcpConnection::GiveUp() {
  if (is_closed_) return;
  FollowWhatWaits();
  if (HasEnded(kFromTarget)) Close(last_ns_);
}

void TcpConnection::FollowWhatWaits() {
  for (Direction& direction : directions_) direction.stream.GiveUp();
  for (const End& end : followed_) end.follower->Infer();
}

void TcpConnection::Walk(const ConnectionFollower::Handler& handler) const {
  for (const End& end : followed_) end.follower->Walk(handler);
}

}  // namespace lunscope
