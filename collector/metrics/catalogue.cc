// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

// A part of the page: the metrics of some rows, or their twins.
struct Part {
  const char* topic;
  std::span<const Metric> (*rows)();
  SeriesSource source;
  bool has_twins = false;
};

constexpr Part kParts[] = {
    {"Commands and LUNs", &CommandMetrics, SeriesSource::kIscsi},
    {"Workload profile", &ProfileMetrics, SeriesSource::kIscsi},
    {"Sessions and connections", &SessionMetrics, SeriesSource::kIscsi},
    {"Targets", &TargetMetrics, SeriesSource::kIscsi},
    {"Completeness", &ConservationMetrics, SeriesSource::kIscsi},
    {"Findings", &FindingMetrics, SeriesSource::kIscsi},
    {"SCSI layers", &CommandMetrics, SeriesSource::kScsiLayers, true},
    {"SCSI layers", &ScsiLayerMetrics, SeriesSource::kScsiLayers},
    {"SCSI layers", &ConservationMetrics, SeriesSource::kScsiLayers, true},
    {"lunscope itself", &SelfMetrics, SeriesSource::kIscsi},
};

CatalogueEntry EntryOf(const Metric& row, const Part& part) {
  if (!part.has_twins) {
    return {std::string("lunscope_") + row.name,
            part.topic,
            row.type,
            row.unit,
            row.available,
            row.help,
            row.series,
            part.source};
  }
  const Twin& twin = row.twin;
  const std::string name =
      twin.name != nullptr ? std::string(twin.name) : std::string("scsi_") + row.name;
  const MetricSeries& series = twin.series.add != nullptr ? twin.series : row.series;
  return {"lunscope_" + name, part.topic, row.type, row.unit,
          Available::kLayers, twin.help,  series,   part.source};
}

std::vector<CatalogueEntry> MakeCatalogue() {
  std::vector<CatalogueEntry> entries;
  for (const Part& part : kParts) {
    for (const Metric& row : part.rows()) {
      if (!part.has_twins || row.twin.help != nullptr) entries.push_back(EntryOf(row, part));
    }
  }
  return entries;
}

struct Availability {
  const char* name;
  const char* help;
  bool (*holds)(const Observation&);
};

// By enum Available.
constexpr Availability kAvailabilities[] = {
    {"always", "Always.", [](const Observation&) { return true; }},
    {"live", "Not from a capture file.",
     [](const Observation& observation) { return !observation.is_offline; }},
    {"iscsi", "iSCSI is watched, or the records come from a capture file.",
     [](const Observation& observation) { return observation.has_iscsi; }},
    {"live_iscsi", "iSCSI is watched, and not from a capture file.",
     [](const Observation& observation) {
       return observation.has_iscsi && !observation.is_offline;
     }},
    {"layers", "A SCSI layer is watched (--source scsi or target).",
     [](const Observation& observation) { return observation.layers.has_value(); }},
    {"midlayer", "The SCSI mid-layer is watched (--source scsi).",
     [](const Observation& observation) {
       return observation.layers && observation.layers->has_midlayer;
     }},
    {"joined", "The SCSI mid-layer and iSCSI are watched (--source iscsi,scsi).",
     [](const Observation& observation) {
       return observation.layers && observation.layers->joins;
     }},
    {"profile", "--profile is given.",
     [](const Observation& observation) { return observation.snapshot.has_profiles; }},
};

const Availability& AvailabilityOf(Available available) {
  return kAvailabilities[static_cast<size_t>(available)];
}

}  // namespace

std::vector<const Label*> CatalogueEntry::LabelsOfSeries() const {
  std::vector<const Label*> labels;
  for (const Label* label : series.labels) {
    if (!label->is_of_layers_only || source == SeriesSource::kScsiLayers) labels.push_back(label);
  }
  return labels;
}

const std::vector<CatalogueEntry>& Catalogue() {
  static const std::vector<CatalogueEntry> kCatalogue = MakeCatalogue();
  return kCatalogue;
}

const char* UnitName(Unit unit) {
  switch (unit) {
    case Unit::kSeconds: return "seconds";
    case Unit::kBytes: return "bytes";
    case Unit::kFlag: return "flag";
    case Unit::kInfo: return "info";
    case Unit::kCount: break;
  }
  return "count";
}

const char* AvailableName(Available available) { return AvailabilityOf(available).name; }
const char* AvailableHelp(Available available) { return AvailabilityOf(available).help; }

bool IsAvailable(Available available, const Observation& observation) {
  return AvailabilityOf(available).holds(observation);
}

}  // namespace lunscope
