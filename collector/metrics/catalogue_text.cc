// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/catalogue_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "collector/base/json.h"
#include "collector/metrics/catalogue.h"
#include "collector/metrics/text_format.h"

namespace lunscope {
namespace {

void AppendTopics(std::string& text) {
  std::string topic;
  for (const CatalogueEntry& entry : Catalogue()) {
    if (topic != entry.topic)
      text += fmt::format("{}{}\n\n", topic.empty() ? "" : "\n", entry.topic);
    topic = entry.topic;
    std::vector<std::string> labels;
    for (const Label* label : entry.LabelsOfSeries()) labels.emplace_back(label->name);
    text += fmt::format("{}\n    {}, {}: {}\n    Available: {}\n", entry.name, TypeName(entry.type),
                        UnitName(entry.unit), entry.help, AvailableHelp(entry.available));
    if (!labels.empty()) text += fmt::format("    Labels: {}\n", fmt::join(labels, ", "));
  }
}

// A label with the metrics that have it.
struct UsedLabel {
  const Label* label;
  std::vector<std::string> metrics;
};

std::vector<UsedLabel> UsedLabels() {
  std::vector<UsedLabel> used;
  for (const CatalogueEntry& entry : Catalogue()) {
    for (const Label* label : entry.LabelsOfSeries()) {
      auto known = std::ranges::find(used, label, &UsedLabel::label);
      if (known == used.end()) known = used.insert(used.end(), {label, {}});
      known->metrics.push_back(entry.name);
    }
  }
  return used;
}

void AppendLabels(std::string& text) {
  text += "\nLabels\n\n";
  const std::vector<UsedLabel> used = UsedLabels();
  for (const UsedLabel& each : used) {
    const bool is_only_one = std::ranges::count_if(used, [&](const UsedLabel& other) {
                               return std::string_view(other.label->name) == each.label->name;
                             }) == 1;
    text += each.label->name;
    if (!is_only_one) text += fmt::format(" of {}", fmt::join(each.metrics, ", "));
    text += fmt::format("\n    {}\n", each.label->help);
    if (each.label->values == nullptr) continue;
    for (const LabelValue& value : each.label->values())
      text += fmt::format("    {}: {}\n", value.value, value.help);
  }
}

void FillLabel(json::Members& object, const Label& label) {
  object.String("name", label.name);
  object.String("help", label.help);
  object.Array("values", [&](json::Elements& values) {
    if (label.values == nullptr) return;
    for (const LabelValue& each : label.values()) {
      values.Object([&](json::Members& value) {
        value.String("value", each.value);
        value.String("help", each.help);
      });
    }
  });
  object.Flag("has_other_values", !label.is_closed);
}

void FillMetric(json::Members& object, const CatalogueEntry& entry) {
  object.String("name", entry.name);
  object.String("topic", entry.topic);
  object.String("type", TypeName(entry.type));
  object.String("unit", UnitName(entry.unit));
  object.String("help", entry.help);
  object.Object("available", [&](json::Members& available) {
    available.String("name", AvailableName(entry.available));
    available.String("help", AvailableHelp(entry.available));
  });
  object.Array("labels", [&](json::Elements& labels) {
    for (const Label* label : entry.LabelsOfSeries()) labels.Object(FillLabel, *label);
  });
}

}  // namespace

std::string CatalogueText() {
  std::string text;
  AppendTopics(text);
  AppendLabels(text);
  return text;
}

std::string CatalogueJson() {
  std::vector<std::string> metrics;
  for (const CatalogueEntry& entry : Catalogue())
    metrics.push_back(json::Object(FillMetric, entry));
  return fmt::format("{{\"metrics\":[\n{}\n]}}\n", fmt::join(metrics, ",\n"));
}

}  // namespace lunscope
