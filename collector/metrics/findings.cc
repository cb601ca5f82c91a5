// SPDX-License-Identifier: Apache-2.0
//
// Metrics of the findings: which of them hold, and how many began.
#include <string>
#include <vector>

#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

constexpr Label kFindingLabel = {
    "finding", "The id of the finding; docs/RUNBOOKS.md has a paragraph under each."};
constexpr Label kSeverityLabel = {
    "severity", "How bad it is.",
    [] {
      return std::vector<LabelValue>{
          {"critical", "Somebody waits in vain, or data is in danger."},
          {"warning", "Something is slow or refused, and the cause is named."},
          {"info", "It may be meant so."}};
    },
    true};
constexpr Label kAddressLabel = {
    "address",
    "The address of the initiator's host, or of a portal; empty if the finding is about one "
    "connection, whose port is another one each time."};

struct EachFinding {
  using Item = bool;
  static constexpr std::array kLabels = {&kFindingLabel, &kSeverityLabel,  &kRoleLabel,
                                         &kTargetLabel,  &kInitiatorLabel, &kLunLabel,
                                         &kAddressLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const auto& [finding, holds] : view.observation.findings.holds) {
      visit({{kFindingLabel.name, finding.finding},
             {kSeverityLabel.name, finding.severity},
             RoleLabels(finding.role).front(),
             {kTargetLabel.name, finding.target},
             {kInitiatorLabel.name, finding.initiator},
             {kLunLabel.name, finding.lun ? LunLabelValue(*finding.lun) : ""},
             {kAddressLabel.name, finding.address}},
            holds);
    }
  }
};

struct EachRule {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kFindingLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const auto& [rule, begun] : view.observation.findings.begun)
      visit({{kFindingLabel.name, rule}}, begun);
  }
};

constexpr Metric kFindingMetrics[] = {
    {"finding", Gauge, kFlag, kLiveIscsi,
     "1 while the finding holds, and 0 for 5 minutes after it has ended. A label of what it is not "
     "about is empty. The page /findings has the words.",
     Of<EachFinding>()},
    {"findings_total", Counter, kCount, kLiveIscsi, "Findings that began.", Of<EachRule>()},
};

}  // namespace

std::span<const Metric> FindingMetrics() { return kFindingMetrics; }

}  // namespace lunscope
