// SPDX-License-Identifier: Apache-2.0
#include "collector/cli/examination.h"

#include <fmt/format.h>

#include <utility>

#include "collector/base/quantity.h"
#include "collector/report/report.h"

namespace lunscope {
namespace {

constexpr size_t kMaxElsewhere = 16;

}  // namespace

Examination::Examination(Watcher& watcher, const PortOptions& ports, StandIns& names)
    : watcher_(watcher), names_(names), redirects_(ports.ports) {
  watcher.set_listener(
      [this](const lunscope_record& record, const Applied& applied) { Take(record, applied); });
}

void Examination::Take(const lunscope_record& record, const Applied& applied) {
  diagnosis_.Take(record, applied);
  if (names_.is_on()) LearnNames(applied, names_);
  std::string elsewhere = redirects_.Take(applied);
  if (!elsewhere.empty() && elsewhere_.size() < kMaxElsewhere)
    elsewhere_.push_back("T" + elsewhere.substr(1) + ".");
  begin_ns_ = begin_ns_ == 0 ? record.time_ns : begin_ns_;
  roles_seen_ |= record.role;
}

void Examination::Look(uint64_t now_ns) {
  end_ns_ = now_ns;
  watcher_.Visit([&](const Model& model) {
    LearnNames(model, names_);
    diagnosis_.Look(model, now_ns);
    connections_ = model.connections().size();
    for (const auto& [id, connection] : model.connections()) {
      if (connection.is_midstream) old_.insert(id);
    }
  });
}

std::vector<Finding> Examination::Covered(const std::vector<Finding>& findings) const {
  LearnNames(findings, names_);
  std::vector<Finding> covered;
  covered.reserve(findings.size());
  for (const Finding& finding : findings) covered.push_back(WithStandIns(finding, names_));
  return covered;
}

LookedAt Examination::Describe(std::string from, bool is_capture) const {
  const CommandCounts counts = watcher_.Commands();
  const bool has_begun = begin_ns_ != 0 && end_ns_ > begin_ns_;
  LookedAt looked_at{std::move(from),
                     has_begun ? end_ns_ - begin_ns_ : 0,
                     connections_,
                     counts.seen,
                     {},
                     has_begun ? begin_ns_ : 0,
                     diagnosis_.beyond()};
  std::vector<std::string>& unseen = looked_at.unseen;
  if (is_capture)
    unseen.emplace_back(
        "A capture has no sockets. Bytes that wait unread, round trips and windows of TCP are "
        "not known.");
  if (roles_seen_ == 0) unseen.emplace_back("No iSCSI connection was seen.");
  if (roles_seen_ == LUNSCOPE_ROLE_INITIATOR)
    unseen.emplace_back(
        "No target's end was seen. Only there it is known what the target's process and its "
        "backing store do.");
  if (!old_.empty())
    unseen.push_back(fmt::format(
        "{} open before: the login was not seen.",
        old_.size() == 1 ? "1 connection was" : fmt::format("{} connections were", old_.size())));
  for (const std::string& sentence : elsewhere_) unseen.push_back(names_.In(sentence));
  AddLosses(counts, unseen);
  return looked_at;
}

void Examination::AddLosses(const CommandCounts& counts, std::vector<std::string>& unseen) const {
  const auto add = [&](uint64_t count, std::string_view noun, std::string_view words) {
    if (count != 0) unseen.push_back(fmt::format("{} {}", FormatCount(count, noun), words));
  };
  add(counts.lost, "command", "lost their record, or were not tracked.");
  add(counts.gaps, "gap", "in what was seen of connections.");
  add(counts.untracked, "connection", "without memory for their state.");
  add(counts.left_out, "record", "of PDUs left out, so that commands had room.");
  if (const std::string left_out = diagnosis_.LeftOut(); !left_out.empty())
    unseen.push_back("Too many to be looked at: " + left_out + ".");
  if (const std::string missing = watcher_.Missing(); !missing.empty())
    unseen.push_back("Not attached: " + missing + ".");
}

}  // namespace lunscope
