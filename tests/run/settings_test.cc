// SPDX-License-Identifier: Apache-2.0
//
// Groups of options, set by their keys as a file would: what each key takes, and what it refuses
// with which sentence. No command line, no privileges.
#include "collector/run/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "collector/run/privileges.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

// All groups, as one subcommand with every option would have them.
struct Everything {
  WatchOptions watch;
  LineOptions lines;
  OutputOptions output;
  WebOptions web;
  CountingOptions counting;
  LogOptions log;
  PrivilegeOptions privileges;

  OptionList Options() { return OptionsOf(watch, lines, output, web, counting, log, privileges); }

  Refusal Set(const std::string& key, const Texts& texts) {
    return SetOption(Options(), key, texts);
  }
};

struct AcceptedRow {
  const char* key;
  Texts texts;
  std::function<bool(const Everything&)> has;
};

const AcceptedRow kAccepted[] = {
    {"port",
     {"3261"},
     [](auto& all) { return all.watch.ports.ports == std::vector<uint16_t>{3261}; }},
    {"port",
     {"1", "65535"},
     [](auto& all) {
       return all.watch.ports.ports == std::vector<uint16_t>{1, 65535};
     }},
    {"role", {"target"}, [](auto& all) { return !all.watch.Probe().watch_initiators; }},
    {"role", {"initiator"}, [](auto& all) { return !all.watch.Probe().watch_targets; }},
    {"role",
     {"both"},
     [](auto& all) {
       return all.watch.Probe().watch_targets && all.watch.Probe().watch_initiators;
     }},
    {"source",
     {"scsi,target"},
     [](auto& all) { return !all.watch.sources.iscsi && all.watch.sources.has_layers(); }},
    {"source",
     {"iscsi", "target"},
     [](auto& all) { return all.watch.sources.iscsi && !all.watch.sources.midlayer; }},
    {"ring-size", {"2M"}, [](auto& all) { return all.watch.Probe().ring_bytes == 2U << 20; }},
    {"ring-size", {"65536"}, [](auto& all) { return all.watch.Probe().ring_bytes == 65536; }},
    {"ring-size", {"1G"}, [](auto& all) { return all.watch.Probe().ring_bytes == 1U << 30; }},
    {"connection-memory",
     {"1M"},
     [](auto& all) { return all.watch.Probe().connection_memory == 1U << 20; }},
    {"connection-memory",
     {"1024G"},
     [](auto& all) { return all.watch.Probe().connection_memory == uint64_t{1} << 40; }},
    {"inflight", {"64"}, [](auto& all) { return all.watch.Probe().inflight_limit == 64; }},
    {"no-header-digests",
     {"true"},
     [](auto& all) { return !all.watch.Probe().check_header_digests; }},
    {"no-header-digests",
     {"false"},
     [](auto& all) { return all.watch.Probe().check_header_digests; }},
    {"no-phases", {"true"}, [](auto& all) { return !all.watch.Probe().measures_phases; }},
    {"count", {"1"}, [](auto& all) { return all.lines.count == 1; }},
    {"summary", {"true"}, [](auto& all) { return all.lines.summary; }},
    {"pdu", {"true"}, [](auto& all) { return all.lines.pdus; }},
    {"output", {"json"}, [](auto& all) { return all.output.json; }},
    {"output", {"table"}, [](auto& all) { return !all.output.json; }},
    {"web.listen-address",
     {"[::1]:80"},
     [](auto& all) { return all.web.listen.addresses.front().port == 80; }},
    {"web.listen-address",
     {":80", "unix:/run/a.sock"},
     [](auto& all) {
       return all.web.listen.addresses.size() == 2 && all.web.listen.addresses[1].is_unix();
     }},
    {"web.config.file", {"a.yml"}, [](auto& all) { return all.web.config_file == "a.yml"; }},
    {"web.telemetry-path", {"/m"}, [](auto& all) { return all.web.metrics_path == "/m"; }},
    {"mode", {"aggregate"}, [](auto& all) { return all.counting.aggregates_commands; }},
    {"log.level", {"debug"}, [](auto& all) { return all.log.level == LogLevel::kDebug; }},
    {"log.level", {"info"}, [](auto& all) { return all.log.level == LogLevel::kInfo; }},
    {"log.level", {"warn"}, [](auto& all) { return all.log.level == LogLevel::kWarning; }},
    {"log.level", {"error"}, [](auto& all) { return all.log.level == LogLevel::kError; }},
    {"log.format", {"json"}, [](auto& all) { return all.log.format == LogFormat::kJson; }},
    {"keep-capability",
     {"CAP_SYS_PTRACE", "sys_admin"},
     [](auto& all) {
       return all.privileges.capabilities == std::vector<int>{CAP_SYS_PTRACE, CAP_SYS_ADMIN};
     }},
    {"keep-capability",
     {"none"},
     [](auto& all) { return all.privileges.capabilities == std::vector<int>(); }},
    {"user", {"nobody"}, [](auto& all) { return all.privileges.user == "nobody"; }},
    {"no-syscall-filter", {"true"}, [](auto& all) { return !all.privileges.filters_system_calls; }},
    {"slow", {"10ms"}, [](auto& all) { return all.counting.slow_ns == 10'000'000; }},
    {"slow", {"0.5"}, [](auto& all) { return all.counting.slow_ns == 500'000'000; }},
};

