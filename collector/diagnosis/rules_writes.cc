// SPDX-License-Identifier: Apache-2.0
//
// Rules about the data of writes: who is awaited, and how often.
#include <fmt/format.h>

#include <algorithm>

#include "collector/base/quantity.h"
#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/window.h"
#include "collector/diagnosis/words.h"

namespace lunscope {
namespace {

uint64_t Ns(double ms) { return static_cast<uint64_t>(ms * 1e6); }

bool IsTarget(const Subject& subject) { return subject.role == LUNSCOPE_ROLE_TARGET; }

// How often a write waits for data, on average: once for each R2T.
uint64_t Turns(const Figures& grown) {
  return std::max<uint64_t>(1, Mean(grown[kR2ts], grown[kWrites]));
}

const char* LateText(const Subject& subject, const ConnectionLook* look, uint64_t turn_ns) {
  if (!IsTarget(subject)) return "the initiator's host is late";
  const bool is_quick = look != nullptr && look->tcp.is_known != 0 &&
                        look->tcp.smoothed_rtt_us != 0 &&
                        look->tcp.smoothed_rtt_us * uint64_t{2000} <= turn_ns;
  return is_quick ? "the initiator is late, for the network is quick"
                  : "the initiator or the network is late, which is not known from here";
}

// Do the pieces of writes wait for an acknowledgement that is delayed? That has a rule of its own.
bool IsDelayedAck(const Figures& grown) {
  return grown[kDelayedAcks] * 2 >= grown[kWrites] && grown[kDelayedAcks] != 0;
}

Hits LateData(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, strand] : window.strands.all()) {
    const Figures grown = strand.Grown();
    if (static_cast<double>(grown[kPhasedWrites]) < rule.Limit("commands") || IsDelayedAck(grown))
      continue;
    const uint64_t due_ns = Mean(grown[kDataWaits], grown[kPhasedWrites]);
    const uint64_t turn_ns = due_ns / Turns(grown);
    const double share = Share(due_ns, Mean(grown[kWriteTimes], grown[kWrites]));
    const bool are_slow = AreSlow(grown, grown[kBusyTimes], rule.Limit("ms"));
    if (turn_ns < Ns(rule.Limit("ms")) || share < rule.Limit("share") || !are_slow) continue;
    const Subject& subject = strand.subject;
    hits.push_back(
        {subject,
         fmt::format("writes of {} to {} wait {} for their data, {} of their time: {}",
                     InitiatorText(subject), LunText(subject), TimeText(due_ns), PercentText(share),
                     LateText(subject, window.FindConnection(key.first), turn_ns)),
         {fmt::format("It was so for {}.", FormatCount(grown[kWrites], "write"))}});
  }
  return hits;
}

std::string BurstText(const ConnectionLook* look) {
  if (look == nullptr || look->bursts.max_burst_length.empty())
    return "The login was not seen, so the negotiated values are not known.";
  return fmt::format("The session has MaxBurstLength={}, InitialR2T={}, ImmediateData={}.",
                     look->bursts.max_burst_length, look->bursts.initial_r2t,
                     look->bursts.immediate_data);
}

// At the target's host it is known how long data was awaited. At the initiator's host that is a
// part of `wait`, as the target's own time is.
Hits R2tBound(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, strand] : window.strands.all()) {
    const Figures grown = strand.Grown();
    if (static_cast<double>(grown[kWrites]) < rule.Limit("commands") || grown[kR2ts] == 0) continue;
    const double turns = Share(grown[kR2ts], grown[kWrites]);
    const uint64_t burst_bytes = Mean(grown[kWriteBytes], grown[kR2ts]);
    if (turns < rule.Limit("r2ts") || static_cast<double>(burst_bytes) > rule.Limit("bytes"))
      continue;
    const Subject& subject = strand.subject;
    const uint64_t due_ns = Mean(grown[kDataWaits], grown[kPhasedWrites]);
    const double share = Share(due_ns, Mean(grown[kWriteTimes], grown[kWrites]));
    const bool is_proven = IsTarget(subject) && share >= 0.3;
    const std::string cost =
        IsTarget(subject)
            ? fmt::format("They wait for data {} of their time.", PercentText(share))
            : "The cost of the round trips is not known from here: see the target's host.";
    hits.push_back({subject,
                    fmt::format("writes of {} to {} need {:.1f} R2Ts each, and so as many round "
                                "trips: {} a burst",
                                InitiatorText(subject), LunText(subject), turns,
                                FormatCount(burst_bytes, "byte")),
                    {BurstText(window.FindConnection(key.first)), cost},
                    0,
                    is_proven ? FindingSeverity::kWarning : FindingSeverity::kInfo});
  }
  return hits;
}

constexpr uint64_t kLastsNs = 20 * kSecondNs;
constexpr auto kWarning = FindingSeverity::kWarning;
constexpr Threshold kTenWrites = {"commands", 10, "Fewer have no mean worth the name."};

constexpr Rule kRules[] = {
    {"late-data",
     kWarning,
     SubjectKind::kLun,
     {{kTenWrites,
       {"ms", 20, "A quick disk would have done a hundred commands."},
       {"share", 0.5, "Then it is most of what a write takes."}}},
     2 * kSecondNs,
     kLastsNs,
     "The target asked, and the data did not come. Look at the initiator's CPU, at a paused VM or "
     "a throttled one (QEMU throttling, cgroup cpu.max), and at its network card.",
     LateData},
    {"r2t-bound",
     kWarning,
     SubjectKind::kLun,
     {{kTenWrites,
       {"r2ts", 2, "One R2T is the least that a write without immediate data needs."},
       {"bytes", 65536, "A quarter of the default MaxBurstLength: larger bursts fill a network."}}},
     2 * kSecondNs,
     kLastsNs,
     "Set MaxBurstLength 262144 or more, FirstBurstLength 262144, ImmediateData=Yes and "
     "InitialR2T=No at both ends: iscsid.conf node.session.iscsi.*; tgtadm --mode target --op "
     "update --name; targetcli .../tpg1 set parameter. Log in again.",
     R2tBound},
};

}  // namespace

std::span<const Rule> WriteRules() { return kRules; }

}  // namespace lunscope
