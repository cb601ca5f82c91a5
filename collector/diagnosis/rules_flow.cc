// SPDX-License-Identifier: Apache-2.0
//
// Rules about what stands still: who was last to act, and who is awaited.
#include <fmt/format.h>

#include "collector/base/quantity.h"
#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/window.h"
#include "collector/diagnosis/words.h"

namespace lunscope {
namespace {

uint64_t Age(uint64_t since_ns, uint64_t now_ns) {
  return since_ns == 0 || since_ns > now_ns ? 0 : now_ns - since_ns;
}

uint64_t Ns(double seconds) { return static_cast<uint64_t>(seconds * kSecondNs); }

// Nothing has come from the target for so long, and it owes an answer for as long. 0: it is not so.
uint64_t OwedNs(const ConnectionLook& look, uint64_t now_ns) {
  if (look.in_flight == 0) return 0;
  return std::min(Age(look.since.target_silent_ns, now_ns), Age(look.oldest_start_ns, now_ns));
}

std::string InFlightText(const ConnectionLook& look, uint64_t now_ns) {
  if (look.in_flight == 0) return "No command is in flight";
  return fmt::format("{} in flight, the oldest for {}", FormatCount(look.in_flight, "command"),
                     TimeText(Age(look.oldest_start_ns, now_ns)));
}

// On the target's host: its process leaves what has arrived in the socket.
bool IsUnreadByTarget(const ConnectionLook& look) {
  return look.is_target() && look.since.unread_ns != 0;
}

bool IsUnacknowledged(const ConnectionLook& look, uint64_t ns) {
  return look.tcp.is_known != 0 && look.tcp.unacknowledged_bytes != 0 &&
         look.tcp.send_window_bytes != 0 && look.tcp.unacknowledged_ns >= ns;
}

Hits TargetStopped(const Rule& rule, const Window& window) {
  Hits hits;
  for (const ConnectionLook& look : window.connections) {
    // A command that nobody has read is not in flight yet.
    const uint64_t owed_ns = std::min(Age(look.since.unread_ns, window.now_ns),
                                      Age(look.since.target_silent_ns, window.now_ns));
    if (!look.is_target() || owed_ns < Ns(rule.Limit("seconds"))) continue;
    hits.push_back(
        {look.subject(),
         fmt::format("the process of the target {} has stopped: {} bytes of {} wait in "
                     "its socket, and nothing comes back",
                     look.target, look.unread_bytes, InitiatorText(look.initiator_subject())),
         {InFlightText(look, window.now_ns) + "."},
         look.since.unread_ns});
  }
  return hits;
}

// The words of the kernel's TCP about the other end.
std::string AliveText(const ConnectionLook& look) {
  if (look.tcp.is_known == 0)
    return "From a capture it is not known who holds it up: the network, the target's process or "
           "its "
           "backing store.";
  if (look.is_target())
    return "Its process has read the commands, so it is the backing store or the process itself.";
  return "TCP of its host acknowledges all bytes, so the network is alive: it is the target's "
         "process or its backing store.";
}

Hits TargetSilent(const Rule& rule, const Window& window) {
  Hits hits;
  for (const ConnectionLook& look : window.connections) {
    if (OwedNs(look, window.now_ns) < Ns(rule.Limit("seconds"))) continue;
    if (IsUnreadByTarget(look) || IsUnacknowledged(look, kSecondNs)) continue;
    // The target may have answered, and nobody reads it.
    if (look.since.unread_ns != 0 || look.since.unsent_ns != 0) continue;
    hits.push_back(
        {look.subject(),
         fmt::format("nothing comes back from {} to {}: {}", look.target,
                     InitiatorText(look.initiator_subject()), InFlightText(look, window.now_ns)),
         {AliveText(look)},
         look.since.target_silent_ns});
  }
  return hits;
}

Hits NetworkSilent(const Rule& rule, const Window& window) {
  Hits hits;
  for (const ConnectionLook& look : window.connections) {
    if (!IsUnacknowledged(look, Ns(rule.Limit("seconds")))) continue;
    const char* other = look.is_target() ? "the initiator's host" : "the target's host";
    hits.push_back({look.subject(),
                    fmt::format("{} bytes from here to {} ({}) have had no acknowledgement for {}",
                                look.tcp.unacknowledged_bytes, look.remote, other,
                                TimeText(look.tcp.unacknowledged_ns)),
                    {InFlightText(look, window.now_ns) + "."}});
  }
  return hits;
}

Hits InitiatorStopped(const Rule& rule, const Window& window) {
  Hits hits;
  const uint64_t least_ns = Ns(rule.Limit("seconds"));
  for (const ConnectionLook& look : window.connections) {
    const bool is_closed = Age(look.since.unsent_ns, window.now_ns) >= least_ns;
    const bool is_unread = Age(look.since.unread_ns, window.now_ns) >= least_ns &&
                           Age(look.since.target_silent_ns, window.now_ns) >= least_ns;
    if (look.is_target() ? !is_closed : !is_unread) continue;
    const std::string where =
        look.is_target() ? fmt::format("its TCP window is closed, and {} bytes wait to be sent",
                                       look.tcp.unsent_bytes)
                         : fmt::format("{} bytes wait in its socket", look.unread_bytes);
    hits.push_back({look.subject(),
                    fmt::format("the initiator {} does not read what {} sends: {}",
                                InitiatorText(look.initiator_subject()), look.target, where),
                    {InFlightText(look, window.now_ns) + "."},
                    look.is_target() ? look.since.unsent_ns : look.since.unread_ns});
  }
  return hits;
}

// The sentence and the severity depend on how many commands the target takes.
Hit ShutWindow(const Rule& rule, const Window& window, const ConnectionLook& look, double share) {
  const uint32_t takes = look.in_flight + look.window.value_or(0);
  const std::string first =
      fmt::format("the command window of {} is shut {} of the time for {}", look.target,
                  PercentText(share), InitiatorText(look.initiator_subject()));
  const auto is_full = static_cast<double>(takes) >= rule.Limit("commands");
  if (look.in_flight == 0 && look.window == 0)
    return {look.initiator_subject(),
            first + ": no command is in flight, and it takes none",
            {},
            0,
            FindingSeverity::kCritical};
  Hit hit{look.initiator_subject(),
          fmt::format("{}: it takes {} at a time", first, FormatCount(takes, "command")),
          {fmt::format("It was shut for {} of the last {}.", TimeText(look.grown.window_closed_ns),
                       TimeText(window.length_ns()))}};
  if (is_full) {
    hit.severity = FindingSeverity::kInfo;
    hit.advice =
        "The target is as busy as it allows. More in flight would wait in the target instead.";
  }
  return hit;
}

Hits WindowShut(const Rule& rule, const Window& window) {
  Hits hits;
  for (const ConnectionLook& look : window.connections) {
    const uint64_t closed_ns = look.grown.window_closed_ns;
    const double share = std::min(1.0, Share(closed_ns, window.length_ns()));
    if (share < rule.Limit("share") || closed_ns < Ns(rule.Limit("seconds"))) continue;
    // A target that says nothing opens nothing: that has rules of its own.
    const bool is_silent = look.since.target_silent_ns != 0 && look.in_flight != 0;
    // An initiator that went beyond the window has shut it itself.
    if (is_silent || look.counters.commands_beyond != 0) continue;
    hits.push_back(ShutWindow(rule, window, look, share));
  }
  return hits;
}

Hits BeyondWindow(const Rule& /*rule*/, const Window& window) {
  Hits hits;
  for (const ConnectionLook& look : window.connections) {
    if (look.grown.commands_beyond == 0) continue;
    hits.push_back(
        {look.initiator_subject(),
         fmt::format("{} sent {} with a CmdSN above MaxCmdSN to {}, which ignores them "
                     "for ever",
                     InitiatorText(look.initiator_subject()),
                     FormatCount(look.counters.commands_beyond, "command"), look.target)});
  }
  return hits;
}

constexpr uint64_t kLastsNs = 10 * kSecondNs;
constexpr auto kCritical = FindingSeverity::kCritical;
constexpr auto kWarning = FindingSeverity::kWarning;
constexpr Threshold kFiveSeconds = {
    "seconds", 5, "The patience of open-iscsi with its pings (noop_out_timeout)."};

constexpr Rule kRules[] = {
    {"target-stopped",
     kCritical,
     SubjectKind::kConnection,
     {{kFiveSeconds}},
     0,
     kLastsNs,
     "Look at the process: ps -o pid,stat,wchan -C tgtd. T: somebody stopped it (kill -CONT). D: "
     "it waits for its backing store (dmesg, iostat -x). An LIO thread is iscsi_trx or iscsi_ttx.",
     TargetStopped},
    {"target-silent",
     kWarning,
     SubjectKind::kConnection,
     {{{"seconds", 10,
        "A third of Linux's patience with a SCSI command (30 s), and more than any disk takes."}}},
     0,
     kLastsNs,
     "Look at the target's host: iostat -x, dmesg, and the state of its process. Tapes, FORMAT "
     "UNIT and large discards may take that long and be well.",
     TargetSilent},
    {"network-silent",
     kCritical,
     SubjectKind::kConnection,
     {{kFiveSeconds}},
     0,
     kLastsNs,
     "Ping the address, with small and with full-size packets (ping -M do -s 1472, for jumbo "
     "frames -s 8972). If only small ones pass, some device on the way has a smaller MTU.",
     NetworkSilent},
    {"initiator-not-reading",
     kCritical,
     SubjectKind::kConnection,
     {{{"seconds", 3, "A busy reader leaves bytes behind at one look, and not at three."}}},
     0,
     kLastsNs,
     "The initiator's process stands still. A VM: is it paused, or is QEMU's main loop blocked? "
     "Kernel: look for a blocked iscsi_q workqueue in dmesg.",
     InitiatorStopped},
    {"window-shut",
     kWarning,
     SubjectKind::kInitiator,
     {{{"share", 0.2, "Below that a shut window costs less than a fifth of the commands' time."},
       {"seconds", 1, "Shorter is a burst."},
       {"commands", 32,
        "Fewer in flight leave a disk array idle; the default of open-iscsi's "
        "queue_depth is 32."}}},
     2 * kSecondNs,
     kLastsNs,
     "The initiator wants to send and may not. Raise what the target takes at once: tgt "
     "MaxQueueCmd (tgtadm --op update --name MaxQueueCmd), LIO default_cmdsn_depth and the ACL's "
     "cmdsn_depth. Or lower node.session.queue_depth.",
     WindowShut},
    {"commands-beyond-window",
     kCritical,
     SubjectKind::kInitiator,
     {{{"commands", 1, "RFC 7143 section 4.2.2.1: the target silently ignores each of them."}}},
     0,
     kLastsNs,
     "The initiator breaks the protocol: it must not send beyond MaxCmdSN. Update it. Until then a "
     "larger window (tgt MaxQueueCmd, LIO cmdsn_depth) makes it seldom.",
     BeyondWindow},
};

}  // namespace

std::span<const Rule> FlowRules() { return kRules; }

}  // namespace lunscope
