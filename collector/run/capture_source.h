// SPDX-License-Identifier: Apache-2.0
//
// A capture file as a source. Each drain reads some packets and hands on the records that come of
// them, so lines go out and a long file is seen to move.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector/base/moment.h"
#include "collector/replay/capture_files.h"
#include "collector/replay/connection_table.h"
#include "collector/run/settings.h"
#include "collector/run/source.h"

namespace lunscope {

struct CaptureOptions {
  std::vector<std::string> files;  // in the order of time; "-": standard input
  PortOptions ports;
  RoleOptions role{true, false};
  bool emit_headers = false;        // a record for each PDU
  std::optional<Moment> from = {};  // for from_ns()
  std::optional<Moment> to = {};    // read no packet behind it
};

class CaptureSource : public Source {
 public:
  static Result<std::unique_ptr<CaptureSource>> Open(const CaptureOptions& options);

  void Drain(const Handler& handler) override;
  Status Walk(const Handler& on_record, const CommandHandler& on_command) override;
  void Describe(Observation& observation) const override;
  [[nodiscard]] CommandCounts Commands() const override { return CountCommands(watch_.totals); }
  [[nodiscard]] bool is_done() const override { return is_done_; }

  // Hand on nothing that is later than this, for now. NowNs() is this time once all of that is
  // handed on.
  void ReadUntil(uint64_t until_ns) { until_ns_ = until_ns; }
  // The time of the packet that waits for that; none: more can be read, or the capture is over.
  [[nodiscard]] std::optional<uint64_t> waiting_ns() const;
  // Read no further.
  void Stop() { is_done_ = true; }

  // The time of the last packet.
  [[nodiscard]] uint64_t NowNs() const override {
    return waiting_ns() ? until_ns_ : files_->last_time_ns();
  }
  // The time from which on the capture is to be shown; 0 before the first packet, and without one.
  [[nodiscard]] uint64_t from_ns() const { return from_ns_; }
  // "77 packets read, 3 not IP": with whatever was not followed.
  [[nodiscard]] std::string CountsText() const;
  // A sentence that says what to try, if the file has more to show than was asked for; else "".
  [[nodiscard]] std::string Hint() const;
  // REQUIRES: is_done(). The error of a file that ends in the middle of a packet.
  [[nodiscard]] Status Ended() const;

 private:
  CaptureSource(const CaptureOptions& options, std::unique_ptr<CaptureFiles> files);
  // False: the capture has no more, or no more that is wanted.
  bool Next(TcpSegment* segment);
  // The hint about --from and --to.
  [[nodiscard]] std::string HintAtTimes() const;

  const std::unique_ptr<CaptureFiles> files_;
  const std::optional<Moment> from_;
  const std::optional<Moment> to_;
  uint64_t from_ns_ = 0;  // this and the next: known after the first packet
  uint64_t to_ns_ = std::numeric_limits<uint64_t>::max();
  std::optional<uint64_t> first_ns_;  // the time of the first packet
  uint64_t until_ns_ = std::numeric_limits<uint64_t>::max();
  std::optional<TcpSegment> waiting_;  // read, and not handed on yet
  const Handler* handler_ = nullptr;   // while Drain() runs
  const PortOptions ports_;
  Watch watch_;
  ConnectionTable connections_;
  bool is_done_ = false;
  bool is_walking_ = false;  // packets would change the connections that a walk stands at
};

}  // namespace lunscope
