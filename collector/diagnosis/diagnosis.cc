// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/diagnosis.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "collector/base/quantity.h"
#include "collector/diagnosis/window.h"

namespace lunscope {

void Diagnosis::Take(const lunscope_record& record, const Applied& applied) {
  if (last_turn_ns_ == 0) begin_ns_ = next_ns_ = last_turn_ns_ = record.time_ns;
  tally_.Take(record, applied);
  strands_.Take(record, applied);
}

void Diagnosis::Look(const Model& model, uint64_t now_ns) {
  const size_t connections = model.connections().size();
  if (connections > kMaxConnections) unlooked_ = std::max(unlooked_, connections - kMaxConnections);
  Look(LookAt(model, kMaxConnections), now_ns);
}

void Diagnosis::Look(std::vector<ConnectionLook> connections, uint64_t now_ns) {
  if (last_turn_ns_ == 0) begin_ns_ = next_ns_ = last_turn_ns_ = now_ns;
  history_.Take(connections, now_ns);
  tally_.Age(now_ns);
  Window window{now_ns, begin_ns_, connections, strands_, tally_, {}};
  GroupByLun(window);
  const std::vector<const Rule*>& rules = AllRules();
  std::ranges::fill(beyond_now_, 0);
  for (size_t rule = 0; rule < rules.size(); rule++) {
    for (Hit& hit : rules[rule]->find(*rules[rule], window)) Take(rule, std::move(hit), now_ns);
    beyond_[rule] = std::max(beyond_[rule], beyond_now_[rule]);
  }
  news_.clear();
  End(now_ns);
  Begin(now_ns);
  if (now_ns < last_turn_ns_ + kTurnNs) return;
  history_.Turn();
  strands_.Turn();
  begin_ns_ = std::exchange(next_ns_, now_ns);
  last_turn_ns_ = now_ns;
}

bool Diagnosis::HasRoom(size_t rule, FindingSeverity severity) const {
  const bool is_critical = severity == FindingSeverity::kCritical;
  return kept_[rule] < kMaxOfRule &&
         states_.size() < (is_critical ? kMaxFindings : kMaxFindings - kForCritical);
}

void Diagnosis::Take(size_t rule, Hit hit, uint64_t now_ns) {
  const Key key{rule, hit.subject};
  const Rule& row = *AllRules()[rule];
  if (!states_.contains(key) && !HasRoom(rule, hit.severity.value_or(row.severity))) {
    beyond_now_[rule]++;
    return;
  }
  const auto [place, is_new] = states_.try_emplace(key);
  State& state = place->second;
  if (is_new) {
    state.first_ns = now_ns;
    kept_[rule]++;
  }
  state.last_ns = now_ns;
  Finding& finding = state.finding;
  const uint64_t since_ns = hit.since_ns == 0 ? state.first_ns : hit.since_ns;
  finding.since_ns = is_new ? since_ns : std::min(finding.since_ns, since_ns);
  finding.rule = &row;
  const FindingSeverity severity = hit.severity.value_or(row.severity);
  // A finding that was worse keeps the words of that time.
  if (!is_new && severity < finding.severity) return;
  finding.severity = severity;
  finding.subject = std::move(hit.subject);
  finding.sentence = std::move(hit.sentence);
  finding.evidence = std::move(hit.evidence);
  finding.advice = hit.advice.empty() ? row.advice : hit.advice;
}

void Diagnosis::Begin(uint64_t now_ns) {
  for (auto& [key, state] : states_) {
    if (state.is_said || now_ns - state.first_ns < state.finding.rule->holds_ns) continue;
    state.is_said = true;
    news_.push_back(state.finding);
  }
}

// Is it over? A rule that did not hold for long enough has to begin again.
bool Diagnosis::IsOver(const State& state, uint64_t now_ns) {
  if (!state.is_said) return state.last_ns < now_ns;
  return state.last_ns + state.finding.rule->lasts_ns < now_ns;
}

void Diagnosis::End(uint64_t now_ns) {
  for (auto place = states_.begin(); place != states_.end();) {
    State& state = place->second;
    if (!IsOver(state, now_ns)) {
      ++place;
      continue;
    }
    if (state.is_said) {
      state.finding.until_ns = state.last_ns;
      news_.push_back(state.finding);
      if (ended_.size() == kMaxEnded) ended_.pop_front();
      ended_.push_back(std::move(state.finding));
    }
    kept_[place->first.first]--;
    place = states_.erase(place);
  }
}

std::vector<Finding> Diagnosis::All() const {
  std::vector<Finding> all;
  for (const auto& [key, state] : states_) {
    if (state.is_said) all.push_back(state.finding);
  }
  all.insert(all.end(), ended_.begin(), ended_.end());
  std::ranges::stable_sort(all, [](const Finding& a, const Finding& b) {
    return std::tuple(b.severity, a.until_ns != 0, a.since_ns) <
           std::tuple(a.severity, b.until_ns != 0, b.since_ns);
  });
  return all;
}

std::string Diagnosis::LeftOut() const {
  std::string text;
  const auto add = [&](uint64_t count, std::string_view noun) {
    if (count != 0) text += (text.empty() ? "" : ", ") + FormatCount(count, noun);
  };
  add(unlooked_, "connection");
  add(strands_.left_out(), "command");
  add(tally_.left_out(), "event");
  add(std::accumulate(beyond_.begin(), beyond_.end(), uint64_t{0}), "finding");
  return text;
}

}  // namespace lunscope
