// SPDX-License-Identifier: Apache-2.0
#include "collector/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace lunscope {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// The fields of /proc/self/stat behind the command name, which may itself hold blanks (proc(5)).
struct Stat {
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  uint64_t threads = 0;
  uint64_t start_ticks = 0;
  uint64_t virtual_bytes = 0;
  uint64_t resident_pages = 0;
};

Stat ReadStat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  Stat stat;
  for (int i = 3; i < 14; i++) fields >> skipped;
  fields >> stat.user_ticks >> stat.system_ticks;
  for (int i = 16; i < 20; i++) fields >> skipped;
  fields >> stat.threads >> skipped >> stat.start_ticks >> stat.virtual_bytes >>
      stat.resident_pages;
  return stat;
}

double BootTime() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime" && file >> seconds) break;
  }
  return seconds;
}

MetricFamily One(const char* name, const char* help, MetricType type, double value) {
  MetricFamily family{name, help, type, {}};
  family.metric.emplace_back();
  if (type == MetricType::Counter) {
    family.metric.back().counter.value = value;
  } else {
    family.metric.back().gauge.value = value;
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> RenderProcessMetrics() {
  const Stat stat = ReadStat();
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  std::error_code ignored;
  const auto open_files =
      std::distance(std::filesystem::directory_iterator("/proc/self/fd", ignored), {});
  return {
      One("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
          MetricType::Counter, static_cast<double>(stat.user_ticks + stat.system_ticks) / ticks),
      One("process_resident_memory_bytes", "Resident memory size in bytes.", MetricType::Gauge,
          static_cast<double>(stat.resident_pages) * page),
      One("process_virtual_memory_bytes", "Virtual memory size in bytes.", MetricType::Gauge,
          static_cast<double>(stat.virtual_bytes)),
      One("process_start_time_seconds", "Start time of the process since the epoch in seconds.",
          MetricType::Gauge, BootTime() + static_cast<double>(stat.start_ticks) / ticks),
      One("process_open_fds", "Number of open file descriptors.", MetricType::Gauge,
          static_cast<double>(open_files)),
      One("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge,
          static_cast<double>(files.rlim_cur)),
      One("process_threads", "Number of threads.", MetricType::Gauge,
          static_cast<double>(stat.threads)),
  };
}

}  // namespace lunscope
