// SPDX-License-Identifier: Apache-2.0
//
// Rules about logins and connects: why an initiator has no session.
#include <fmt/format.h>

#include <map>
#include <set>

#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/window.h"
#include "collector/diagnosis/words.h"
#include "collector/lines/shared_keys.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

constexpr uint16_t kNotFound = 0x0203;
constexpr uint16_t kServiceUnavailable = 0x0301;
constexpr uint16_t kOutOfResources = 0x0302;

// Advice about a login status (RFC 7143 section 11.13.5).
struct LoginAdvice {
  uint16_t status;
  std::string_view advice;
};
constexpr LoginAdvice kLoginAdvice[] = {
    {0x0200,
     "The target did not like what the initiator offered. Compare CHAP and digest settings of both "
     "ends: iscsid.conf node.session.auth.*, tgtadm --mode account, LIO targetcli auth."},
    {0x0201,
     "Wrong or missing CHAP name or password. open-iscsi: node.session.auth.authmethod, username, "
     "password; libiscsi and QEMU: user and password; tgt: tgtadm --mode account --op bind; LIO: "
     "targetcli .../acls/... set auth userid= password=."},
    {0x0202,
     "The target knows the name and does not let this initiator in. tgt: tgtadm --mode target --op "
     "bind --initiator-address or --initiator-name; LIO: create the ACL of exactly this initiator "
     "name; an array: put the name into the host group."},
    {0x0204,
     "The target was removed and gives no new address. Delete the node record: iscsiadm -m "
     "node -T TARGET -o delete."},
    {0x0206,
     "The session has more connections than the target takes. Set "
     "node.session.iscsi.MaxConnections to 1."},
    {0x020a,
     "The initiator asks for a session that the target does not have any more. It should "
     "log in to a new session; restart it if it does not."},
    {0x0300, "The target has an error of its own. Read its log: tgtd in syslog, LIO in dmesg."},
    {kServiceUnavailable,
     "The target is not ready, or busy with an older session of this initiator. Wait; then read "
     "its log. LIO says so too when the TPG is disabled: targetcli .../tpg1 enable."},
    {kOutOfResources,
     "The target has no room for one more session. Look for sessions of hosts that are gone, and "
     "raise the limit of sessions there."},
};
constexpr std::string_view kOtherLogin =
    "Look up the status in RFC 7143 section 11.13.5, and read the log of the target.";

std::string_view AdviceOf(uint16_t status) {
  for (const LoginAdvice& row : kLoginAdvice) {
    if (row.status == status) return row.advice;
  }
  return kOtherLogin;
}

// Two addresses that both took the session over, and both more than once.
Hits ThrownOut(const Rule& rule, const Window& window) {
  const auto least = static_cast<size_t>(rule.Limit("takeovers"));
  std::map<Subject, std::vector<std::pair<std::string, const TallyEntry*>>> by_name;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != Happening::kTakenOver || entry.Since(window.Ago(rule.Limit("seconds"))) < least)
      continue;
    Subject name = key.subject;
    name.address.clear();
    by_name[name].emplace_back(key.subject.address, &entry);
  }
  Hits hits;
  for (const auto& [name, takers] : by_name) {
    if (takers.size() < 2) continue;
    uint64_t count = 0;
    uint64_t first_ns = window.now_ns;
    std::string addresses;
    for (const auto& [address, entry] : takers) {
      count += entry->count;
      first_ns = std::min(first_ns, entry->first_ns);
      addresses += (addresses.empty() ? "" : " and ") + address;
    }
    hits.push_back(
        {name,
         fmt::format("{} log in to {} under one initiator name, {}, and throw each "
                     "other's session out: {}",
                     addresses, name.target, OrUnknown(name.initiator), TimesText(count)),
         takers.back().second->Evidence(), first_ns});
  }
  return hits;
}

