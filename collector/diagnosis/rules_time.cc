// SPDX-License-Identifier: Apache-2.0
//
// Rules about time: whose it was, by the phases of commands (include/lunscope/phases.h).
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "collector/base/quantity.h"
#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/window.h"
#include "collector/diagnosis/words.h"

namespace lunscope {
namespace {

constexpr uint32_t kOutOfTarget = LUNSCOPE_PHASE_TRANSFER_OUT % LUNSCOPE_PHASE_SLOTS;
constexpr uint32_t kQueue = LUNSCOPE_PHASE_QUEUE % LUNSCOPE_PHASE_SLOTS;
constexpr uint32_t kPickup = LUNSCOPE_PHASE_PICKUP % LUNSCOPE_PHASE_SLOTS;

uint64_t Ns(double ms) { return static_cast<uint64_t>(ms * 1e6); }

bool IsTarget(const Subject& subject) { return subject.role == LUNSCOPE_ROLE_TARGET; }

uint64_t MeanPhase(const Figures& grown, uint32_t slot) {
  return Mean(grown[kPhase0 + slot], grown[kPhased]);
}

// A part of the time of all data commands. Where some have no phases, the others stand for them.
double PhaseShare(const Figures& grown, uint32_t slot) {
  return Share(MeanPhase(grown, slot), Mean(DataTimes(grown), DataCommands(grown)));
}

// Do small commands wait for an acknowledgement that is delayed?
bool IsDelayedAck(const Figures& grown) {
  return grown[kDelayedAcks] >= 10 && grown[kDelayedAcks] * 10 >= grown[kShortWaits] * 8;
}

// The time that the LUN is busy: that of its busiest connection.
uint64_t BusyNs(const LunView& lun) {
  uint64_t busy_ns = 0;
  for (const Strand* strand : lun.strands) busy_ns = std::max(busy_ns, strand->Grown()[kBusyTimes]);
  return busy_ns;
}

bool IsSlow(const Rule& rule, const LunView& lun) {
  const Figures& grown = lun.grown;
  return static_cast<double>(DataCommands(grown)) >= rule.Limit("commands") &&
         AreSlow(grown, BusyNs(lun), rule.Limit("ms"));
}

std::string MeanText(const Figures& grown) {
  return fmt::format("{} took {} on average, {} each.", FormatCount(DataCommands(grown), "command"),
                     TimeText(Mean(DataTimes(grown), DataCommands(grown))),
                     FormatBytes(Mean(grown[kDataBytes], DataCommands(grown)) / 512 * 512));
}

// On the target's host: the LUNs on which this phase is most of the time.
Hits SlowAtTarget(const Rule& rule, const Window& window, uint32_t slot, std::string_view words) {
  Hits hits;
  for (const auto& [key, lun] : window.luns) {
    if (!IsTarget(lun.subject) || !IsSlow(rule, lun)) continue;
    const double share = PhaseShare(lun.grown, slot);
    if (lun.grown[kPhased] == 0 || share < rule.Limit("share")) continue;
    hits.push_back({lun.subject,
                    fmt::format(fmt::runtime(words), LunText(lun.subject),
                                TimeText(MeanPhase(lun.grown, slot)), PercentText(share)),
                    {MeanText(lun.grown)}});
  }
  return hits;
}

Hits SlowBackend(const Rule& rule, const Window& window) {
  return SlowAtTarget(rule, window, LUNSCOPE_PHASE_REST,
                      "the backing store of {} is slow: it takes {} for a read or write, {} of "
                      "their time");
}

Hits ReadsLate(const Rule& rule, const Window& window) {
  return SlowAtTarget(rule, window, kQueue,
                      "the process of {} reads late: commands wait {} in its socket, {} of their "
                      "time");
}

// The longest round trip of the connections of a LUN; none: TCP cannot be asked.
std::optional<uint64_t> RoundTripNs(const Window& window, const LunView& lun) {
  std::optional<uint64_t> longest;
  for (const auto& [key, strand] : window.strands.all()) {
    if (std::ranges::find(lun.strands, &strand) == lun.strands.end()) continue;
    const ConnectionLook* look = window.FindConnection(key.first);
    if (look == nullptr || look->tcp.is_known == 0 || look->tcp.smoothed_rtt_us == 0) continue;
    longest = std::max(longest.value_or(0), look->tcp.smoothed_rtt_us * uint64_t{1000});
  }
  return longest;
}

// On the initiator's host `wait` is the network and the target together. TCP's round trip contains
// acknowledgements that are delayed by 40 ms, so a long one proves something only far above that.
enum class Culprit { kTarget, kNetwork, kNotKnown };
Culprit CulpritOf(std::optional<uint64_t> round_trip_ns, uint64_t wait_ns) {
  constexpr uint64_t kProvenNs = 100'000'000;
  if (!round_trip_ns) return Culprit::kNotKnown;
  if (*round_trip_ns * 4 <= wait_ns) return Culprit::kTarget;
  return *round_trip_ns >= kProvenNs && *round_trip_ns * 2 >= wait_ns ? Culprit::kNetwork
                                                                      : Culprit::kNotKnown;
}

const char* AnswersText(Culprit culprit) {
  return culprit == Culprit::kTarget
             ? "the target's: the network is quick"
             : "the target's or the network's, which is not known from here";
}

Hits SlowFromInitiator(const Rule& rule, const Window& window, bool is_network) {
  Hits hits;
  for (const auto& [key, lun] : window.luns) {
    const Figures& grown = lun.grown;
    if (IsTarget(lun.subject) || !IsSlow(rule, lun) || IsDelayedAck(grown)) continue;
    const double share = PhaseShare(grown, LUNSCOPE_PHASE_REST);
    if (grown[kPhased] == 0 || share < rule.Limit("share")) continue;
    const uint64_t wait_ns = MeanPhase(grown, LUNSCOPE_PHASE_REST);
    const std::optional<uint64_t> round_trip_ns = RoundTripNs(window, lun);
    const Culprit culprit = CulpritOf(round_trip_ns, wait_ns);
    if ((culprit == Culprit::kNetwork) != is_network) continue;
    const std::string whose =
        is_network ? fmt::format("the network's: a round trip takes {}", TimeText(*round_trip_ns))
                   : AnswersText(culprit);
    std::vector<std::string> evidence = {MeanText(grown)};
    if (round_trip_ns && !is_network)
      evidence.push_back(fmt::format("A round trip of TCP takes {}.", TimeText(*round_trip_ns)));
    hits.push_back({lun.subject,
                    fmt::format("reads and writes to {} wait {} for their answer, {} of their "
                                "time. It is {}",
                                LunText(lun.subject), TimeText(wait_ns), PercentText(share), whose),
                    std::move(evidence)});
  }
  return hits;
}

Hits SlowAnswers(const Rule& rule, const Window& window) {
  return SlowFromInitiator(rule, window, false);
}
Hits SlowNetwork(const Rule& rule, const Window& window) {
  return SlowFromInitiator(rule, window, true);
}

// Answers that nobody takes: at the target's host TCP cannot send, at the initiator's nobody reads.
Hits LateReader(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, strand] : window.strands.all()) {
    const Figures grown = strand.Grown();
    if (static_cast<double>(grown[kPhased]) < rule.Limit("commands") || IsDelayedAck(grown))
      continue;
    const Subject& subject = strand.subject;
    const uint64_t late_ns = MeanPhase(grown, IsTarget(subject) ? kOutOfTarget : kPickup);
    if (late_ns < Ns(rule.Limit("ms")) || !AreSlow(grown, grown[kBusyTimes], rule.Limit("ms")))
      continue;
    const char* how = IsTarget(subject) ? "take {} to be sent: the initiator does not read"
                                        : "wait {} in the initiator's socket";
    hits.push_back(
        {subject, fmt::format("answers of {} for {} ", LunText(subject), InitiatorText(subject)) +
                      fmt::format(fmt::runtime(how), TimeText(late_ns))});
  }
  return hits;
}

