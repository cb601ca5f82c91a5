// SPDX-License-Identifier: Apache-2.0
#include "collector/run/capture_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "collector/base/clock.h"
#include "collector/base/quantity.h"

namespace lunscope {
namespace {

constexpr uint64_t kPacketsPerDrain = 4096;

}  // namespace

Result<std::unique_ptr<CaptureSource>> CaptureSource::Open(const CaptureOptions& options) {
  Result<std::unique_ptr<CaptureFiles>> files = CaptureFiles::Open(options.files);
  if (!files.ok()) return files.error();
  return std::unique_ptr<CaptureSource>(new CaptureSource(options, std::move(files.value())));
}

CaptureSource::CaptureSource(const CaptureOptions& options, std::unique_ptr<CaptureFiles> files)
    : files_(std::move(files)),
      from_(options.from),
      to_(options.to),
      ports_(options.ports),
      watch_{options.role.initiators, options.role.targets, options.emit_headers,
             [this](const lunscope_record& record) { (*handler_)(record); }},
      connections_(options.ports.ports, &watch_) {}

bool CaptureSource::Next(TcpSegment* segment) {
  if (!files_->Next(segment)) return false;
  if (!first_ns_) {
    first_ns_ = segment->time_ns;
    const auto time_ns = [&](const Moment& moment) {
      const auto start_ns = static_cast<int64_t>(segment->time_ns);
      return static_cast<uint64_t>(std::max<int64_t>(0, moment.Resolve(start_ns)));
    };
    if (from_) from_ns_ = time_ns(*from_);
    if (to_) to_ns_ = time_ns(*to_);
  }
  return segment->time_ns <= to_ns_;
}

void CaptureSource::Drain(const Handler& handler) {
  if (is_walking_) return;  // the packets wait in their file
  handler_ = &handler;
  TcpSegment segment;
  for (uint64_t packets = 0; packets < kPacketsPerDrain && !is_done_; packets++) {
    if (waiting_) {
      segment = *waiting_;
    } else if (!Next(&segment)) {
      is_done_ = true;
      connections_.GiveUp();
      break;
    }
    waiting_ = segment;
    if (waiting_ns()) break;
    connections_.Take(segment);
    waiting_.reset();
  }
  handler_ = nullptr;
}

std::optional<uint64_t> CaptureSource::waiting_ns() const {
  if (!waiting_ || waiting_->time_ns <= until_ns_) return std::nullopt;
  return waiting_->time_ns;
}

Status CaptureSource::Walk(const Handler& on_record, const CommandHandler& /*on_command*/) {
  is_walking_ = true;
  connections_.Walk(on_record);
  is_walking_ = false;
  return Nothing{};
}

void CaptureSource::Describe(Observation& observation) const {
  observation.has_iscsi = true;
  observation.is_offline = true;
  observation.totals = watch_.totals;
  observation.now_ns = NowNs();
  observation.tracked_commands_limit = LUNSCOPE_TRACKED_COMMANDS;
}

std::string CaptureSource::CountsText() const {
  const CaptureCounts counts = files_->counts();
  std::string text = fmt::format("{} packets read", counts.packets);
  const auto add = [&](uint64_t count, const char* what) {
    if (count != 0) fmt::format_to(std::back_inserter(text), ", {} {}", count, what);
  };
  for (size_t kind = 1; kind < kPacketKinds; kind++)
    add(counts.by_kind[kind], kPacketKindNames[kind]);
  add(counts.cut_payloads, "cut by the snap length");
  add(counts.order.out_of_order - counts.order.late, "out of order");
  add(counts.order.late, "too late to be put in order");
  add(watch_.unwatched.packets(), "TCP on other ports");
  add(watch_.crowded_packets, "of too many connections");
  if (counts.order.steps_back != 0) {
    fmt::format_to(std::back_inserter(text),
                   "; their clock was set back {}, by {:.6f} s or more in all",
                   FormatCount(counts.order.steps_back, "time"),
                   static_cast<double>(counts.order.stepped_back_ns) / 1e9);
  }
  return text;
}

std::string CaptureSource::HintAtTimes() const {
  if (!first_ns_) return {};
  const auto text = [](uint64_t ns) { return FormatTime(static_cast<int64_t>(ns)); };
  if (from_ns_ > NowNs())
    return fmt::format("no packet came after --from {}: the last one was at {}", text(from_ns_),
                       text(NowNs()));
  if (to_ns_ < *first_ns_)
    return fmt::format("no packet came before --to {}: the first one was at {}", text(to_ns_),
                       text(*first_ns_));
  return {};
}

std::string CaptureSource::Hint() const {
  if (std::string hint = HintAtTimes(); !hint.empty()) return hint;
  const std::optional<UnwatchedPorts::Port> port = watch_.unwatched.Busiest();
  const bool has_commands =
      std::ranges::any_of(watch_.totals.commands_seen, [](uint64_t seen) { return seen != 0; });
  if (port && (port->has_login || !has_commands)) {
    return fmt::format(
        "{} of the TCP packets are on other ports than {}, most of them on port {}{}: try --port "
        "{}",
        watch_.unwatched.packets(), ports_.Text(), port->number,
        port->has_login ? ", where an iSCSI login was seen" : "", port->number);
  }
  const CaptureCounts counts = files_->counts();
  const uint64_t cut =
      counts.cut_payloads + counts.by_kind[static_cast<size_t>(PacketKind::kCutHeader)];
  if (!has_commands && cut != 0) {
    return fmt::format("the snap length cut {} packets, and headers with them: capture with -s 0",
                       cut);
  }
  return {};
}

Status CaptureSource::Ended() const { return files_->Ended(); }

}  // namespace lunscope
