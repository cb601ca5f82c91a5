// SPDX-License-Identifier: Apache-2.0
//
// Rules about sessions that break: pings, drops, Rejects and digests.
#include <fmt/format.h>
#include <lunscope/reasons.h>

#include <algorithm>
#include <map>

#include "collector/base/quantity.h"
#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/window.h"
#include "collector/diagnosis/words.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

// The fate of the session behind the silence.
std::vector<std::string> Aftermath(const Window& window, const Subject& subject,
                                   uint64_t since_ns) {
  uint64_t drops = 0;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what == Happening::kDropped && key.subject == subject) drops += entry.Since(since_ns);
  }
  if (drops == 0) return {};
  return {fmt::format("Behind that the connection ended {}.", TimesText(drops))};
}

// code: 1 if commands are answered meanwhile.
Hits PingUnanswered(const Rule& rule, const Window& window, Happening what,
                    std::string_view words) {
  Hits hits;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != what || entry.last_ns < window.Ago(rule.Limit("seconds"))) continue;
    const char* flow = key.code != 0 ? ", although commands are answered meanwhile"
                                     : ", and no command was answered meanwhile either";
    hits.push_back({key.subject,
                    fmt::format(fmt::runtime(words), InitiatorText(key.subject), key.subject.target,
                                flow, TimesText(entry.count)),
                    Aftermath(window, key.subject, entry.first_ns), entry.first_ns});
  }
  return hits;
}

Hits TargetSilent(const Rule& rule, const Window& window) {
  return PingUnanswered(rule, window, Happening::kTargetIsSilent,
                        "{1} does not answer the pings (NOP-Out) of {0}{2}: {3}");
}

Hits InitiatorSilent(const Rule& rule, const Window& window) {
  return PingUnanswered(rule, window, Happening::kInitiatorIsSilent,
                        "{0} does not answer the pings (NOP-In) of {1}{2}: {3}");
}

const char* WordsOfEnd(uint16_t end, uint8_t role) {
  const bool is_target = role == LUNSCOPE_ROLE_TARGET;
  switch (end) {
    case LUNSCOPE_END_CLOSED_HERE: return is_target ? "the target closes" : "the initiator closes";
    case LUNSCOPE_END_CLOSED_BY_PEER:
      return is_target ? "the initiator closes" : "the target closes";
    case LUNSCOPE_END_RESET_HERE: return is_target ? "the target resets" : "the initiator resets";
    case LUNSCOPE_END_RESET_BY_PEER:
      return is_target ? "the initiator resets" : "the target resets";
    case LUNSCOPE_END_TIMED_OUT: return "TCP gives up";
    case LUNSCOPE_END_UNREACHABLE: return "the network cannot reach the other end of";
    default: return "lunscope does not know who ended";
  }
}

// Is it known why: the initiator's name is another host's, too?
bool IsTakenOver(const Window& window, const Subject& subject) {
  return std::ranges::any_of(window.tally.all(), [&](const auto& entry) {
    const TallyKey& key = entry.first;
    return key.what == Happening::kTakenOver && key.subject.role == subject.role &&
           key.subject.target == subject.target && key.subject.initiator == subject.initiator;
  });
}

Hits Drops(const Rule& rule, const Window& window) {
  Hits hits;
  const auto least = static_cast<size_t>(rule.Limit("times"));
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != Happening::kDropped || IsTakenOver(window, key.subject) ||
        entry.Since(window.Ago(rule.Limit("seconds"))) < least)
      continue;
    hits.push_back({key.subject,
                    fmt::format("the session of {} with {} breaks again and again: {} the "
                                "connection without a logout, {}",
                                InitiatorText(key.subject), key.subject.target,
                                WordsOfEnd(key.code, key.subject.role), TimesText(entry.count)),
                    entry.Evidence(), entry.first_ns});
  }
  return hits;
}

Hits Rejected(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != Happening::kRejected || entry.last_ns < window.Ago(rule.Limit("seconds")))
      continue;
    hits.push_back({key.subject,
                    fmt::format("{} rejects PDUs of {}: {}, {}", key.subject.target,
                                InitiatorText(key.subject), RejectReasonName(key.code),
                                TimesText(entry.count)),
                    entry.Evidence(), entry.first_ns});
  }
  return hits;
}

Hits WrongDigests(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != Happening::kWrongDigest || entry.last_ns < window.Ago(rule.Limit("seconds")))
      continue;
    hits.push_back(
        {key.subject,
         fmt::format("bytes change on their way between {} and {}: a header digest was "
                     "wrong {}",
                     InitiatorText(key.subject), key.subject.target, TimesText(entry.count)),
         {},
         entry.first_ns});
  }
  return hits;
}

