// SPDX-License-Identifier: Apache-2.0
//
// Rules about logical units: aborts, full queues, sizes, paths.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "collector/base/quantity.h"
#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/window.h"
#include "collector/diagnosis/words.h"
#include "collector/lines/shared_keys.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

struct Aborts {
  std::string requests;
  uint64_t count = 0;
  uint64_t first_ns = 0;
};

void Append(std::string& list, std::string_view name, uint64_t count) {
  list += fmt::format("{}{} {}", list.empty() ? "" : ", ", name, TimesText(count));
}

// The answers do not say which LUN they are about.
std::string AnswersText(const Window& window, const Subject& subject) {
  Subject asker = subject;
  asker.lun.reset();
  std::string answers;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what == Happening::kTaskAnswered && key.subject == asker)
      Append(answers, TaskResponseName(key.code), entry.count);
  }
  return answers.empty() ? "The target did not answer." : "It was answered: " + answers + ".";
}

std::vector<std::string> AbortEvidence(const Window& window, const Subject& subject) {
  std::vector<std::string> evidence = {AnswersText(window, subject)};
  uint64_t aborted = 0;
  uint64_t waited_ns = 0;
  for (const auto& [key, strand] : window.strands.all()) {
    if (strand.subject != subject) continue;
    aborted += strand.now[kAborted];
    waited_ns += strand.now[kAbortedTimes];
  }
  if (aborted != 0)
    evidence.push_back(fmt::format("{} had waited {} on average by then.",
                                   FormatCount(aborted, "command"),
                                   TimeText(Mean(waited_ns, aborted))));
  return evidence;
}

Hits Aborted(const Rule& rule, const Window& window) {
  std::map<Subject, Aborts> by_subject;
  for (const auto& [key, entry] : window.tally.all()) {
    if (key.what != Happening::kTaskRequested || key.code > ISCSI_TASK_TARGET_COLD_RESET ||
        entry.last_ns < window.Ago(rule.Limit("seconds")))
      continue;
    Aborts& aborts = by_subject[key.subject];
    Append(aborts.requests, TaskFunctionName(key.code), entry.count);
    aborts.first_ns =
        aborts.count == 0 ? entry.first_ns : std::min(aborts.first_ns, entry.first_ns);
    aborts.count += entry.count;
  }
  Hits hits;
  for (const auto& [subject, aborts] : by_subject)
    hits.push_back({subject,
                    fmt::format("{} gives up commands to {}: {}", InitiatorText(subject),
                                LunText(subject), aborts.requests),
                    AbortEvidence(window, subject), aborts.first_ns});
  return hits;
}

Hits QueueFull(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, lun] : window.luns) {
    const uint64_t refused = lun.grown[kTurnedAway];
    if (static_cast<double>(refused) < rule.Limit("commands")) continue;
    hits.push_back(
        {lun.subject,
         fmt::format("{} has no room for more commands: BUSY or TASK SET FULL {}",
                     LunText(lun.subject), TimesText(refused)),
         {fmt::format("{} in the same window.", FormatCount(lun.grown[kCommands], "command"))}});
  }
  return hits;
}

Hits NewCapacity(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, strand] : window.strands.all()) {
    const Attention& capacity = strand.capacity;
    if (capacity.since_ns == 0 || capacity.since_ns > window.Ago(rule.Limit("seconds")) ||
        static_cast<double>(capacity.commands) < rule.Limit("commands"))
      continue;
    hits.push_back({strand.subject,
                    fmt::format("{} uses {} with its old size: the target said that the capacity "
                                "has changed, and it did not ask for the new one",
                                InitiatorText(strand.subject), LunText(strand.subject)),
                    {fmt::format("{} since then, and no READ CAPACITY.",
                                 FormatCount(capacity.commands, "command"))},
                    capacity.since_ns});
  }
  return hits;
}

Hits NewLuns(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, strand] : window.strands.all()) {
    const Attention& luns = strand.lun_list;
    if (luns.since_ns == 0 || luns.since_ns > window.Ago(rule.Limit("seconds"))) continue;
    hits.push_back({strand.subject,
                    fmt::format("{} did not look at the new list of LUNs of {}",
                                InitiatorText(strand.subject), strand.subject.target),
                    {},
                    luns.since_ns});
  }
  return hits;
}

Hits OfFigure(const Rule& rule, const Window& window, Figure figure, std::string_view words) {
  Hits hits;
  for (const auto& [key, lun] : window.luns) {
    const uint64_t count = lun.grown[figure];
    if (static_cast<double>(count) < rule.Limit("commands")) continue;
    hits.push_back(
        {lun.subject, fmt::format(fmt::runtime(words), LunText(lun.subject), TimesText(count))});
  }
  return hits;
}

Hits Standby(const Rule& rule, const Window& window) {
  return OfFigure(rule, window, kStandbys,
                  "reads and writes to {} go to a path in standby, which refuses them: {}");
}

