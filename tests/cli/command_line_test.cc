// SPDX-License-Identifier: Apache-2.0
//
// The command line as far as it goes without root: help, and what is refused before anything runs.
#include "collector/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "collector/cli/subcommand.h"

namespace lunscope {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr int kUsage = 2;

#define LUNSCOPE_LIST_ENTRY(ENTRY) &(ENTRY),
constexpr const SubcommandEntry* kEntries[] = {LUNSCOPE_SUBCOMMANDS(LUNSCOPE_LIST_ENTRY)};
#undef LUNSCOPE_LIST_ENTRY

struct Said {
  int code;
  std::string out;
  std::string err;
};

// Words are parted by blanks; "''" is an empty word.
Said RunLine(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words = {"lunscope"};
  for (std::string word; stream >> word;) words.push_back(word == "''" ? "" : word);
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = RunCommandLine(static_cast<int>(argv.size()), argv.data());
  const std::string err = testing::internal::GetCapturedStderr();
  return {code, testing::internal::GetCapturedStdout(), err};
}

struct RefusedRow {
  const char* line;
  const char* message;  // all of it, behind "lunscope: "
};

const RefusedRow kRefused[] = {
    {"", "A subcommand is required; see 'lunscope --help'"},
    {"tracee", "there is no subcommand 'tracee'; see 'lunscope --help'"},
    {"tracee --help", "there is no subcommand 'tracee'; see 'lunscope --help'"},
    {"help tracee", "there is no subcommand 'tracee'; see 'lunscope --help'"},
    {"trace --colour", "there is no option '--colour'; see 'lunscope trace --help'"},
    {"check --prot 1", "there is no option '--prot'; see 'lunscope check --help'"},
    {"check extra", "'extra' is one word too many; see 'lunscope check --help'"},
    {"trace --port 70000",
     "--port must be a TCP port from 1 to 65535, not '70000'; see 'lunscope trace --help'"},
    {"trace --port 3260 --port iscsi",
     "--port must be a TCP port from 1 to 65535, not '3260 iscsi'; see 'lunscope trace --help'"},
    {"trace --role host",
     "--role must be initiator or target or both, not 'host'; see 'lunscope trace --help'"},
    {"trace --role ''",
     "--role must be initiator or target or both, not ''; see 'lunscope trace --help'"},
    {"trace -o xml", "--output must be table or json, not 'xml'; see 'lunscope trace --help'"},
    {"trace --duration -1",
     "--duration must be a time above 0, such as 10ms, 2s or 1.5 (seconds), not '-1'; see "
     "'lunscope trace --help'"},
    {"trace --duration 0",
     "--duration must be a time above 0, such as 10ms, 2s or 1.5 (seconds), not '0'; see "
     "'lunscope trace --help'"},
    {"trace --count 0",
     "--count must be a whole number of 1 or more, not '0'; see 'lunscope trace --help'"},
    {"trace --ring-size 100000",
     "--ring-size must be a power of two from 4K to 1G, such as 512K, not '100000'; see 'lunscope "
     "trace --help'"},
    {"trace --pdu --summary", "--pdu excludes --summary, which counts commands"},
    {"serve --slow 0.5", "--slow needs --mode aggregate, for else every command has a record"},
    {"trace --source scsi --port 3261",
     "--port is for --source iscsi: the SCSI layers have no connections"},
    {"trace --source scsi,target --role target",
     "--role is for --source iscsi: the SCSI layers have no connections"},
    {"serve --source target --inflight 8",
     "--inflight is for --source iscsi: the SCSI layers have no connections"},
    {"serve --source scsi --no-header-digests",
     "--no-header-digests is for --source iscsi: the SCSI layers have no connections"},
    {"serve --source target --no-phases",
     "--no-phases is for --source iscsi: the SCSI layers have no connections"},
    {"trace --phases --no-phases", "--no-phases excludes --phases"},
    {"trace --source scsi --pdu", "--pdu is for --source iscsi"},
    {"serve --mode aggregate --source target", "--mode aggregate is for --source iscsi"},
    {"trace --by-lun", "--by-lun is for --summary"},
    {"serve --mode aggregate --source iscsi,scsi",
     "--mode aggregate excludes --source scsi, which looks for each command on the wire"},
    {"serve --profile --mode aggregate",
     "--profile needs --mode records: commands that were added up have neither places nor an "
     "order"},
    {"serve --profile --source scsi,target", "--profile is for --source iscsi"},
    {"replay a.pcap --profile", "--profile is for -o metrics"},
    {"serve --max-label-sets 0",
     "--max-label-sets must be a whole number from 1 to 1000000, not '0'; see 'lunscope serve "
     "--help'"},
    {"sessions --web.listen-address 13260",
     "--web.listen-address must be HOST:PORT or unix:PATH, such as 127.0.0.1:13260, [::1]:13260 "
     "or unix:/run/lunscope.sock, not '13260'; see 'lunscope sessions --help'"},
    {"diagnose --report slow.pdf",
     "--report must be a file whose name ends in .html or .md, not 'slow.pdf'; see 'lunscope "
     "diagnose --help'"},
    {"diagnose --report .md",
     "--report must be a file whose name ends in .html or .md, not '.md'; see 'lunscope diagnose "
     "--help'"},
    {"replay", "FILE is required; see 'lunscope replay --help'"},
    {"replay a.pcap -o xml",
     "--output must be table or json or metrics, not 'xml'; see 'lunscope replay --help'"},
    {"replay a.pcap -o metrics --pdu", "-o metrics excludes --pdu, which needs lines"},
    {"replay a.pcap -o metrics --count 1", "-o metrics excludes --count, which needs lines"},
    {"replay a.pcap -o metrics --from 12:00", "-o metrics excludes --from, which needs lines"},
    {"replay a.pcap --to noon",
     "--to must be a time, such as 12:00:00, 2026-01-31T12:00:00Z or +90s, not 'noon'; see "
     "'lunscope replay --help'"},
    {"replay a.pcap -o metrics --summary", "-o metrics excludes --summary, which needs lines"},
};

TEST(CommandLine, RefusesInOneLine) {
  for (const RefusedRow& row : kRefused) {
    const Said said = RunLine(row.line);
    EXPECT_EQ(said.code, kUsage) << row.line;
    EXPECT_EQ(said.err, std::string("lunscope: ") + row.message + "\n");
    EXPECT_EQ(said.out, "") << row.line;
  }
}

TEST(CommandLine, RefusesAnOptionThatIsGivenTwice) {
  const Said said = RunLine("trace --role target --role initiator");
  EXPECT_EQ(said.code, kUsage);
  EXPECT_THAT(said.err, ContainsRegex("^lunscope: --role.*\n$"));
}

TEST(CommandLine, HelpAndVersionHaveSeveralSpellings) {
  EXPECT_EQ(RunLine("help").out, RunLine("--help").out);
  EXPECT_EQ(RunLine("help trace").out, RunLine("trace --help").out);
  for (const char* line : {"--version", "-V"}) EXPECT_EQ(RunLine(line).out, RunLine("version").out);
}

TEST(CommandLine, HelpListsTheSubcommandsAndTheExitCodes) {
  const Said said = RunLine("--help");
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(said.err, "");
  for (const SubcommandEntry* entry : kEntries) {
    EXPECT_THAT(said.out, HasSubstr(entry->help));
    EXPECT_THAT(said.out, HasSubstr(entry->examples.front().words));
  }
  EXPECT_THAT(said.out, HasSubstr("Exit codes: 0 done, 1 failed, 2 usage"));
}

TEST(CommandLine, HelpOfASubcommandHasItsOptionsAndExamples) {
  for (const SubcommandEntry* entry : kEntries) {
    const Said said = RunLine(std::string(entry->name) + " --help");
    EXPECT_EQ(said.code, 0) << entry->name;
    for (const Example& example : entry->examples) {
      EXPECT_THAT(said.out, HasSubstr(example.words));
      EXPECT_THAT(said.out, HasSubstr(example.meaning));
    }
    for (const Option& option : entry->make()->Options())
      EXPECT_THAT(said.out, HasSubstr(option.key)) << entry->name;
  }
}

TEST(CommandLine, EveryOptionOfAnExampleIsOne) {
  for (const SubcommandEntry* entry : kEntries) {
    const OptionList options = entry->make()->Options();
    for (const Example& example : entry->examples) {
      EXPECT_THAT(example.words, HasSubstr(std::string("lunscope ") + entry->name));
      std::istringstream words(
          std::string(example.words).substr(std::string(example.words).find("lunscope ")));
      for (std::string word; words >> word;) {
        if (word.starts_with("--")) {
          EXPECT_NE(std::ranges::find(options, word.substr(2), &Option::key), options.end())
              << example.words;
        }
      }
    }
  }
}

TEST(CommandLine, RunsASubcommand) {
  const Said said = RunLine("version");
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, ContainsRegex("^lunscope .*libbpf"));
}

TEST(CommandLine, SaysWhyASubcommandFailed) {
  const Said said = RunLine("replay /nowhere/at/all.pcap");
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.err, HasSubstr("No such file"));
}

}  // namespace
}  // namespace lunscope