struct RefusedRow {
  const char* key;
  Texts texts;
  const char* sentence;
};

const char* const kPortSentence = "must be a TCP port from 1 to 65535";
const char* const kMemorySentence = "must be a size from 1M to 1T, such as 256M";
const char* const kRingSentence = "must be a power of two from 4K to 1G, such as 512K";
const char* const kSlowSentence =
    "must be a time from 1us to 1h, such as 10ms, 2s or 1.5 (seconds)";
const char* const kAddressSentence =
    "must be HOST:PORT or unix:PATH, such as 127.0.0.1:13260, [::1]:13260 or "
    "unix:/run/lunscope.sock";

const char* const kCapabilitySentence =
    "must be the name of a capability, such as CAP_SYS_PTRACE, or none";

const RefusedRow kRefused[] = {
    {"colour", {"red"}, "is not an option"},
    {"port", {"0"}, kPortSentence},
    {"port", {"65536"}, kPortSentence},
    {"port", {"3260", "iscsi"}, kPortSentence},
    {"port", {"-1"}, kPortSentence},
    {"port", {}, kPortSentence},
    {"role", {"host"}, "must be initiator or target or both"},
    {"role", {}, "must be initiator or target or both"},
    {"keep-capability", {"CAP_EVERYTHING"}, kCapabilitySentence},
    {"keep-capability", {"none", ""}, kCapabilitySentence},
    {"source", {"nvme"}, "must be iscsi, scsi or target, or several with commas"},
    {"source", {"iscsi,"}, "must be iscsi, scsi or target, or several with commas"},
    {"source", {""}, "must be iscsi, scsi or target, or several with commas"},
    {"connection-memory", {"1023K"}, kMemorySentence},
    {"connection-memory", {"1025G"}, kMemorySentence},
    {"connection-memory", {"much"}, kMemorySentence},
    {"ring-size", {"100000"}, kRingSentence},
    {"ring-size", {"2K"}, kRingSentence},
    {"ring-size", {"2G"}, kRingSentence},
    {"ring-size", {"0"}, kRingSentence},
    {"ring-size", {"-4096"}, kRingSentence},
    {"inflight", {"0"}, "must be a whole number from 1 to 1200"},
    {"inflight", {"1201"}, "must be a whole number from 1 to 1200"},
    {"count", {"0"}, "must be a whole number of 1 or more"},
    {"count", {"1.5"}, "must be a whole number of 1 or more"},
    {"count", {"ten"}, "must be a whole number of 1 or more"},
    {"count", {"1", "2"}, "must be a whole number of 1 or more"},
    {"summary", {"perhaps"}, "must be true or false"},
    {"output", {"xml"}, "must be table or json"},
    {"web.listen-address", {"13260"}, kAddressSentence},
    {"web.telemetry-path", {"metrics"}, "must begin with / and name a page"},
    {"web.telemetry-path", {"/"}, "must begin with / and name a page"},
    {"mode", {"both"}, "must be records or aggregate"},
    {"slow", {"0"}, kSlowSentence},
    {"slow", {"-1"}, kSlowSentence},
    {"slow", {"2h"}, kSlowSentence},
    {"slow", {"soon"}, kSlowSentence},
};