Hits DelayedAck(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, strand] : window.strands.all()) {
    const Figures grown = strand.Grown();
    if (static_cast<double>(grown[kDelayedAcks]) < rule.Limit("commands") ||
        Share(grown[kDelayedAcks], grown[kShortWaits]) < rule.Limit("share"))
      continue;
    hits.push_back(
        {strand.subject,
         fmt::format("small reads and writes of {} to {} stand for 40 ms in the middle "
                     "of a PDU: {}",
                     InitiatorText(strand.subject), LunText(strand.subject),
                     TimesText(grown[kDelayedAcks])),
         {"One end sends a PDU in pieces, and waits with the second piece until the "
          "first is acknowledged. The other end delays that acknowledgement by 40 ms."}});
  }
  return hits;
}

Hits PacketsLost(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, strand] : window.strands.all()) {
    const Figures grown = strand.Grown();
    const uint64_t all = DataCommands(grown);
    const uint64_t hit = grown[kSentAgain];
    if (static_cast<double>(hit) < rule.Limit("commands") || Share(hit, all) < rule.Limit("share"))
      continue;
    const uint64_t with_ns = Mean(grown[kSentAgainTimes], hit);
    const uint64_t without_ns = Mean(DataTimes(grown) - grown[kSentAgainTimes], all - hit);
    if (with_ns < without_ns + Ns(rule.Limit("ms")) || with_ns < 2 * without_ns) continue;
    hits.push_back({strand.subject,
                    fmt::format("the network between {} and {} loses packets: {} of {} commands "
                                "needed a segment again",
                                InitiatorText(strand.subject), strand.subject.target, hit, all),
                    {fmt::format("These took {} on average, the others {}.", TimeText(with_ns),
                                 TimeText(without_ns))}});
  }
  return hits;
}

