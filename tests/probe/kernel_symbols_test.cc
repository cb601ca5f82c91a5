// SPDX-License-Identifier: Apache-2.0
//
// Symbols in the text of /proc/kallsyms.
#include "collector/probe/kernel_symbols.h"

#include <gtest/gtest.h>

#include <sstream>

namespace lunscope {
namespace {

constexpr const char* kKallsyms =
    "ffffffff81000000 T _text\n"
    "0000000000000000 D hidden\n"
    "ffffffff82a1b2c8 D page_offset_base\n"
    "ffffffff82a1b2c0 d vmemmap_base_of_another\n"
    "ffffffff82a1b2b8 D not_vmemmap_base\n"
    "ffffffffc0123450 d in_a_module\t[iscsi_tcp]\n"
    "ffffffff82a1b2c8 D last";

struct SymbolCase {
  const char* name;
  std::optional<uint64_t> address;
};

const SymbolCase kSymbols[] = {
    {"page_offset_base", 0xffffffff82a1b2c8},
    {"_text", 0xffffffff81000000},
    {"last", 0xffffffff82a1b2c8},
    {"hidden", 0},
    {"vmemmap_base", std::nullopt},
    {"page_offset", std::nullopt},
    {"in_a_module", std::nullopt},  // the kernel's own symbols only
    {"absent", std::nullopt},
};

TEST(KernelSymbols, HaveTheAddressOfTheirLine) {
  for (const SymbolCase& row : kSymbols) {
    std::istringstream text(kKallsyms);
    EXPECT_EQ(ListedAddress(text, row.name), row.address) << row.name;
  }
}

TEST(KernelSymbols, AreNotInMalformedLines) {
  for (const char* line : {"", "\n\n", "name", " name", "x name", "ffffffff81000000 Tname",
                           "ffffffff81000000 T", "ffffffff81000000 T \n"}) {
    std::istringstream text(line);
    EXPECT_EQ(ListedAddress(text, "name"), std::nullopt) << line;
  }
}

struct FunctionCase {
  const char* symbol;
  bool is_function;
};

const FunctionCase kFunctions[] = {
    {"tcp_recvmsg", true},
    {"tcp_recvmsg.isra.0", true},
    {"tcp_recvmsg.constprop.0", true},
    {"tcp_recvmsg.part.0", true},
    {"tcp_recvmsg.cold", false},
    {"tcp_recvmsg.part.0.cold", false},
    {"tcp_recvmsg_locked", false},
    {"mptcp_recvmsg", false},
    {"tcp_recv", false},
    {"", false},
};

TEST(KernelFunctions, MayBeCopiesOfTheCompiler) {
  for (const FunctionCase& row : kFunctions)
    EXPECT_EQ(IsFunctionOrCopy(row.symbol, "tcp_recvmsg"), row.is_function) << row.symbol;
}

}  // namespace
}  // namespace lunscope
