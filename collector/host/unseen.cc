// SPDX-License-Identifier: Apache-2.0
#include "collector/host/unseen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "collector/base/files.h"
#include "collector/base/printable.h"
#include "collector/base/quantity.h"
#include "collector/host/lio.h"

namespace lunscope {
namespace {

constexpr const char* kGroup = "unseen";
constexpr const char* kIserInitiator = "iSER initiator";
constexpr const char* kIserTarget = "iSER target";
// open-iscsi's drivers, by the name of their SCSI hosts and of their transport.
constexpr const char* kTcpHost = "iscsi_tcp";
constexpr const char* kIserHost = "iscsi_iser";
constexpr const char* kTcp = "tcp";
constexpr const char* kIser = "iser";

CheckResult Warning(const std::string& name, const std::string& detail, uint64_t count) {
  return {kGroup, name, CheckState::kWarning, detail, {{"count", count}}};
}

CheckResult Unused(const std::string& name, const std::string& detail) {
  return {kGroup, name, CheckState::kNote, detail, {{"count", uint64_t{0}}}};
}

std::string OffloadName(const std::string& driver) {
  return fmt::format("offload {}", Printable(driver));
}

// The number of iSCSI's SCSI hosts, by driver. A host of iscsi_tcp or iSER is a session; a host of
// any other driver is an adapter.
std::map<std::string, uint64_t> HostsByDriver(const std::string& sys) {
  std::map<std::string, uint64_t> hosts;
  for (const std::string& host : ListFolder(sys + "/class/iscsi_host"))
    hosts[ReadLine(fmt::format("{}/class/scsi_host/{}/proc_name", sys, host))]++;
  return hosts;
}

void AddHosts(std::vector<CheckResult>& findings, const std::map<std::string, uint64_t>& hosts) {
  for (const auto& [driver, count] : hosts) {
    if (driver == kTcpHost || driver.empty()) continue;
    if (driver == kIserHost) {
      findings.push_back(Warning(kIserInitiator,
                                 fmt::format("{} over RDMA, not TCP: watch with --source scsi",
                                             FormatCount(count, "session")),
                                 count));
    } else {
      findings.push_back(
          Warning(OffloadName(driver),
                  fmt::format("{} with an iSCSI stack outside the kernel's TCP: watch with "
                              "--source scsi",
                              FormatCount(count, "adapter")),
                  count));
    }
  }
}

// Drivers that have registered a transport, but have no SCSI host.
void AddUnusedTransports(std::vector<CheckResult>& findings, const std::string& sys,
                         const std::map<std::string, uint64_t>& hosts) {
  for (const std::string& transport : ListFolder(sys + "/class/iscsi_transport")) {
    if (transport == kTcp) continue;
    if (transport == kIser) {
      if (!hosts.contains(kIserHost))
        findings.push_back(Unused(kIserInitiator, "driver loaded, no session"));
    } else if (!hosts.contains(transport)) {
      findings.push_back(Unused(OffloadName(transport), "driver loaded, no adapter"));
    }
  }
}

void AddIserTarget(std::vector<CheckResult>& findings, const std::string& sys,
                   const std::string& lio) {
  const std::vector<Portal> portals = ReadLioPortals(lio);
  const auto count = static_cast<uint64_t>(std::ranges::count_if(portals, &Portal::is_iser));
  if (count > 0) {
    findings.push_back(
        Warning(kIserTarget,
                fmt::format("{} of LIO over RDMA, not TCP: watch with --source target",
                            FormatCount(count, "portal")),
                count));
  } else if (!ListFolder(sys + "/module/ib_isert").empty()) {
    findings.push_back(Unused(kIserTarget, "driver loaded, no portal uses it"));
  }
}

// The number of TLS sockets in the text of net/tls_stat (tls_statistics_seq_show()). A socket may
// have TLS in one direction only, in software or in a device.
uint64_t CountTlsSockets(const std::string& text) {
  uint64_t sending = 0;
  uint64_t receiving = 0;
  for (const std::string& line : Lines(text)) {
    const uint64_t value = std::strtoull(line.c_str() + line.find_last_of(" \t") + 1, nullptr, 10);
    if (line.starts_with("TlsCurrTx")) sending += value;
    if (line.starts_with("TlsCurrRx")) receiving += value;
  }
  return std::max(sending, receiving);
}

void AddTls(std::vector<CheckResult>& findings, const std::string& proc) {
  const uint64_t sockets = CountTlsSockets(ReadWhole(proc + "/self/net/tls_stat"));
  if (sockets == 0) return;
  findings.push_back({kGroup,
                      "kernel TLS",
                      CheckState::kNote,
                      fmt::format("{}: iSCSI over TLS is encrypted and cannot be read",
                                  FormatCount(sockets, "socket")),
                      {{"count", sockets}}});
}

}  // namespace

std::vector<CheckResult> FindUnseen(const std::string& sys, const std::string& proc,
                                    const std::string& lio) {
  std::vector<CheckResult> findings;
  const std::map<std::string, uint64_t> hosts = HostsByDriver(sys);
  AddHosts(findings, hosts);
  AddUnusedTransports(findings, sys, hosts);
  AddIserTarget(findings, sys, lio);
  AddTls(findings, proc);
  if (findings.empty())
    findings.push_back(
        {kGroup, "traffic", CheckState::kOk, "no iSER, offload adapter or kernel TLS found"});
  return findings;
}

}  // namespace lunscope