constexpr Threshold kInTheLastMinute = {"seconds", 60,
                                        "Initiators and targets ping every 5 to 30 s."};
// A length that was seen, and the key that allows less.
struct TooLong {
  uint32_t seen;
  uint32_t allowed;  // 0: not known
  const char* sender;
  const char* what;
  const char* receiver;
  const char* key;
};

Hits PduTooLong(const Rule& /*rule*/, const Window& window) {
  Hits hits;
  for (const ConnectionLook& look : window.connections) {
    const auto& [seen, initiator_takes, target_takes, burst, first_burst] = look.lengths;
    const TooLong rows[] = {
        {seen.data_in, initiator_takes, "the target", "a Data-In", "the initiator",
         "MaxRecvDataSegmentLength"},
        {seen.data_out, target_takes, "the initiator", "a Data-Out", "the target",
         "MaxRecvDataSegmentLength"},
        {seen.immediate, target_takes, "the initiator", "a command with immediate data",
         "the target", "MaxRecvDataSegmentLength"},
        {seen.immediate, first_burst, "the initiator", "a command with immediate data",
         "the session", "FirstBurstLength"},
        {seen.r2t, burst, "the target", "an R2T", "the session", "MaxBurstLength"},
    };
    for (const TooLong& row : rows) {
      if (row.allowed == 0 || row.seen <= row.allowed) continue;
      hits.push_back(
          {look.initiator_subject(),
           fmt::format("between {} and {}, {} sends {} of {}, and {} takes at most {} ({})",
                       InitiatorText(look.initiator_subject()), look.target, row.sender, row.what,
                       FormatCount(row.seen, "byte"), row.receiver,
                       FormatCount(row.allowed, "byte"), row.key)});
      break;
    }
  }
  return hits;
}

constexpr auto kWarning = FindingSeverity::kWarning;
constexpr auto kCritical = FindingSeverity::kCritical;

constexpr Rule kRules[] = {
    {"target-ignores-pings",
     kCritical,
     SubjectKind::kInitiator,
     {{kInTheLastMinute}},
     0,
     kMinuteNs,
     "If commands are answered, the target does not serve pings, or serves them late behind I/O: "
     "raise node.conn[0].timeo.noop_out_timeout, or set it and noop_out_interval to 0. If nothing "
     "is answered, the target's process or the network stands still.",
     TargetSilent},
    {"initiator-ignores-pings",
     kWarning,
     SubjectKind::kInitiator,
     {{kInTheLastMinute}},
     0,
     kMinuteNs,
     "An initiator that does not answer is dropped soon: tgt nop_interval and nop_count, LIO "
     "nopin_timeout and nopin_response_timeout. Is the VM paused, or its event loop busy? "
     "libiscsi answers pings only in its event loop.",
     InitiatorSilent},
    {"session-drops",
     kWarning,
     SubjectKind::kInitiator,
     {{{"times", 3, "Once is a restart, and twice may be a restart of each end."},
       {"seconds", 600, "Pings with a timeout of minutes break a session as seldom as that."}}},
     0,
     kMinuteNs,
     "Read the log of the end that closes or resets, at the time of the last end. `lunscope trace` "
     "shows what passed just before.",
     Drops},
    {"pdu-rejected",
     kWarning,
     SubjectKind::kInitiator,
     {{kInTheLastMinute}},
     0,
     kMinuteNs,
     "An initiator and a target that do not understand each other: note the reason and the PDU, "
     "and look for a newer version of both. `lunscope trace --pdu` shows the PDU with each field. "
     "Data digest errors mean that the network changes bytes.",
     Rejected},
    {"pdu-too-long",
     kWarning,
     SubjectKind::kInitiator,
     {},
     0,
     kMinuteNs,
     "The sender breaks what the login agreed on, and a strict peer drops the connection for it "
     "(RFC 7143 section 13.12 to 13.14). Update the sender. Until then set the length at the "
     "receiver to what was sent.",
     PduTooLong},
    {"digest-errors",
     kCritical,
     SubjectKind::kInitiator,
     {{kInTheLastMinute}},
     0,
     kMinuteNs,
     "Without digests these bytes would be taken for good. Switch offloads of the network card off "
     "for a test (ethtool -K DEVICE tso off gro off), then look at cable, switch and memory. Keep "
     "HeaderDigest and DataDigest on.",
     WrongDigests},
};

}  // namespace

std::span<const Rule> SessionRules() { return kRules; }

}  // namespace lunscope
