// SPDX-License-Identifier: Apache-2.0
//
// One end of one connection, followed natively: what bpf/follow.bpf.h and bpf/emit.bpf.h do around
// the engine in the kernel, with memcpy for a read and a callback for the ring. The replay of a
// capture and the engine's own tests use this class. One thread.
#pragma once

#include <lunscope/connection.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "collector/replay/kept_bytes.h"
#include "collector/replay/packet.h"
#include "collector/replay/stretch.h"

namespace lunscope {

// MAX_READS_PER_SEGMENT of bpf/follow.bpf.h.
inline constexpr uint32_t kMaxReadsPerSegment = 8192;

class ConnectionFollower {
 public:
  // Called with each record as the kernel would emit it: whole, and gone when the call returns.
  using Handler = std::function<void(const lunscope_record&)>;

  // role: of the end that is followed; LUNSCOPE_ROLE_UNKNOWN: taken from the first header. totals:
  // outlive the follower, which counts there; several followers may share them.
  ConnectionFollower(lunscope_role role, lunscope_totals* totals, Handler handler);
  ConnectionFollower(const ConnectionFollower&) = delete;
  ConnectionFollower& operator=(const ConnectionFollower&) = delete;
  ~ConnectionFollower() = default;

  // The connection's number and ends, for its records. REQUIRES: nothing was offered yet.
  void Identify(uint64_t number, const TcpEnd& local, const TcpEnd& remote);

  // The connection begins here. Without this call it was open before.
  void Open(uint32_t received_seq, uint32_t sent_seq, uint64_t now_ns);

  // The connection never came about. REQUIRES: nothing was opened or offered.
  void FailToConnect(uint64_t now_ns, lunscope_end end);

  // From now on, emit a record of each PDU's header, too.
  void EmitHeaders();

  // From now on, keep the bytes of a trial, and follow them again once the trial is believed.
  // Without this call only those are followed again that came with the bytes that ended the trial,
  // as in the kernel. budget: outlives this.
  void KeepTrials(KeptBudget* budget) { kept_ = std::make_unique<KeptBytes>(budget); }

  // No more bytes come: believe the trials that nothing speaks against.
  void Infer();

  // The next bytes of a direction. Bytes that are missing before them are given up.
  lunscope_offer Offer(uint32_t direction, const Stretch& stretch) {
    return Offer(direction, stretch, stretch.seq);
  }
  // Missing bytes are given up only if they lie before gone_to; if not, the stretch is left alone.
  // Returns OFFER_NEW if the stretch was followed.
  lunscope_offer Offer(uint32_t direction, const Stretch& stretch, uint32_t gone_to);

  // The connection ends: commands in flight were never answered.
  void Close(uint64_t now_ns, lunscope_end end = LUNSCOPE_END_UNKNOWN);

  // Hand out the connection as it is now, as a walk over the live connections does.
  void Walk(const Handler& handler) const;

  [[nodiscard]] lunscope_connection& connection() { return *connection_; }
  [[nodiscard]] lunscope_spill* spill() { return spill_.get(); }
  // How often bytes were read; payload is not.
  [[nodiscard]] uint64_t reads() const { return reads_; }
  void set_max_reads(uint32_t max_reads) { max_reads_ = max_reads; }

 private:
  lunscope_offer OfferBytes(uint32_t direction, const Stretch& stretch, uint32_t gone_to);
  lunscope_offer OfferToTrial(uint32_t direction, const Stretch& stretch, uint32_t gone_to);
  lunscope_offer OfferBehindKept(uint32_t direction, const Stretch& stretch, uint32_t gone_to);
  [[nodiscard]] bool IsOnTrial(uint32_t direction) const;
  [[nodiscard]] bool MayWait(uint32_t direction, const Stretch& stretch) const;
  void FollowWaiting(uint32_t direction);
  void OfferAgain(uint32_t direction, const Stretch& stretch);
  [[nodiscard]] bool SpeaksAgainst() const;
  void KeepRest(uint32_t direction, const Stretch& stretch);
  [[nodiscard]] bool CanReadBack(uint32_t direction) const;
  void ReadBack();
  void Follow(uint32_t direction, const Stretch& stretch);
  void FollowCut(uint32_t direction, const Stretch& stretch, uint32_t have);
  void Judge(uint32_t direction, uint32_t bytes, const Stretch& stretch);
  void PassData(uint32_t direction, const Stretch& stretch);
  void SetBegin(lunscope_stream* stream, uint32_t bytes) const;
  void Chunk(uint32_t direction, uint32_t end);
  void EmitDue(uint32_t direction);
  // Hand out a record of each command that ends without a status now, and end it.
  void Sweep();
  void Delivered(uint32_t direction, lunscope_due due, const lunscope_record& record);
  void EmitConnection(uint8_t flags, uint64_t now_ns);

  // Zeroed at first, as in the kernel's socket storage.
  const std::unique_ptr<lunscope_connection> connection_ = std::make_unique<lunscope_connection>();
  std::unique_ptr<lunscope_spill> spill_;  // made for the first command that needs it
  std::unique_ptr<KeptBytes> kept_;        // none: nothing is kept
  lunscope_totals& totals_;
  const Handler handler_;
  bool is_announced_ = false;
  uint64_t now_ns_ = 0;
  uint64_t reads_ = 0;
  uint32_t max_reads_ = kMaxReadsPerSegment;
};

}  // namespace lunscope
