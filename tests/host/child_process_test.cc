// SPDX-License-Identifier: Apache-2.0
//
// Programs that are asked for their output: what is kept of it, and when they are killed. They are
// shells, so that each case is one line.
#include "collector/host/child_process.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <fstream>

#include "tests/base/tree.h"

namespace lunscope {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

bool KeepsA(std::string_view line) { return line.starts_with('a'); }

std::string Ask(const std::string& script, Clock::duration limit = seconds(30)) {
  return OutputOf({"/bin/sh", "-c", script}, Clock::now() + limit, KeepsA);
}

struct OutputCase {
  const char* script;
  const char* output;
};

const OutputCase kOutputs[] = {
    {"printf 'a1\\nb1\\na2\\n'", "a1\na2\n"},
    {"printf 'b1\\n'; echo a1 >&2", ""},
    {"cat; echo a1", "a1\n"},  // standard input is empty
    {"printf a; sleep 0.1; printf '1\\nb1\\na2\\n'", "a1\na2\n"},
    {"printf 'a1\\na2'", "a1\n"},  // the last line has no end
    {"echo a1; exit 1", ""},
    {"echo a1; kill -9 $$", ""},
    {"printf 'a%4094d\\n' 1 | tail -c 3; echo a1", "a1\n"},
    {"printf '%4095d\\n' 1; echo a1", "a1\n"},
    {"printf '%4096d\\n' 1; echo a1", ""},  // too long a line
    {"yes a | head -c 8000000", ""},        // too much
    {"true", ""},
};

TEST(OutputOf, IsTheLinesThatTheFilterKeeps) {
  for (const OutputCase& row : kOutputs) EXPECT_EQ(Ask(row.script), row.output) << row.script;
}

TEST(OutputOf, IsEmptyIfTheProgramCannotBeStarted) {
  EXPECT_EQ(OutputOf({"/nowhere/program"}, Clock::now() + seconds(30), KeepsA), "");
}

std::string StackOf(pid_t pid) {
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with("[stack]")) continue;
    uint64_t start = 0;
    uint64_t end = 0;
    std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64, &start, &end);
    std::string stack(end - start, '\0');
    std::ifstream memory(fmt::format("/proc/{}/mem", pid), std::ios::binary);
    memory.seekg(static_cast<std::streamoff>(start));
    memory.read(stack.data(), static_cast<std::streamsize>(stack.size()));
    return stack;
  }
  return "";
}

// tgtadm prints the accounts of CHAP. While it is asked for more, none of that is in memory.
TEST(OutputOf, HasForgottenWhatItDoesNotKeep) {
  const pid_t asking = fork();
  if (asking == 0) {
    setpgid(0, 0);
    // The words that it prints are nowhere in one piece before.
    Ask("printf 'ab%s\\nbc%s\\n' 1234 5678; exec sleep 60", seconds(60));
    _exit(0);
  }
  const auto deadline = Clock::now() + seconds(30);
  std::string stack;
  // The line that it keeps shows that it has read both. It may be caught while it reads them.
  const auto has = [&](const char* words) { return stack.find(words) != std::string::npos; };
  while ((!has("ab1234") || has("bc5678")) && Clock::now() < deadline) {
    usleep(1000);
    stack = StackOf(asking);
  }
  kill(-asking, SIGKILL);  // with the shell that it has started
  waitpid(asking, nullptr, 0);
  EXPECT_TRUE(has("ab1234"));
  EXPECT_FALSE(has("bc5678"));
}

// A program that prints nothing, does not end after its output, or never stops printing.
TEST(OutputOf, IsEmptyAfterTheDeadline) {
  for (const char* script :
       {"exec sleep 60", "echo a1; exec sleep 60", "echo a1; exec 1>&-; exec sleep 60",
        "while true; do echo b; sleep 0.01; done", "trap '' TERM INT HUP; exec sleep 60"}) {
    const auto start = Clock::now();
    EXPECT_EQ(Ask(script, milliseconds(100)), "") << script;
    EXPECT_LT(Clock::now() - start, seconds(30)) << script;
  }
}

TEST(OutputOf, IsEmptyIfTheDeadlineHasPassed) { EXPECT_EQ(Ask("echo a1", seconds(-1)), ""); }

using ProgramFolder = Tree;

TEST_F(ProgramFolder, HasNoProcessAfterTheDeadline) {
  const std::string file = root_ + "/pid";
  EXPECT_EQ(Ask(fmt::format("echo $$ > {}; exec 1>&-; exec sleep 60", file), seconds(2)), "");
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  ASSERT_NE(pid, 0);
  EXPECT_NE(kill(pid, 0), 0) << pid;
}

}  // namespace
}  // namespace lunscope
