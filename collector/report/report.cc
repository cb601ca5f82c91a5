// SPDX-License-Identifier: Apache-2.0
#include "collector/report/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "collector/base/clock.h"
#include "collector/base/printable.h"
#include "collector/base/quantity.h"
#include "collector/diagnosis/words.h"

namespace lunscope {
namespace {

// An address, or two of them as in "local - remote".
std::string PlaceOf(const std::string& address, StandIns& names) {
  return names.is_on() && !address.empty() ? names.In(address) : address;
}

void LearnAddress(const std::string& address, StandIns& names) {
  if (!address.empty()) names.OfAddress(address);
}

std::string FilesText(const std::vector<std::string>& files, StandIns& names) {
  std::vector<std::string> list;
  list.reserve(files.size());
  for (const std::string& file : files)
    list.push_back(names.Of(NameKind::kCapture, Printable(file)));
  return fmt::format("{}", fmt::join(list, ", "));
}

ReportFinding OfFinding(const Finding& finding, int64_t offset_ns) {
  ReportFinding row{finding.severity, finding.sentence,   finding.evidence,
                    finding.advice,   RunbookOf(finding), ""};
  row.evidence.push_back(SeenText(finding, offset_ns));
  return row;
}

}  // namespace

void LearnNames(const Model& model, StandIns& names) {
  if (!names.is_on()) return;
  for (const auto& [id, connection] : model.connections()) {
    names.Of(NameKind::kTarget, connection.target->first.name);
    names.Of(NameKind::kInitiator, connection.initiator);
    LearnAddress(connection.local, names);
    LearnAddress(connection.remote, names);
  }
  for (const auto& [key, session] : model.sessions().all()) {
    names.Of(NameKind::kTarget, key.target);
    names.Of(NameKind::kInitiator, key.initiator);
    LearnAddress(session.portal, names);
    LearnAddress(session.initiator_address, names);
  }
  for (const auto& [key, target] : model.directory().targets()) {
    names.Of(NameKind::kTarget, key.second);
    for (const std::string& address : target.addresses) LearnAddress(address, names);
    LearnAddress(target.redirected_to, names);
  }
}

void LearnNames(const Applied& applied, StandIns& names) {
  if (applied.redirected_to != nullptr) LearnAddress(*applied.redirected_to, names);
  if (applied.ended == nullptr) return;
  names.Of(NameKind::kTarget, applied.ended->target);
  names.Of(NameKind::kInitiator, applied.ended->initiator);
  LearnAddress(applied.ended->local, names);
  LearnAddress(applied.ended->remote, names);
}

void LearnNames(const std::vector<Finding>& findings, StandIns& names) {
  for (const Finding& finding : findings) {
    names.Of(NameKind::kTarget, finding.subject.target);
    names.Of(NameKind::kInitiator, finding.subject.initiator);
  }
}

Finding WithStandIns(const Finding& finding, StandIns& names) {
  if (!names.is_on()) return finding;
  Finding covered = finding;
  covered.subject.target = names.Of(NameKind::kTarget, finding.subject.target);
  covered.subject.initiator = names.Of(NameKind::kInitiator, finding.subject.initiator);
  covered.subject.address = PlaceOf(finding.subject.address, names);
  covered.sentence = names.In(finding.sentence);
  for (std::string& sentence : covered.evidence) sentence = names.In(sentence);
  return covered;
}

LookedAt WithStandIns(const LookedAt& looked_at, StandIns& names) {
  LookedAt covered = looked_at;
  for (std::string& sentence : covered.unseen) sentence = names.In(sentence);
  return covered;
}

void AddFindings(const std::vector<Finding>& findings, const LookedAt& looked_at,
                 const ReportOrigin& origin, StandIns& names, Report& report) {
  const int64_t offset_ns = origin.wall_clock_offset_ns;
  report.facts.emplace_back("Version", "lunscope " + origin.version);
  if (origin.captures.empty()) {
    report.facts.emplace_back("Host", names.Of(NameKind::kHost, Printable(origin.host)));
  } else {
    report.facts.emplace_back("Capture", FilesText(origin.captures, names));
  }
  report.facts.emplace_back("Looked at", LookedAtText(looked_at));
  if (looked_at.begin_ns != 0) {
    const auto time = [&](uint64_t ns) { return FormatTime(static_cast<int64_t>(ns) + offset_ns); };
    report.facts.emplace_back("From", time(looked_at.begin_ns));
    report.facts.emplace_back("Until", time(looked_at.begin_ns + looked_at.length_ns));
  }
  report.facts.emplace_back("Findings",
                            findings.empty() ? "none" : FindingsCountText(findings, looked_at));
  report.unseen = looked_at.unseen;
  for (const FindingGroup& group : Grouped(findings, looked_at)) {
    for (const Finding* finding : group.shown)
      report.findings.push_back(OfFinding(*finding, offset_ns));
    report.findings.back().more = group.MoreText();
  }
}

}  // namespace lunscope