// When the initiator was let in after that; 0: it was not.
uint64_t AcceptedNs(const Window& window, const TallyKey& refused) {
  const TallyEntry* accepted = window.tally.Find({Happening::kLoggedIn, 0, refused.subject});
  return accepted == nullptr ? 0 : accepted->last_ns;
}

bool IsOfOtherRule(uint16_t status) { return status == kNotFound; }

Hits LoginRefused(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != Happening::kLoginRefused || IsOfOtherRule(key.code) ||
        entry.last_ns < window.Ago(rule.Limit("seconds")) ||
        AcceptedNs(window, key) > entry.last_ns)
      continue;
    hits.push_back({key.subject,
                    fmt::format("{} cannot log in to {}: {} ({:04x}), {}",
                                InitiatorText(key.subject), key.subject.target,
                                LoginStatusText(key.code), key.code, TimesText(entry.count)),
                    {},
                    entry.first_ns,
                    std::nullopt,
                    AdviceOf(key.code)});
  }
  return hits;
}

Hits TargetNotFound(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != Happening::kLoginRefused || key.code != kNotFound ||
        entry.last_ns < window.Ago(rule.Limit("seconds")))
      continue;
    hits.push_back(
        {key.subject,
         fmt::format("{} asks for the target {}, which is not there: {}",
                     InitiatorText(key.subject), key.subject.target, TimesText(entry.count)),
         {},
         entry.first_ns});
  }
  return hits;
}

// The target first had no room or was not ready, and then let the initiator in.
Hits OldSession(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, entry] : window.tally.all()) {
    const bool is_busy = key.code == kServiceUnavailable || key.code == kOutOfResources;
    if (key.what != Happening::kLoginRefused || !is_busy) continue;
    const uint64_t accepted_ns = AcceptedNs(window, key);
    if (accepted_ns < entry.last_ns || accepted_ns < window.Ago(rule.Limit("seconds"))) continue;
    hits.push_back(
        {key.subject,
         fmt::format("{} was refused by {} {} ({:04x}), and let in {} after the first "
                     "try",
                     InitiatorText(key.subject), key.subject.target, TimesText(entry.count),
                     key.code, TimeText(accepted_ns - entry.first_ns)),
         {},
         entry.first_ns});
  }
  return hits;
}

Hits OfHappening(const Rule& rule, const Window& window, Happening what, const char* words) {
  Hits hits;
  for (const auto& [key, entry] : window.tally.all()) {
    const auto least = static_cast<size_t>(rule.Limit("times"));
    if (key.what != what || entry.Since(window.Ago(rule.Limit("seconds"))) < least) continue;
    hits.push_back(
        {key.subject,
         fmt::format(fmt::runtime(words), fmt::arg("initiator", InitiatorText(key.subject)),
                     fmt::arg("target", key.subject.target),
                     fmt::arg("portal", key.subject.address),
                     fmt::arg("times", TimesText(entry.count))),
         entry.Evidence(), entry.first_ns});
  }
  return hits;
}

Hits LoginUnanswered(const Rule& rule, const Window& window) {
  Hits hits = OfHappening(rule, window, Happening::kLoginUnanswered,
                          "{target} does not answer the login of {initiator}: {times}");
  std::erase_if(hits, [&](const Hit& hit) {
    const TallyEntry* accepted = window.tally.Find({Happening::kLoggedIn, 0, hit.subject});
    return accepted != nullptr && accepted->last_ns > hit.since_ns;
  });
  return hits;
}

Hits LoginCut(const Rule& rule, const Window& window) {
  return OfHappening(rule, window, Happening::kLoginCut,
                     "{target} closes the connection of {initiator} instead of answering its "
                     "login: {times}");
}

Hits PortalRefused(const Rule& rule, const Window& window) {
  return OfHappening(rule, window, Happening::kConnectRefused,
                     "nothing listens on the portal {portal}, where this host wants to connect: "
                     "{times}");
}

Hits PortalSilent(const Rule& rule, const Window& window) {
  return OfHappening(rule, window, Happening::kConnectUnanswered,
                     "the portal {portal} does not answer the connects of this host: {times}");
}