constexpr uint64_t kLastsNs = 20 * kSecondNs;
constexpr auto kWarning = FindingSeverity::kWarning;
constexpr Threshold kTenCommands = {"commands", 10, "Fewer have no mean worth the name."};
constexpr Threshold kSlowMs = {
    "ms", 20,
    "Twice what a turning disk takes for one random access; what it takes to move the "
    "bytes comes on top."};
constexpr Threshold kMostOfIt = {"share", 0.6, "Then all else together is less."};
constexpr Threshold kLateMs = {"ms", 20, "A quick disk would have done a hundred commands."};

constexpr Rule kRules[] = {
    {"slow-backend",
     kWarning,
     SubjectKind::kLun,
     {{kTenCommands, kSlowMs, kMostOfIt}},
     2 * kSecondNs,
     kLastsNs,
     "iSCSI and the network are well. Look at what is behind the LUN: iostat -x, smartctl, the "
     "pool's state (mdadm, zpool status, ceph -s). tgt: more threads (--nr_iothreads), or "
     "--bstype aio.",
     SlowBackend},
    {"target-reads-late",
     kWarning,
     SubjectKind::kLun,
     {{kTenCommands, kSlowMs, kMostOfIt}},
     2 * kSecondNs,
     kLastsNs,
     "The target's process has no CPU, or one thread for too much: top -H. tgtd reads all sessions "
     "in one thread: run a second tgtd (-C) for some targets.",
     ReadsLate},
    {"slow-answers",
     kWarning,
     SubjectKind::kLun,
     {{kTenCommands, kSlowMs, kMostOfIt}},
     2 * kSecondNs,
     kLastsNs,
     "Run lunscope on the target's host, or take the capture there and give --role target: it "
     "tells the backing store, the target's process and the network apart.",
     SlowAnswers},
    {"slow-network",
     kWarning,
     SubjectKind::kLun,
     {{kTenCommands, kSlowMs, kMostOfIt}},
     2 * kSecondNs,
     kLastsNs,
     "Measure the way with ping and mtr. Round trips that grow with load are a queue that is full: "
     "look for a slower link on the way, and for QoS.",
     SlowNetwork},
    {"late-reader",
     kWarning,
     SubjectKind::kLun,
     {{kTenCommands, kLateMs}},
     2 * kSecondNs,
     kLastsNs,
     "The target has answered. Look at the initiator's process: CPU, a blocked main loop (QEMU), a "
     "paused VM, a small receive buffer (net.ipv4.tcp_rmem).",
     LateReader},
    {"delayed-ack",
     kWarning,
     SubjectKind::kLun,
     {{kTenCommands,
       {"share", 0.8, "If waits within a PDU have another cause, they spread over all lengths."}}},
     0,
     kLastsNs,
     "The sender of pieces should set TCP_NODELAY, and send header and data in one call. tgt, LIO, "
     "libiscsi and QEMU do; look for a proxy or an old target. On the other end a route with "
     "quickack 1 helps: ip route change ... quickack 1.",
     DelayedAck},
    {"packets-lost",
     kWarning,
     SubjectKind::kLun,
     {{{"commands", 3, "One lost packet is ordinary."},
       {"share", 0.001, "A loss of 1 in 1000 already costs as much as all else, at 200 ms each."},
       {"ms", 100,
        "TCP sends again after 200 ms at least. Less is a loss that it repairs at once, or none: "
        "a busy sender is too impatient, and long commands meet more of that."}}},
     0,
     kLastsNs,
     "Look for errors and drops on each device of the way: ethtool -S, ip -s link, the switch's "
     "counters; duplex, cables, and flow control if the switch has small buffers.",
     PacketsLost},
};

}  // namespace

std::span<const Rule> TimeRules() { return kRules; }

}  // namespace lunscope
