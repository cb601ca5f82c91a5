// SPDX-License-Identifier: Apache-2.0
#include "collector/host/unseen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "collector/base/printable.h"
#include "collector/host/files.h"
#include "collector/host/portals.h"

namespace lunscope {
namespace {

constexpr const char* kGroup = "unseen";
// What the SCSI hosts of these initiators are called, and their transports (open-iscsi).
constexpr const char* kTcpHost = "iscsi_tcp";
constexpr const char* kIserHost = "iscsi_iser";
constexpr const char* kTcp = "tcp";
constexpr const char* kIser = "iser";

Finding Unseen(const std::string& name, FindingState state, const std::string& detail,
               uint64_t count) {
  return {kGroup, name, state, detail, {{"count", count}}};
}

// How many SCSI hosts of iSCSI there are, by driver. One of iscsi_tcp or iSER is a session, one of
// another driver an adapter.
std::map<std::string, uint64_t> HostsByDriver(const std::string& sys) {
  std::map<std::string, uint64_t> hosts;
  for (const std::string& host : ListFolder(sys + "/class/iscsi_host"))
    hosts[Printable(ReadLine(fmt::format("{}/class/scsi_host/{}/proc_name", sys, host)))]++;
  return hosts;
}

void AddHosts(std::vector<Finding>& findings, const std::string& sys) {
  const std::map<std::string, uint64_t> hosts = HostsByDriver(sys);
  for (const auto& [driver, count] : hosts) {
    if (driver == kIserHost) {
      findings.push_back(Unseen("iSER initiator", FindingState::kWarning,
                                fmt::format("{} SCSI hosts over RDMA, not TCP", count), count));
    } else if (driver != kTcpHost && !driver.empty()) {
      findings.push_back(Unseen(
          fmt::format("offload {}", driver), FindingState::kWarning,
          fmt::format("{} adapters that speak iSCSI themselves, beside the kernel's TCP", count),
          count));
    }
  }
  // Drivers that have registered their transport and have no host.
  for (const std::string& transport : ListFolder(sys + "/class/iscsi_transport")) {
    if (transport == kTcp || hosts.contains(transport) ||
        (transport == kIser && hosts.contains(kIserHost)))
      continue;
    const bool is_iser = transport == kIser;
    findings.push_back(
        Unseen(is_iser ? "iSER initiator" : fmt::format("offload {}", Printable(transport)),
               FindingState::kNote,
               is_iser ? "driver loaded, no session" : "driver loaded, no adapter", 0));
  }
}

void AddIserTarget(std::vector<Finding>& findings, const std::string& sys,
                   const std::string& target) {
  const std::vector<Portal> portals = ReadLioPortals(target);
  const auto count = static_cast<uint64_t>(std::ranges::count_if(portals, &Portal::is_iser));
  if (count > 0) {
    findings.push_back(Unseen("iSER target", FindingState::kWarning,
                              fmt::format("{} portals of LIO over RDMA, not TCP", count), count));
  } else if (!ListFolder(sys + "/module/ib_isert").empty()) {
    findings.push_back(
        Unseen("iSER target", FindingState::kNote, "driver loaded, no portal uses it", 0));
  }
}

void AddTls(std::vector<Finding>& findings, const std::string& proc) {
  uint64_t sending = 0;
  uint64_t receiving = 0;
  for (const std::string& line : Lines(ReadWhole(proc + "/self/net/tls_stat"))) {
    const uint64_t value = std::strtoull(line.c_str() + line.find_last_of(" \t") + 1, nullptr, 10);
    if (line.starts_with("TlsCurrTx")) sending += value;
    if (line.starts_with("TlsCurrRx")) receiving += value;
  }
  const uint64_t sockets = std::max(sending, receiving);
  if (sockets == 0) return;
  findings.push_back(Unseen("kernel TLS", FindingState::kNote,
                            fmt::format("{} sockets; iSCSI in one of them is encrypted", sockets),
                            sockets));
}

}  // namespace

std::vector<Finding> FindUnseen(const std::string& sys, const std::string& proc,
                                const std::string& target) {
  std::vector<Finding> findings;
  AddHosts(findings, sys);
  AddIserTarget(findings, sys, target);
  AddTls(findings, proc);
  if (findings.empty())
    findings.push_back(
        {kGroup, "traffic", FindingState::kOk, "no iSER, offload adapter or kernel TLS found"});
  return findings;
}

}  // namespace lunscope
