// SPDX-License-Identifier: Apache-2.0
//
// A metric is one constexpr row. The row has the metric's name, type, unit, help and when it
// is available; and its series, which are a scope (scopes.h) and a value of each item of the scope:
//
//   {"read_bytes_total", Counter, kBytes, kIscsi, "Bytes in Data-In segments.",
//    Of<EachLun, &LunStatistics::read_bytes>(), Twin{"Bytes that a SCSI layer has read."}}
//
// The last member is the twin of the row: the metric lunscope_scsi_read_bytes_total, which has the
// same series for the kernel's SCSI layers. The twins are metrics of their own and no label,
// because a command of the kernel's iSCSI initiator passes the mid-layer and the wire: a sum over
// one metric would count it twice.
#pragma once

#include <functional>
#include <span>

#include "collector/metrics/family.h"
#include "collector/metrics/labels.h"
#include "collector/metrics/scopes.h"

namespace lunscope {

enum class Available { kAlways, kLive, kIscsi, kLiveIscsi, kLayers, kMidlayer, kJoined, kProfile };

// The series of a metric: their labels, and a function that adds them to the family.
struct MetricSeries {
  std::span<const Label* const> labels = {};
  void (*add)(const View& view, Family& family) = nullptr;
};

// Reads a value of an item: by a pointer to a member, or a function of the item or of the item and
// the view.
template <typename Scope, auto value>
void AddSeries(const View& view, Family& family) {
  using Item = typename Scope::Item;
  Scope::Walk(view, [&](const Labels& labels, const Item& item) {
    if constexpr (std::is_invocable_v<decltype(value), const Item&, const View&>) {
      family.Add(labels, std::invoke(value, item, view));
    } else {
      family.Add(labels, std::invoke(value, item));
    }
  });
}

// The item of a scope that walks over numbers or histograms is the value.
template <typename Item>
const Item& Itself(const Item& item) {
  return item;
}

template <typename Item>
int One(const Item&) {
  return 1;
}

template <typename Scope, auto value = &Itself<typename Scope::Item>>
constexpr MetricSeries Of() {
  return {Scope::kLabels, &AddSeries<Scope, value>};
}

// The series of an info metric: the labels are the information.
template <typename Scope>
constexpr MetricSeries InfoOf() {
  return Of<Scope, &One<typename Scope::Item>>();
}

struct Twin {
  const char* help = nullptr;  // nullptr: there is no twin
  MetricSeries series = {};    // none: those of the row
  const char* name = nullptr;  // nullptr: "scsi_", and the name of the row
};

struct Metric {
  const char* name;  // without "lunscope_"
  prometheus::MetricType type;
  Unit unit;
  Available available;
  const char* help;
  MetricSeries series;
  Twin twin = {};
};

}  // namespace lunscope