TEST(Settings, TakeWhatIsAllowed) {
  for (const AcceptedRow& row : kAccepted) {
    Everything all;
    EXPECT_EQ(all.Set(row.key, row.texts), std::nullopt) << row.key;
    EXPECT_TRUE(row.has(all)) << row.key << ' ' << fmt::format("{}", fmt::join(row.texts, " "));
  }
}

TEST(Settings, RefuseWhatIsNotAllowedAndSayWhatIs) {
  for (const RefusedRow& row : kRefused) {
    Everything all;
    EXPECT_EQ(all.Set(row.key, row.texts), row.sentence) << row.key;
  }
}

TEST(Settings, RefusedTextChangesNothing) {
  Everything all;
  all.Set("port", {"3261", "iscsi"});
  all.Set("source", {"target,nvme"});
  all.Set("slow", {"2h"});
  all.Set("web.listen-address", {"unix:/run/a.sock", "13260"});
  EXPECT_FALSE(all.web.listen.addresses.front().is_unix());
  EXPECT_THAT(all.watch.ports.ports, ElementsAre(ISCSI_DEFAULT_PORT));
  EXPECT_TRUE(all.watch.sources.iscsi);
  EXPECT_FALSE(all.watch.sources.target);
  EXPECT_EQ(all.counting.slow_ns, std::nullopt);
}

TEST(Settings, EveryKeyIsSetOnceAndHasHelp) {
  Everything all;
  std::set<std::string> keys;
  for (const Option& option : all.Options()) {
    EXPECT_TRUE(keys.insert(option.key).second) << option.key;
    EXPECT_FALSE(option.help.empty()) << option.key;
    EXPECT_EQ(option.value.empty(), option.form == Option::Form::kSwitch) << option.key;
  }
}

TEST(Settings, HelpNamesTheDefaultsThatAreInEffect) {
  Everything all;
  all.watch.ports.ports = {1, 2};
  all.watch.role = {true, false};
  for (const Option& option : all.Options()) {
    if (option.key == "port") EXPECT_EQ(option.default_text, "1, 2");
    if (option.key == "role") EXPECT_EQ(option.default_text, "initiator");
    if (option.key == "ring-size") EXPECT_EQ(option.default_text, "512K");
    if (option.key == "connection-memory") EXPECT_EQ(option.default_text, "256M");
  }
}

TEST(Settings, SourcesAreNamedForPeople) {
  WatchOptions watch;
  EXPECT_EQ(watch.Text(), "port 3260");
  watch.ports.ports = {3260, 3261};
  watch.sources = {true, true, true};
  EXPECT_EQ(watch.Text(), "ports 3260, 3261, the SCSI mid-layer, LIO");
}

TEST(Settings, OptionsThatExcludeEachOtherAreRefusedTogether) {
  LineOptions lines;
  EXPECT_TRUE(lines.Check().ok());
  lines.pdus = lines.summary = true;
  Status refused = lines.Check();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ExitCode::kUsage);

  CountingOptions counting;
  Sources sources;
  EXPECT_TRUE(counting.Check(sources).ok());
  counting.slow_ns = 1'000'000;
  Status lonely = counting.Check(sources);
  ASSERT_FALSE(lonely.ok());
  EXPECT_THAT(lonely.error().message, HasSubstr("--mode aggregate"));
  counting.aggregates_commands = true;
  EXPECT_TRUE(counting.Check(sources).ok());
  sources.midlayer = true;
  Status layered = counting.Check(sources);
  ASSERT_FALSE(layered.ok());
  EXPECT_THAT(layered.error().message, HasSubstr("--source scsi"));
}

}  // namespace
}  // namespace lunscope