constexpr Threshold kInTheLastMinute = {
    "seconds", 60,
    "open-iscsi tries again after 2 s at first, and later once in a minute or less."};
constexpr auto kWarning = FindingSeverity::kWarning;
constexpr auto kCritical = FindingSeverity::kCritical;

constexpr Rule kRules[] = {
    {"session-thrown-out",
     kCritical,
     SubjectKind::kInitiator,
     {{{"takeovers", 2,
        "One takeover is a failover: a VM moved, or a host changed its address. Here each of two "
        "addresses came back."},
       {"seconds", 300, "open-iscsi is back after 2 s, other initiators after some 30 s."}}},
     0,
     kMinuteNs,
     "Give each host a name of its own: /etc/iscsi/initiatorname.iscsi (iscsi-iname makes one), "
     "QEMU -iscsi initiator-name=. Clones of one image have one name. If both addresses are one "
     "host's, it logs in over two paths with one ISID: use one iface record for each path.",
     ThrownOut},
    {"login-refused",
     kWarning,
     SubjectKind::kInitiator,
     {{kInTheLastMinute}},
     0,
     kMinuteNs,
     kOtherLogin,
     LoginRefused},
    {"target-not-found",
     kWarning,
     SubjectKind::kInitiator,
     {{kInTheLastMinute}},
     0,
     kMinuteNs,
     "If the target is gone, delete the record of it on that host: iscsiadm -m node -T TARGET -o "
     "delete. If not, compare the name letter by letter with tgtadm --mode target --op show or "
     "targetcli ls.",
     TargetNotFound},
    {"old-session-lingers",
     FindingSeverity::kInfo,
     SubjectKind::kInitiator,
     {{{"seconds", 300, "A boot that waited is over by then."}}},
     0,
     kMinuteNs,
     "The target kept the session of before until it noticed that its initiator was gone. Have the "
     "initiator log out at shutdown, and let the target ping: tgt nop_interval and nop_count, LIO "
     "nopin_timeout.",
     OldSession},
    {"login-unanswered",
     kCritical,
     SubjectKind::kInitiator,
     {{{"times", 1, "An event comes after 5 s already, open-iscsi's patience with its own pings."},
       kInTheLastMinute}},
     0,
     kMinuteNs,
     "The target's host accepts the connection, and its process does not answer. Is tgtd stopped, "
     "or in an uninterruptible wait (ps, state T or D)? An array: look at its controller.",
     LoginUnanswered},
    {"login-cut",
     kWarning,
     SubjectKind::kInitiator,
     {{{"times", 2, "Once may be a restart of the target."}, kInTheLastMinute}},
     0,
     kMinuteNs,
     "The target gives no status, so its log has the reason: tgtd in syslog, LIO in dmesg. Often "
     "it is an access list that closes at once, or a proxy without a target behind it.",
     LoginCut},
    {"portal-refused",
     kWarning,
     SubjectKind::kPortal,
     {{{"times", 2, "Once may be a restart of the target."}, kInTheLastMinute}},
     0,
     kMinuteNs,
     "Is the target running, and does it listen on this address and port (ss -tln)? If the address "
     "is wrong, the target's SendTargets names it: iscsiadm -m discovery, tgtadm --mode portal, "
     "targetcli portals.",
     PortalRefused},
    {"portal-silent",
     kWarning,
     SubjectKind::kPortal,
     {{{"times", 1, "A connect has failed only after several SYNs, or its program gave it up."},
       kInTheLastMinute}},
     0,
     kMinuteNs,
     "No route, a firewall that drops, or a portal that only others reach. Targets list all their "
     "addresses in SendTargets: delete the record of this portal (iscsiadm -m node -p PORTAL -o "
     "delete), or take it off the target's list.",
     PortalSilent},
};

}  // namespace

std::span<const Rule> LoginRules() { return kRules; }

}  // namespace lunscope
