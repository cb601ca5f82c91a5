// SPDX-License-Identifier: Apache-2.0
//
// Memory of the collector's user-space half with kManySeries: of a program that feeds the model and
// renders pages, one JSON object of resident KiB. A flood is commands on LUNs that no label set is
// left for, and logins that never end.
//
// usage: model_memory [million commands of the flood]
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "collector/metrics/metrics.h"
#include "tests/bench/workload.h"

namespace lunscope {
namespace {

// "VmRSS", "VmHWM": KiB (proc(5)).
uint64_t ReadStatus(const std::string& key) {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(key + ":"))
      return std::strtoull(line.c_str() + key.size() + 1, nullptr, 10);
  }
  return 0;
}

size_t Scrape(Model& model) {
  model.BeginWalk(0);
  Walk(kManySeries, [&](const lunscope_record& record) { model.Apply(record); });
  model.EndWalk();
  Observation observation;
  observation.snapshot = model.TakeSnapshot();
  return FormatMetrics(observation).size();
}

// Each command has a new LUN of 8 bytes. There are far more LUNs than label sets.
void FloodLuns(Model& model, uint64_t commands) {
  Host host;
  const Command command = Read16(0, 8);
  lunscope_command_record record = command.record.command;
  record.header.connection = 1;
  record.header.role = LUNSCOPE_ROLE_INITIATOR;
  record.header.abi = LUNSCOPE_ABI;
  record.header.kind = LUNSCOPE_RECORD_COMMAND;
  record.header.bytes = sizeof(record);
  for (uint64_t i = 0; i < commands; i++) {
    record.lun = i << 16 | 0xc000'0000'0000'0000;
    model.Apply(record.header);
  }
}

// Connections that come, ask to log in and go.
void FloodLogins(Model& model, uint64_t logins) {
  for (uint64_t i = 0; i < logins; i++) {
    Host host;
    host.HandOn([&](const lunscope_record& record) { model.Apply(record); });
    host.Opens(kManySeries.connections + 1 + i)
        .LogsIn({.target = fmt::format("iqn.flood-{}", i), .isid = i})
        .Drops();
  }
}

int Measure(uint64_t million_commands) {
  Model model;
  const uint64_t start = ReadStatus("VmRSS");
  Begin(kManySeries, [&](const lunscope_record& record) { model.Apply(record); });
  const uint64_t known = ReadStatus("VmRSS");
  size_t page_bytes = 0;
  for (int i = 0; i < 5; i++) page_bytes = Scrape(model);
  const uint64_t scraped = ReadStatus("VmRSS");
  const uint64_t peak = ReadStatus("VmHWM");
  FloodLuns(model, million_commands * 1'000'000);
  FloodLogins(model, million_commands * 1000);
  const uint64_t flooded = ReadStatus("VmRSS");
  FloodLuns(model, million_commands * 1'000'000);
  FloodLogins(model, million_commands * 1000);
  const uint64_t flooded_again = ReadStatus("VmRSS");
  fmt::print(
      "{{\"start_kib\": {}, \"known_kib\": {}, \"scraped_kib\": {}, \"peak_kib\": {}, "
      "\"flooded_kib\": {}, \"flooded_again_kib\": {}, \"page_bytes\": {}}}\n",
      start, known, scraped, peak, flooded, flooded_again, page_bytes);
  return 0;
}

}  // namespace
}  // namespace lunscope

int main(int count, char** words) {
  return lunscope::Measure(count > 1 ? std::strtoull(words[1], nullptr, 10) : 10);
}
