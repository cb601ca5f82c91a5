// SPDX-License-Identifier: Apache-2.0
//
// The findings of `lunscope check` about the kernel, from what the kernel has answered.
#include "collector/probe/kernel_findings.h"

#include <gtest/gtest.h>
#include <lunscope/connection.h>

#include <string>
#include <utility>

#include "tests/base/tree.h"

namespace lunscope {
namespace {

struct LockdownCase {
  const char* modes;
  const char* mode;
  CheckState state;
};

const LockdownCase kLockdowns[] = {
    {"[none] integrity confidentiality", "none", CheckState::kNote},
    {"none [integrity] confidentiality", "integrity", CheckState::kNote},
    {"none integrity [confidentiality]", "confidentiality", CheckState::kWarning},
    {"none integrity confidentiality", "", CheckState::kNote},
    {"][", "", CheckState::kNote},
    {"[", "", CheckState::kNote},
    {"", "", CheckState::kNote},
};

TEST(Lockdown, IsTheModeInBrackets) {
  for (const LockdownCase& row : kLockdowns) {
    const std::string mode = ParseLockdownMode(row.modes);
    EXPECT_EQ(mode, row.mode) << row.modes;
    const CheckResult finding = DescribeLockdown(mode);
    EXPECT_EQ(finding.state, row.state) << row.modes;
    EXPECT_NE(finding.detail, "") << row.modes;
  }
}

struct SymbolFactsCase {
  SymbolFacts symbols;
  CheckState state;
  const char* detail;
};

const SymbolFactsCase kSymbolFacts[] = {
    {{"known", "known", "1", true}, CheckState::kOk, "page_offset_base, vmemmap_base"},
    {{"hidden", "hidden", "1", true},
     CheckState::kOk,
     "page_offset_base, vmemmap_base: hidden from this process (it lacks CAP_SYSLOG); /proc/kcore "
     "has the same addresses"},
    {{"hidden", "hidden", "2", false},
     CheckState::kNote,
     "page_offset_base, vmemmap_base: hidden from every process (kernel.kptr_restrict is 2); Linux "
     "below 6.12, the kernel's initiator and the retransmit queue need them"},
    {{"absent", "known", "0", false},
     CheckState::kNote,
     "page_offset_base, vmemmap_base: not listed (no CONFIG_KALLSYMS_ALL, or not x86-64); Linux "
     "below 6.12, the kernel's initiator and the retransmit queue need them"},
};

TEST(Symbols, MayBeHiddenOrAbsent) {
  for (const SymbolFactsCase& row : kSymbolFacts) {
    const CheckResult finding = DescribeSymbols(row.symbols);
    EXPECT_EQ(finding.state, row.state) << row.detail;
    EXPECT_EQ(finding.detail, row.detail);
  }
}

TEST(SocketMemory, IsEnoughForBothPartsOrOneOrNone) {
  const CheckResult little = DescribeSocketMemory(1024);
  EXPECT_EQ(little.state, CheckState::kWarning);
  EXPECT_EQ(little.detail,
            "1024: too little to follow a connection; serve and trace raise it to 131072 if they "
            "are permitted");
  const CheckResult before_6_8 = DescribeSocketMemory(20480);
  EXPECT_EQ(before_6_8.state, CheckState::kWarning);
  EXPECT_EQ(before_6_8.detail,
            "20480: tracks 200 commands in flight on a connection, counts more as table_full; "
            "serve and trace raise it to 131072 if they are permitted");
  const CheckResult since_6_8 = DescribeSocketMemory(131072);
  EXPECT_EQ(since_6_8.state, CheckState::kOk);
  EXPECT_EQ(since_6_8.detail, "131072");
}

using Modules = Tree;

TEST_F(Modules, AreLoadedOrBuiltInOrNeither) {
  Put("module/loaded/initstate", "\n");
  Put("kernel/btf/loaded", "\n");
  Put("module/without_types/initstate", "\n");
  Put("module/built_in/parameters/one", "\n");
  const std::pair<const char*, const char*> details[] = {{"loaded", "loaded, with BTF"},
                                                         {"without_types", "loaded, without BTF"},
                                                         {"built_in", "built in"},
                                                         {"absent", "not loaded"}};
  for (const auto& [module, detail] : details) {
    const CheckResult finding = DescribeModule(root_, module);
    EXPECT_EQ(finding.name, module);
    EXPECT_EQ(finding.detail, detail);
    EXPECT_EQ(finding.state, CheckState::kNote);
  }
}

}  // namespace
}  // namespace lunscope
