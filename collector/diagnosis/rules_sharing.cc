// SPDX-License-Identifier: Apache-2.0
//
// Rules about a LUN that several initiators use: who holds it, and who writes to it.
#include <fmt/format.h>

#include <algorithm>

#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/window.h"
#include "collector/diagnosis/words.h"

namespace lunscope {
namespace {

// The initiator whose RESERVE succeeded last, as a sentence.
std::string HolderText(const LunView& lun, const Window& window) {
  const Strand* holder = nullptr;
  for (const auto& [key, strand] : window.strands.all()) {
    const bool is_here = strand.subject.role == lun.subject.role &&
                         strand.subject.target == lun.subject.target &&
                         strand.subject.lun == lun.subject.lun;
    if (!is_here || strand.reserved_ns == 0) continue;
    if (holder == nullptr || strand.reserved_ns > holder->reserved_ns) holder = &strand;
  }
  if (holder == nullptr)
    return "The holder is not known: it reserved the LUN before lunscope looked.";
  return fmt::format("The last RESERVE that succeeded was of {}.", InitiatorText(holder->subject));
}

Hits Conflicts(const Rule& rule, const Window& window) {
  Hits hits;
  for (const auto& [key, lun] : window.luns) {
    for (const Strand* strand : lun.strands) {
      const uint64_t conflicts = strand->Grown()[kConflicts];
      if (conflicts == 0) continue;
      const bool is_one = static_cast<double>(conflicts) < rule.Limit("commands");
      hits.push_back(
          {strand->subject,
           fmt::format("{} is refused by the reservation of {}: RESERVATION CONFLICT {}",
                       InitiatorText(strand->subject), LunText(lun.subject), TimesText(conflicts)),
           {HolderText(lun, window)},
           0,
           is_one ? FindingSeverity::kInfo : FindingSeverity::kWarning});
    }
  }
  return hits;
}

bool Overlap(const WrittenBlocks& a, const WrittenBlocks& b) {
  return a.lba < b.lba + b.blocks && b.lba < a.lba + a.blocks;
}

bool Overlap(const Strand& a, const Strand& b) {
  return std::ranges::any_of(a.writes, [&](const WrittenBlocks& one) {
    return std::ranges::any_of(b.writes,
                               [&](const WrittenBlocks& other) { return Overlap(one, other); });
  });
}

// Two writers of the LUN with two names; nullptr: nobody, or nobody else.
struct Writers {
  const Strand* first = nullptr;
  const Strand* second = nullptr;
  bool overlap = false;
  bool reserves = false;
};

Writers WritersOf(const LunView& lun) {
  Writers writers;
  for (const Strand* strand : lun.strands) {
    writers.reserves = writers.reserves || strand->reserved_ns != 0;
    if (strand->Grown()[kWrites] == 0 || strand->subject.initiator.empty()) continue;
    if (writers.first == nullptr) {
      writers.first = strand;
    } else if (strand->subject.initiator != writers.first->subject.initiator) {
      writers.second = strand;
      writers.overlap = writers.overlap || Overlap(*writers.first, *strand);
    }
  }
  return writers;
}

Hits TwoWriters(const Rule& /*rule*/, const Window& window) {
  Hits hits;
  for (const auto& [key, lun] : window.luns) {
    const Writers writers = WritersOf(lun);
    if (writers.second == nullptr || writers.reserves) continue;
    hits.push_back(
        {lun.subject,
         fmt::format("two initiators write to {}: {} and {}", LunText(lun.subject),
                     InitiatorText(writers.first->subject), InitiatorText(writers.second->subject)),
         {writers.overlap ? "Both have written the same blocks, and nobody reserved the LUN."
                          : "No block was seen that both wrote, and nobody reserved the LUN."},
         0,
         writers.overlap ? FindingSeverity::kWarning : FindingSeverity::kInfo});
  }
  return hits;
}

constexpr auto kWarning = FindingSeverity::kWarning;

constexpr Rule kRules[] = {
    {"reservation-conflict",
     kWarning,
     SubjectKind::kLun,
     {{{"commands", 3, "A cluster that fails over has one or two."}}},
     0,
     kMinuteNs,
     "Registrations belong to initiator name and ISID: another ISID after a new login is another "
     "registrant. sg_persist -k and -r show keys and holder; only release or clear it (sg_persist "
     "--clear) if no other host uses the LUN.",
     Conflicts},
    {"two-writers",
     kWarning,
     SubjectKind::kLun,
     {},
     0,
     kMinuteNs,
     "That is safe only with a cluster file system (GFS2, OCFS2, VMFS) or cluster LVM. With any "
     "other the file system breaks: stop one of them now, then check it (fsck). Let only one "
     "initiator in: tgtadm --op bind --initiator-name, LIO ACLs.",
     TwoWriters},
};

}  // namespace

std::span<const Rule> SharingRules() { return kRules; }

}  // namespace lunscope
