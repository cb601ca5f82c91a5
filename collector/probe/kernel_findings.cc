// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_findings.h"

#include <fmt/format.h>
#include <lunscope/command.h>
#include <lunscope/connection.h>

#include <filesystem>
#include <system_error>

#include "collector/base/files.h"
#include "collector/probe/kernel_symbols.h"
#include "collector/probe/page_map.h"
#include "collector/probe/socket_memory.h"

namespace lunscope {
namespace {

constexpr const char* kLockdown = "/sys/kernel/security/lockdown";
constexpr const char* kKnown = "known";
constexpr const char* kHidden = "hidden";

std::string SymbolState(const char* name) {
  if (FindKernelSymbol(name)) return kKnown;
  return IsKernelSymbolListed(name) ? kHidden : "absent";
}

// Why /proc/kallsyms does not have the addresses.
std::string WhyUnknown(const SymbolFacts& symbols, const std::string& state) {
  if (state != kHidden) return "not listed (no CONFIG_KALLSYMS_ALL, or not x86-64)";
  return symbols.restriction == "2" ? "hidden from every process (kernel.kptr_restrict is 2)"
                                    : "hidden from this process (it lacks CAP_SYSLOG)";
}

}  // namespace

std::string ParseLockdownMode(const std::string& modes) {
  const size_t begin = modes.find('[');
  const size_t end = modes.find(']');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  return modes.substr(begin + 1, end - begin - 1);
}

std::string ReadLockdownMode() { return ParseLockdownMode(ReadLine(kLockdown)); }

// Lockdown is never more than a warning. Whether it forbids the hooks is found out by trying them.
CheckResult DescribeLockdown(const std::string& mode) {
  CheckResult finding{kKernelGroup, "lockdown", CheckState::kNote, mode, {{"mode", mode}}};
  if (mode.empty()) finding.detail = fmt::format("unknown: cannot read {}", kLockdown);
  if (mode == kConfidentiality) {
    finding.state = CheckState::kWarning;
    finding.detail += ": programs may not read the kernel's memory; boot with lockdown=integrity";
  }
  return finding;
}

SymbolFacts ReadSymbols() {
  return {SymbolState(kPageOffsetBase), SymbolState(kVmemmapBase),
          ReadLine("/proc/sys/kernel/kptr_restrict"), ReadPageMap().has_value()};
}

CheckResult DescribeSymbols(const SymbolFacts& symbols) {
  CheckResult finding{
      kKernelGroup,
      "symbols",
      CheckState::kOk,
      fmt::format("{}, {}", kPageOffsetBase, kVmemmapBase),
      {{kPageOffsetBase, symbols.page_offset_base}, {kVmemmapBase, symbols.vmemmap_base}}};
  const std::string& state =
      symbols.vmemmap_base != kKnown ? symbols.vmemmap_base : symbols.page_offset_base;
  if (state == kKnown) return finding;
  finding.state = symbols.kcore_has_them ? CheckState::kOk : CheckState::kNote;
  finding.detail += fmt::format(
      ": {}; {}", WhyUnknown(symbols, state),
      symbols.kcore_has_them
          ? "/proc/kcore has the same addresses"
          : "Linux below 6.12, the kernel's initiator and the retransmit queue need them");
  return finding;
}

CheckResult DescribeSocketMemory(uint64_t bytes) {
  // The kernel's own part of each piece of a socket's storage.
  constexpr uint64_t kAround = 512;
  constexpr uint64_t kConnection = sizeof(lunscope_connection) + kAround;
  constexpr uint64_t kBoth = kConnection + sizeof(lunscope_spill) + kAround;
  CheckResult finding{
      kKernelGroup,
      "net.core.optmem_max",
      CheckState::kOk,
      fmt::to_string(bytes),
      {{"bytes", bytes}, {"connection_bytes", kConnection}, {"spill_bytes", kBoth}}};
  if (bytes > kBoth) return finding;
  finding.state = CheckState::kWarning;
  finding.detail +=
      bytes > kConnection
          ? fmt::format(": tracks {} commands in flight on a connection, counts more as table_full",
                        LUNSCOPE_COMMANDS)
          : ": too little to follow a connection";
  finding.detail +=
      fmt::format("; serve and trace raise it to {} if they are permitted", kEnoughSocketMemory);
  return finding;
}

CheckResult DescribeModule(const std::string& sys, const std::string& module) {
  std::error_code error;
  const std::string folder = fmt::format("{}/module/{}", sys, module);
  const bool is_loaded = std::filesystem::exists(folder + "/initstate", error);
  // Built-in code has a folder only if it has parameters.
  const bool is_built_in = !is_loaded && std::filesystem::exists(folder, error);
  const bool has_btf = std::filesystem::exists(fmt::format("{}/kernel/btf/{}", sys, module), error);
  const std::string state = is_loaded ? "loaded" : is_built_in ? "built in" : "not loaded";
  return {"modules",
          module,
          CheckState::kNote,
          is_loaded ? fmt::format("{}, {} BTF", state, has_btf ? "with" : "without") : state,
          {{"presence", state}, {"btf", has_btf}}};
}

}  // namespace lunscope
