// SPDX-License-Identifier: Apache-2.0
//
// One end of one connection, followed natively: what bpf/follow.bpf.h and bpf/emit.bpf.h do around
// the engine in the kernel, with memcpy for a read and a callback for the ring. Replaying a capture
// and the engine's own tests use this one class. One thread.
#pragma once

#include <lunscope/connection.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "collector/replay/packet.h"
#include "collector/replay/stretch.h"

namespace lunscope {

// MAX_READS_PER_SEGMENT of bpf/follow.bpf.h.
inline constexpr uint32_t kMaxReadsPerSegment = 8192;

class ConnectionFollower {
 public:
  // Called with each record as the kernel would emit it: whole, and gone when the call returns.
  using Handler = std::function<void(const lunscope_record&)>;

  // role: of the end that is followed; LUNSCOPE_ROLE_UNKNOWN: the first header tells. totals: where
  // it counts, for as long as it lives; several followers may share them.
  ConnectionFollower(lunscope_role role, lunscope_totals* totals, Handler handler);
  ConnectionFollower(const ConnectionFollower&) = delete;
  ConnectionFollower& operator=(const ConnectionFollower&) = delete;
  ~ConnectionFollower() = default;

  // The connection's number and ends, for its records.
  void Identify(uint64_t number, const TcpEnd& local, const TcpEnd& remote);

  // The connection begins here. Without this it is met in the middle.
  void Open(uint32_t received_seq, uint32_t sent_seq, uint64_t now_ns);

  // From now on a record of each PDU's header, too.
  void EmitHeaders();

  // The next bytes of a direction. What is missing before them is given up.
  lunscope_offer Offer(uint32_t direction, const Stretch& stretch) {
    return Offer(direction, stretch, stretch.seq);
  }
  // What is missing is given up only if it lies before read_to, and the bytes are left alone if
  // not.
  lunscope_offer Offer(uint32_t direction, const Stretch& stretch, uint32_t read_to);

  // The connection ends: what is in flight was never answered.
  void Close(uint64_t now_ns);

  // Hand out the connection as it stands, as a walk over the live ones does.
  void Walk(const Handler& handler) const;

  [[nodiscard]] lunscope_connection& connection() { return *connection_; }
  [[nodiscard]] lunscope_spill* spill() { return spill_.get(); }
  // How often bytes were looked at: payload is not.
  [[nodiscard]] uint64_t reads() const { return reads_; }
  void set_max_reads(uint32_t max_reads) { max_reads_ = max_reads; }

 private:
  void Follow(uint32_t direction, const Stretch& stretch);
  void FollowCut(uint32_t direction, const Stretch& stretch, uint32_t have);
  void Judge(uint32_t direction, lunscope_take take, const Stretch& stretch);
  void Deliver(uint32_t direction, bool is_cut);
  void DeliverAnswer(uint32_t direction);
  void EmitHeader(uint32_t direction);
  void EmitConnection(uint8_t flags, uint64_t now_ns);
  void EmitCommand(const lunscope_stream& stream, const lunscope_command& command);
  void EmitPdu(uint32_t direction, const lunscope_command* command);
  void FillHeader(lunscope_record* header, lunscope_record_kind kind, size_t bytes) const;
  [[nodiscard]] uint32_t role() const {
    return connection_->record.header.role & LUNSCOPE_ROLE_MASK;
  }

  // Zeroed at first, as in the kernel's socket storage.
  const std::unique_ptr<lunscope_connection> connection_ = std::make_unique<lunscope_connection>();
  std::unique_ptr<lunscope_spill> spill_;  // from the first command on that needs it
  lunscope_totals& totals_;
  const Handler handler_;
  bool is_announced_ = false;
  uint64_t now_ns_ = 0;
  uint64_t reads_ = 0;
  uint32_t max_reads_ = kMaxReadsPerSegment;
};

}  // namespace lunscope