Hits PathPingPong(const Rule& rule, const Window& window) {
  return OfFigure(rule, window, kPathChanges,
                  "the active path of {} is changed again and again: SET TARGET PORT GROUPS {}");
}

// Reads are slow beside discards, and were quick without them.
Hits DiscardStorm(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, lun] : window.luns) {
    const Figures& grown = lun.grown;
    uint64_t quiet_ns = 0;
    for (const Strand* strand : lun.strands) quiet_ns = std::max(quiet_ns, strand->quiet_read_ns);
    const uint64_t read_ns = Mean(grown[kReadTimes], grown[kReads]);
    const bool is_many = static_cast<double>(grown[kDiscards]) >= rule.Limit("commands") &&
                         static_cast<double>(grown[kReads]) >= rule.Limit("commands");
    if (!is_many || quiet_ns == 0 || read_ns < static_cast<uint64_t>(rule.Limit("ms") * 1e6) ||
        static_cast<double>(read_ns) < rule.Limit("times") * static_cast<double>(quiet_ns))
      continue;
    hits.push_back({lun.subject,
                    fmt::format("discards slow down {}: a read takes {} beside them, and {} "
                                "without",
                                LunText(lun.subject), TimeText(read_ns), TimeText(quiet_ns)),
                    {fmt::format("{} of {} on average.", FormatCount(grown[kDiscards], "discard"),
                                 TimeText(Mean(grown[kDiscardTimes], grown[kDiscards])))}});
  }
  return hits;
}

constexpr uint64_t kLastsNs = 20 * kSecondNs;
constexpr auto kWarning = FindingSeverity::kWarning;

constexpr Rule kRules[] = {
    {"commands-aborted",
     kWarning,
     SubjectKind::kLun,
     {{{"seconds", 60, "Linux gives up a SCSI command after 30 s, and resets after more."}}},
     0,
     kMinuteNs,
     "A LUN that is too slow, or a timeout that is too short: look at the findings about time and "
     "silence beside this one. Linux: /sys/block/DEVICE/device/timeout (30 s), node.session."
     "err_timeo.*. An answer 'Task does not exist' means that the status was on its way.",
     Aborted},
    {"queue-full",
     kWarning,
     SubjectKind::kLun,
     {{{"commands", 5, "A few tell an initiator how far it may go."}}},
     0,
     kLastsNs,
     "Lower the queue depth of the initiators together below what the LUN takes: "
     "node.session.queue_depth, /sys/block/DEVICE/device/queue_depth; or raise it at the target "
     "(LIO attrib queue_depth).",
     QueueFull},
    {"capacity-not-read",
     kWarning,
     SubjectKind::kLun,
     {{{"commands", 10, "Commands that were queued before the news are no proof."},
       {"seconds", 10, "A rescan by udev or by hand begins sooner, or not at all."}}},
     0,
     kLastsNs,
     "Rescan: iscsiadm -m session -R, or echo 1 > /sys/block/DEVICE/device/rescan; then multipathd "
     "resize map. A guest of QEMU needs block_resize.",
     NewCapacity},
    {"luns-not-listed",
     FindingSeverity::kInfo,
     SubjectKind::kLun,
     {{{"seconds", 30, "A rescan by udev or by hand begins sooner, or not at all."}}},
     0,
     kLastsNs,
     "LUNs came or went on the target. To see them: iscsiadm -m session --rescan.",
     NewLuns},
    {"standby-path",
     kWarning,
     SubjectKind::kLun,
     {{{"commands", 3, "One or two meet a failover in progress."}}},
     0,
     kLastsNs,
     "multipath.conf: prio alua, path_grouping_policy group_by_prio, hardware_handler '1 alua'; "
     "multipath -ll shows which path is active. Without multipath, log in to the active portal.",
     Standby},
    {"path-ping-pong",
     kWarning,
     SubjectKind::kLun,
     {{{"commands", 4, "A failover and its failback are two."}}},
     0,
     kMinuteNs,
     "Two hosts, or two drivers, each pull the LUN to another controller. Use implicit ALUA or one "
     "preferred path on all hosts: multipath.conf failback manual, and one controller as owner.",
     PathPingPong},
    {"discard-storm",
     kWarning,
     SubjectKind::kLun,
     {{{"commands", 10, "Fewer have no mean worth the name."},
       {"ms", 10, "Quicker reads disturb nobody."},
       {"times", 5, "Any other load may double what a read takes."}}},
     0,
     kLastsNs,
     "Mount without -o discard and run fstrim at a quiet hour; limit a discard: "
     "/sys/block/DEVICE/queue/discard_max_bytes; QEMU discard=ignore; LIO attrib "
     "max_unmap_lba_count.",
     DiscardStorm},
};

}  // namespace

std::span<const Rule> LunRules() { return kRules; }

}  // namespace lunscope
