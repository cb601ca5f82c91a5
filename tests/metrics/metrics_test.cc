// SPDX-License-Identifier: Apache-2.0
//
// Properties of every exposition, for traffic that the golden file does not hold. Prometheus drops
// one of two series with the same name and labels, so no traffic may make such a pair.
#include "collector/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "collector/metrics/process_metrics.h"
#include "tests/golden/golden.h"
#include "tests/model/host.h"

namespace lunscope {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using ::testing::_;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string SeriesName(const MetricFamily& family, const ClientMetric& metric) {
  std::map<std::string, std::string> labels;
  for (const ClientMetric::Label& label : metric.label) labels[label.name] = label.value;
  std::string name = family.name + "{";
  for (const auto& [label, value] : labels) name += label + "=" + value + ",";
  return name + "}";
}

std::vector<std::string> Duplicates(const std::vector<MetricFamily>& families) {
  std::vector<std::string> duplicates;
  std::set<std::string> names;
  std::set<std::string> family_names;
  for (const MetricFamily& family : families) {
    if (!family_names.insert(family.name).second) duplicates.push_back(family.name);
    for (const ClientMetric& metric : family.metric) {
      const std::string name = SeriesName(family, metric);
      if (!names.insert(name).second) duplicates.push_back(name);
    }
  }
  return duplicates;
}

std::vector<MetricFamily> Render(const Host& host) {
  Observation observation;
  observation.snapshot = host.See();
  observation.now_ns = host.now_ns;
  return RenderMetrics(observation);
}

// The values of a metric, by the labels after role and target.
std::map<std::string, double> Values(const std::vector<MetricFamily>& families,
                                     const std::string& name) {
  std::map<std::string, double> values;
  for (const MetricFamily& family : families) {
    if (family.name != "lunscope_" + name) continue;
    for (const ClientMetric& metric : family.metric) {
      std::string labels;
      for (const ClientMetric::Label& label : metric.label) {
        if (label.name == "role" || label.name == "target") continue;
        labels += (labels.empty() ? "" : " ") + label.value;
      }
      values[labels] += family.type == prometheus::MetricType::Counter ? metric.counter.value
                                                                       : metric.gauge.value;
    }
  }
  return values;
}

struct TrafficRow {
  const char* what;
  void (*traffic)(Host&);
};

const TrafficRow kTraffic[] = {
    {"nothing", [](Host&) {}},
    {"one LUN, addressed in three ways",
     [](Host& host) {
       for (uint64_t method : {0x0001ull, 0x4001ull, 0x8001ull})
         host.On(1).Completes(Read16(0, 1).OnLun(method << 48));
     }},
    {"a LUN of all ones",
     [](Host& host) { host.On(1).Completes(Read16(0, 1).OnLun(~uint64_t{0})); }},
    {"every status",
     [](Host& host) {
       for (int status = 0; status < 256; status++)
         host.On(1).Completes(Read16(0, 1).Ending(static_cast<uint8_t>(status)));
     }},
    {"every sense key",
     [](Host& host) {
       for (uint8_t key = 0; key < 16; key++) host.On(1).Completes(Read16(0, 1).Sensing(key, 0, 0));
     }},
    {"every response",
     [](Host& host) {
       for (int response = 0; response < 256; response++)
         host.On(1).Completes(Read16(0, 1).Responding(static_cast<uint8_t>(response)));
     }},
    {"every code of management PDUs",
     [](Host& host) {
       for (int code = 0; code < 256; code++) {
         const auto byte = static_cast<uint8_t>(code);
         host.On(1).RequestsTask(byte & 0x7f).Rejects(byte).Announces(byte);
       }
     }},
    {"every opcode",
     [](Host& host) {
       for (uint8_t opcode = 0; opcode < 32; opcode++) {
         host.On(1).Counts(LUNSCOPE_SENT, opcode, 1, 48);
         host.On(1).Counts(LUNSCOPE_RECEIVED, opcode, 1, 48);
       }
       host.On(1).Closes();
     }},
    {"two initiators whose sessions have the same numbers",
     [](Host& host) {
       host.Opens(2, LUNSCOPE_ROLE_TARGET).LogsIn({.initiator = "iqn.one"});
       host.Opens(3, LUNSCOPE_ROLE_TARGET).LogsIn({.initiator = "iqn.two"});
     }},
    {"targets with the names that stand for a missing name",
     [](Host& host) {
       for (uint16_t i = 0; const char* name : {kUnknownName, kDiscoveryName, kOverflowName}) {
         i++;
         host.Opens(10 + i).LogsIn({.target = name, .isid = i}).Completes(Read16(0, 1));
         host.Opens(20 + i).LogsIn({.target = "", .isid = 10u + i}).Completes(Read16(0, 1));
       }
     }},
    {"names that differ behind the longest name",
     [](Host& host) {
       for (uint16_t i = 1; i <= 2; i++) {
         host.Opens(1 + i).LogsIn({.target = std::string(223, 'n') + std::to_string(i), .tsih = i});
         host.On(1 + i).Completes(Read16(0, 1));
       }
     }},
};

TEST(Metrics, AreUniqueWhateverTheTrafficIs) {
  for (const TrafficRow& row : kTraffic) {
    for (size_t cap : {size_t{10'000}, size_t{3}, size_t{0}}) {
      Host host({.max_label_sets = cap});
      host.Opens(1).LogsIn({.isid = 99});
      row.traffic(host);
      host.Walks();
      EXPECT_THAT(Duplicates(Render(host)), IsEmpty()) << row.what << ", cap " << cap;
    }
  }
}

TEST(Metrics, OfTheGoldenSceneAreUnique) {
  EXPECT_THAT(Duplicates(RenderMetrics(FixedObservation())), IsEmpty());
}

TEST(Metrics, OfNothingAreThoseOfLunscopeItself) {
  const std::vector<MetricFamily> families = RenderMetrics({});
  for (const MetricFamily& family : families) {
    EXPECT_TRUE(family.name.starts_with("lunscope_")) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_FALSE(family.metric.empty()) << family.name;
  }
  EXPECT_THAT(Values(families, "commands_seen_total"), Contains(::testing::Key("")));
}

// Metrics that only a live host has are absent; every other metric is as it is live.
TEST(Metrics, OfACaptureFile) {
  Observation offline = FixedObservation();
  offline.is_offline = true;
  std::set<std::string> absent;
  for (const MetricFamily& family : RenderMetrics(FixedObservation())) absent.insert(family.name);
  for (const MetricFamily& family : RenderMetrics(offline))
    EXPECT_EQ(absent.erase(family.name), 1u) << family.name;
  EXPECT_THAT(
      absent,
      ::testing::UnorderedElementsAre(
          "lunscope_tcp_retransmitted_segments_total", "lunscope_unread_bytes",
          "lunscope_tcp_unsent_bytes", "lunscope_tcp_unacknowledged_bytes",
          "lunscope_tcp_oldest_unacknowledged_seconds", "lunscope_tcp_smoothed_rtt_seconds",
          "lunscope_tcp_closed_send_windows", "lunscope_target_events_lost_total",
          "lunscope_lun_local_info", "lunscope_connection_memory_bytes",
          "lunscope_connection_memory_limit_bytes", "lunscope_probe_attached",
          "lunscope_probe_misses_total", "lunscope_bpf_runs_total",
          "lunscope_bpf_run_seconds_total", "lunscope_events_total", "lunscope_events_lost_total",
          "lunscope_waiting_records", "lunscope_wakeups_total", "lunscope_scrape_duration_seconds",
          "lunscope_scrape_errors", "lunscope_healed_bytes_total",
          "lunscope_http_clients_cut_total", "lunscope_http_requests_refused_total",
          "lunscope_session_events_total", "lunscope_session_events_dropped_total",
          "lunscope_session_events_unsaid_total", "lunscope_finding", "lunscope_findings_total"));
}

TEST(Metrics, HaveHelpOfOneAsciiLine) {
  for (const MetricFamily& family : RenderMetrics(FixedObservation())) {
    EXPECT_TRUE(std::all_of(family.help.begin(), family.help.end(), [](char c) {
      return c >= 0x20 && c < 0x7f;
    })) << family.name;
    EXPECT_TRUE(family.help.ends_with(".")) << family.name;
  }
}

TEST(Metrics, OfAHistogramAreCumulative) {
  for (const MetricFamily& family : RenderMetrics(FixedObservation())) {
    if (family.type != prometheus::MetricType::Histogram) continue;
    for (const ClientMetric& metric : family.metric) {
      const auto& buckets = metric.histogram.bucket;
      EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end(), [](const auto& a, const auto& b) {
        return std::pair(a.upper_bound, a.cumulative_count) <
               std::pair(b.upper_bound, b.cumulative_count);
      }));
      EXPECT_EQ(buckets.back().cumulative_count, metric.histogram.sample_count);
      EXPECT_EQ(buckets.back().upper_bound, std::numeric_limits<double>::infinity());
    }
  }
}

TEST(Metrics, OfASessionSayWhetherItIsUp) {
  Host host;
  host.Opens(1).LogsIn({.isid = 1});
  host.Opens(2).LogsIn({.isid = 2}).Drops();
  EXPECT_THAT(Values(Render(host), "session_up"),
              ElementsAre(std::pair("000000000001:0001 192.0.2.2:3260", 1),
                          std::pair("000000000002:0001 192.0.2.2:3260", 0)));
}

TEST(Metrics, OfTheOldestCommandAreItsAge) {
  Host host;
  host.Opens(1).LogsIn().Holds({{Lun(1), host.now_ns}});
  host.Walks();
  host.now_ns += 1'500'000'000;
  EXPECT_THAT(Values(Render(host), "oldest_outstanding_command_seconds"),
              ElementsAre(std::pair("1", 1.5)));
  // The clocks of two CPUs differ by a little: an age is never negative.
  host.now_ns -= 1'500'000'001;
  EXPECT_THAT(Values(Render(host), "oldest_outstanding_command_seconds"),
              ElementsAre(std::pair("1", 0)));
}

TEST(Metrics, OfFindingsAreOneWhileTheyHold) {
  Observation observation;
  FindingLabels labels = {"late-data", "warning",  LUNSCOPE_ROLE_TARGET, "iqn.disk",
                          Lun(3),      "iqn.host", "192.0.2.1"};
  observation.findings.holds[labels] = true;
  labels.lun.reset();
  observation.findings.holds[labels] = false;
  observation.findings.begun = {{"late-data", 2}, {"pdu-rejected", 0}};
  const std::vector<MetricFamily> families = RenderMetrics(observation);
  EXPECT_THAT(Values(families, "finding"),
              UnorderedElementsAre(Pair("late-data warning iqn.host 3 192.0.2.1", 1),
                                   Pair("late-data warning iqn.host  192.0.2.1", 0)));
  EXPECT_THAT(Values(families, "findings_total"),
              UnorderedElementsAre(Pair("late-data", 2), Pair("pdu-rejected", 0)));
}

TEST(Metrics, OfErrorsBeginAtZero) {
  Host host;
  host.Opens(1).LogsIn().Completes(Read16(0, 1));
  const auto before = Values(Render(host), "command_errors_total");
  EXPECT_THAT(before, Each(Pair(_, 0)));
  for (const char* error :
       {"0 check_condition not_ready", "0 check_condition medium_error",
        "0 check_condition hardware_error", "0 check_condition illegal_request",
        "0 check_condition unit_attention", "0 check_condition data_protect",
        "0 check_condition aborted_command", "0 busy none", "0 reservation_conflict none",
        "0 task_set_full none", "0 task_aborted none", "0 target_failure none"})
    EXPECT_THAT(before, Contains(Pair(error, 0)));
  EXPECT_THAT(Values(Render(host), "commands_without_status_total"),
              UnorderedElementsAre(Pair("0 aborted", 0), Pair("0 connection_closed", 0)));
  EXPECT_THAT(Values(Render(host), "task_management_requests_total"),
              AllOf(SizeIs(5), Each(Pair(_, 0))));
  EXPECT_THAT(Values(Render(host), "login_failures_total"),
              AllOf(SizeIs(16), Each(Pair(_, 0)), Contains(Pair("authentication_failure", 0))));
  EXPECT_THAT(Values(Render(host), "rejects_total"), AllOf(SizeIs(3), Each(Pair(_, 0))));
  EXPECT_THAT(Values(Render(host), "async_messages_total"), AllOf(SizeIs(3), Each(Pair(_, 0))));
  // One of them counts in its series, and not beside it.
  host.On(1).Completes(Read16(0, 1).Sensing(0x03, 0x11, 0x00));
  const auto after = Values(Render(host), "command_errors_total");
  EXPECT_EQ(after.size(), before.size());
  EXPECT_THAT(after, Contains(Pair("0 check_condition medium_error", 1)));
}

// A target whose login was not seen has no series until it has counted something.
TEST(Metrics, OfAPlaceHolderAreLeftOut) {
  Host host;
  host.Opens(1).LogsIn();
  EXPECT_THAT(Values(Render(host), "logins_total"), ElementsAre(std::pair("", 1)));
  for (const MetricFamily& family : Render(host)) {
    for (const ClientMetric& metric : family.metric)
      EXPECT_EQ(SeriesName(family, metric).find("unknown"), std::string::npos);
  }
}

struct ProcessRow {
  const char* name;
  double at_least;
};

constexpr ProcessRow kProcess[] = {
    {"process_cpu_seconds_total", 0},
    {"process_resident_memory_bytes", 1e6},
    {"process_virtual_memory_bytes", 1e6},
    {"process_start_time_seconds", 1.5e9},
    {"process_open_fds", 3},
    {"process_max_fds", 3},
    {"process_threads", 1},
};

TEST(ProcessMetrics, AreThoseOfThisProcess) {
  const std::vector<MetricFamily> families = RenderProcessMetrics();
  ASSERT_EQ(families.size(), std::size(kProcess));
  for (size_t i = 0; i < families.size(); i++) {
    EXPECT_EQ(families[i].name, kProcess[i].name);
    const ClientMetric& metric = families[i].metric.at(0);
    EXPECT_GE(metric.counter.value + metric.gauge.value, kProcess[i].at_least) << families[i].name;
  }
}

}  // namespace
}  // namespace lunscope
