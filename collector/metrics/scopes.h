// SPDX-License-Identifier: Apache-2.0
//
// Scopes: what a metric has one series for. A scope knows the labels of these series, and how to
// walk over its items in an observation:
//
//   kLabels            the labels, in the order of the series
//   Item               what there is one of for each series
//   Walk(view, visit)  visits each item with its labels
//
// Items come in the order of the page. Scopes that only one topic has are in the file of the topic.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collector/metrics/family.h"
#include "collector/metrics/labels.h"
#include "collector/metrics/observation.h"

namespace lunscope {

// A metric is about iSCSI or about the kernel's SCSI layers; the same scopes serve both.
enum class SeriesSource { kIscsi, kScsiLayers };

// The sessions in the order of their labels. Two metrics need it, and one sort of 10,000 sessions
// in a scrape is enough.
using SessionOrder = std::vector<const SessionState*>;

struct View {
  const Observation& observation;
  SeriesSource source;
  SessionOrder& session_order;  // empty until a scope needs it
};

template <typename Item>
using ItemVisitor = std::function<void(const Labels&, const Item&)>;

// The age in nanoseconds of what began then; 0: nothing did. The clocks of two CPUs differ by a
// little, and an age is never negative.
inline uint64_t AgeNs(uint64_t begin_ns, const View& view) {
  const uint64_t now_ns = view.observation.now_ns;
  return begin_ns == 0 || begin_ns > now_ns ? 0 : now_ns - begin_ns;
}

// One series.
struct Once {
  using Item = Observation;
  static constexpr std::array<const Label*, 0> kLabels = {};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    visit({}, view.observation);
  }
};

using VisitTarget = std::function<void(Labels&, const TargetKey&, const TargetStatistics&)>;
using VisitLun = std::function<void(Labels&, const LunStatistics&)>;

// For scopes that have more labels: these visit with labels that may grow (Scoped).
void WalkTargets(const View& view, const VisitTarget& visit);
enum class LunRoles { kBoth, kInitiator };
void WalkLuns(const View& view, LunRoles roles, const VisitLun& visit);

// A label of an item while a walk is at it. The walk takes the label off again behind the item, so
// that labels are copied only into a series.
class Scoped {
 public:
  Scoped(Labels& labels, const Label& label, std::string value) : labels_(labels) {
    labels_.push_back({label.name, std::move(value)});
  }
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;
  ~Scoped() { labels_.pop_back(); }

 private:
  Labels& labels_;
};

struct EachTarget {
  using Item = TargetStatistics;
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit);
};

struct EachLun {
  using Item = LunStatistics;
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel, &kLunLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit);
};

// The LUNs of one role: below the SCSI mid-layer.
struct EachInitiatorLun : EachLun {
  static void Walk(const View& view, const ItemVisitor<Item>& visit);
};

struct EachOperation {
  using Item = OperationStatistics;
  static constexpr std::array kLabels = {&kRoleLabel, &kTransportLabel, &kTargetLabel, &kLunLabel,
                                         &kOperationLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit);
};

// The roles that are watched.
std::vector<uint8_t> RolesOf(const View& view);
Labels RoleLabels(uint8_t role);
Labels InitiatorLabels(const InitiatorKey& key);  // role, target and initiator

// These counts, and 0 for each of the codes that has none: the first count of such a code is then
// an increase of a counter.
std::map<uint8_t, uint64_t> WithZeros(std::map<uint8_t, uint64_t> counts,
                                      std::span<const uint8_t> codes);

// The totals that a counter is a member of.
inline const lunscope_totals& TotalsOf(const View& view, const lunscope_totals*) {
  return view.observation.totals;
}
inline const lunscope_scsi_totals& TotalsOf(const View& view, const lunscope_scsi_totals*) {
  static constexpr lunscope_scsi_totals kNone = {};
  return view.observation.layers ? view.observation.layers->totals : kNone;
}
template <typename Totals, typename Counter>
const Counter& CounterOf(const View& view, Counter Totals::*counter) {
  return TotalsOf(view, static_cast<const Totals*>(nullptr)).*counter;
}

// A counter of totals, by role.
template <auto counter>
struct EachRole {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const uint8_t role : RolesOf(view))
      visit(RoleLabels(role), CounterOf(view, counter)[role]);
  }
};

// A counter of totals, by role and reason.
template <auto counter, const ReasonLabel& label>
struct EachRoleAndReason {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel, static_cast<const Label*>(&label)};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const uint8_t role : RolesOf(view)) {
      size_t reason = 0;
      for (const uint64_t count : CounterOf(view, counter)[role]) {
        Labels labels = RoleLabels(role);
        labels.push_back({label.name, label.value_of(reason++)});
        visit(labels, count);
      }
    }
  }
};

// A counter of totals, by reason. first: the reasons before it do not occur.
template <auto counter, const ReasonLabel& label, size_t first = 0>
struct EachReason {
  using Item = uint64_t;
  static constexpr std::array kLabels = {static_cast<const Label*>(&label)};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    size_t reason = 0;
    for (const uint64_t count : CounterOf(view, counter)) {
      if (reason >= first) visit({{label.name, label.value_of(reason)}}, count);
      reason++;
    }
  }
};

// The items of a scope for which a condition holds.
template <typename Scope, auto condition>
struct Where : Scope {
  using Item = typename Scope::Item;
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    Scope::Walk(view, [&](const Labels& labels, const Item& item) {
      if (std::invoke(condition, item)) visit(labels, item);
    });
  }
};

}  // namespace lunscope
