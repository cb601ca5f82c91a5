// SPDX-License-Identifier: Apache-2.0
#include "collector/run/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

#include "collector/base/files.h"
#include "collector/base/quantity.h"

namespace lunscope {
namespace {

constexpr uint64_t kMinConnectionMemory = 1 << 20;
constexpr uint64_t kMaxConnectionMemory = uint64_t{1} << 40;
constexpr uint32_t kMinRingBytes = 4096;
constexpr uint32_t kMaxRingBytes = 1U << 30;
// Options that say nothing about the SCSI layers.
constexpr std::string_view kConnectionOptions[] = {
    "port", "role", "inflight", "connection-memory", "no-header-digests", "no-phases"};
constexpr uint64_t kMinSlowNs = 1'000, kMaxSlowNs = 3'600'000'000'000;

Refusal SetPorts(const std::vector<std::string>& texts, std::vector<uint16_t>& ports) {
  std::vector<uint16_t> given;
  for (const std::string& text : texts) {
    const auto number = ParseWholeNumber(text);
    if (!number || *number == 0 || *number > 65535) return "must be a TCP port from 1 to 65535";
    given.push_back(static_cast<uint16_t>(*number));
  }
  if (given.empty()) return "must be a TCP port from 1 to 65535";
  ports = std::move(given);
  return std::nullopt;
}

// "iscsi,scsi", or each by itself.
Refusal SetSources(const std::vector<std::string>& texts, Sources& sources) {
  Sources given{false, false, false};
  const std::pair<std::string_view, bool*> layers[] = {
      {"iscsi", &given.iscsi}, {"scsi", &given.midlayer}, {"target", &given.target}};
  for (const std::string& text : texts) {
    for (size_t at = 0; at <= text.size();) {
      const size_t end = std::min(text.find(',', at), text.size());
      const auto layer = std::ranges::find(layers, std::string_view(text).substr(at, end - at),
                                           &std::pair<std::string_view, bool*>::first);
      if (layer == std::end(layers)) return "must be iscsi, scsi or target, or several with commas";
      *layer->second = true;
      at = end + 1;
    }
  }
  sources = given;
  return std::nullopt;
}

Option RingOption(uint32_t& ring_bytes) {
  Option option = SizeOption(
      "ring-size", "Bytes of each ring buffer (one per CPU, up to 8): a power of two",
      "a power of two from 4K to 1G, such as 512K", [&ring_bytes](uint64_t bytes) {
        if (!std::has_single_bit(bytes) || bytes < kMinRingBytes || bytes > kMaxRingBytes)
          return false;
        ring_bytes = static_cast<uint32_t>(bytes);
        return true;
      });
  option.default_text = FormatBytes(ring_bytes);
  return option;
}

Option MemoryOption(uint64_t& connection_memory) {
  Option option = SizeOption(
      "connection-memory",
      "Kernel memory for the states of all connections, 16K to 96K for each end that is watched; "
      "further connections are counted and not watched",
      "a size from 1M to 1T, such as 256M", [&connection_memory](uint64_t bytes) {
        if (bytes < kMinConnectionMemory || bytes > kMaxConnectionMemory) return false;
        connection_memory = bytes;
        return true;
      });
  option.default_text = FormatBytes(connection_memory);
  return option;
}

Error UsageError(std::string message) { return {ExitCode::kUsage, std::move(message)}; }

}  // namespace

OptionList PortOptions::Options() {
  Option option;
  option.key = "port";
  option.form = Option::Form::kRepeated;
  option.value = "PORT";
  option.help = "TCP port that targets listen on; may be given again";
  option.default_text = fmt::format("{}", fmt::join(ports, ", "));
  option.set = [this](const auto& texts) { return SetPorts(texts, ports); };
  return {option};
}

std::string PortOptions::Text() const {
  return fmt::format("{} {}", ports.size() == 1 ? "port" : "ports", fmt::join(ports, ", "));
}

OptionList RoleOptions::Options(std::string help) {
  const char* before = !targets ? "initiator" : !initiators ? "target" : "both";
  return {WordOption("role", std::move(help), {"initiator", "target", "both"}, before,
                     [this](std::string_view role) {
                       initiators = role != "target";
                       targets = role != "initiator";
                     })};
}

OptionList Sources::Options() {
  Option option;
  option.key = "source";
  option.value = "LAYER,...";
  option.help =
      "Where to watch commands: iscsi (PDUs of TCP connections), scsi (the kernel's SCSI "
      "mid-layer, over any transport), target (LIO, over any fabric)";
  option.default_text = "iscsi";
  option.form = Option::Form::kRepeated;
  option.set = [this](const auto& texts) { return SetSources(texts, *this); };
  return {option};
}

OptionList ProbeTuning::Options() {
  Option inflight = NumberOption("inflight", "Commands in flight that are tracked per connection",
                                 1, LUNSCOPE_TRACKED_COMMANDS, [this](uint64_t limit) {
                                   inflight_limit = static_cast<uint32_t>(limit);
                                 });
  inflight.default_text = fmt::to_string(inflight_limit);
  return {RingOption(ring_bytes), MemoryOption(connection_memory), std::move(inflight),
          SwitchOption("no-header-digests", "Do not compute the CRC of headers that have a digest",
                       check_header_digests, false),
          SwitchOption("no-phases",
                       "Do not measure the phases of commands: the programs cost a tenth less",
                       measures_phases, false)};
}

OptionList WatchOptions::Options() {
  OptionList options = OptionsOf(sources, ports, role, tuning);
  for (Option& option : options) {
    if (std::ranges::find(kConnectionOptions, option.key) == std::end(kConnectionOptions)) continue;
    option.set = [this, key = option.key, set = std::move(option.set)](const auto& texts) {
      connection_option = key;
      return set(texts);
    };
  }
  return options;
}

Status WatchOptions::Check() const {
  if (sources.iscsi || connection_option.empty()) return Nothing{};
  return UsageError(fmt::format("--{} is for --source iscsi: the SCSI layers have no connections",
                                connection_option));
}

ProbeOptions WatchOptions::Probe() const {
  ProbeOptions probe;
  probe.ports = ports.ports;
  probe.watch_initiators = role.initiators;
  probe.watch_targets = role.targets;
  probe.ring_bytes = tuning.ring_bytes;
  probe.inflight_limit = tuning.inflight_limit;
  probe.connection_memory = tuning.connection_memory;
  probe.check_header_digests = tuning.check_header_digests;
  probe.measures_phases = tuning.measures_phases;
  return probe;
}

std::string WatchOptions::Text() const {
  std::vector<std::string> list;
  if (sources.iscsi) list.push_back(ports.Text());
  if (sources.midlayer) list.emplace_back("the SCSI mid-layer");
  if (sources.target) list.emplace_back("LIO");
  return fmt::format("{}", fmt::join(list, ", "));
}

OptionList CountingOptions::Options() {
  Option slow =
      DurationOption("slow", "With --mode aggregate: a command that takes this long has a record",
                     kMinSlowNs, kMaxSlowNs, [this](uint64_t ns) { slow_ns = ns; });
  slow.default_text = "1s";
  return {WordOption("mode",
                     "records: a record for each command; aggregate: the kernel adds commands up, "
                     "and only failed and slow ones have a record",
                     {"records", "aggregate"}, "records",
                     [this](std::string_view mode) { aggregates_commands = mode == "aggregate"; }),
          std::move(slow)};
}

Status CountingOptions::Check(const Sources& sources) const {
  if (!aggregates_commands && slow_ns)
    return UsageError("--slow needs --mode aggregate, for else every command has a record");
  if (aggregates_commands && !sources.iscsi)
    return UsageError("--mode aggregate is for --source iscsi");
  if (aggregates_commands && sources.midlayer)
    return UsageError(
        "--mode aggregate excludes --source scsi, which looks for each command on the wire");
  return Nothing{};
}

OptionList LineOptions::Options() {
  return {NumberOption("count", "End after this many commands (PDUs with --pdu)", 1, UINT64_MAX,
                       [this](uint64_t number) { count = number; }),
          SwitchOption("summary",
                       "At the end: commands by name, with bytes, errors and latency quantiles",
                       summary),
          SwitchOption("no-events", "No lines for logins, ends of connections and the like", events,
                       false),
          SwitchOption("no-findings", "No lines for findings that begin or end", findings, false),
          SwitchOption("phases", "Columns for the phases of each command: whose time it took",
                       columns.phases),
          SwitchOption("by-lun", "With --summary: a row for each LUN of each target",
                       is_summary_by_lun),
          SwitchOption(
              "pdu", "PDUs instead of commands; with -o json, every field of their headers", pdus)};
}

Status LineOptions::Check() const {
  if (is_summary_by_lun && !summary) return UsageError("--by-lun is for --summary");
  if (pdus && summary) return UsageError("--pdu excludes --summary, which counts commands");
  if (pdus && columns.phases) return UsageError("--pdu excludes --phases, which commands have");
  return Nothing{};
}

OptionList LogOptions::Options() {
  return {WordOption("log.level", "The least that is said on standard error",
                     {"debug", "info", "warn", "error"}, "info",
                     [this](std::string_view word) {
                       level = word == "debug"  ? LogLevel::kDebug
                               : word == "info" ? LogLevel::kInfo
                               : word == "warn" ? LogLevel::kWarning
                                                : LogLevel::kError;
                     }),
          WordOption("log.format", "Its form", {"plain", "logfmt", "json"}, "plain",
                     [this](std::string_view word) {
                       format = word == "plain"    ? LogFormat::kPlain
                                : word == "logfmt" ? LogFormat::kLogfmt
                                                   : LogFormat::kJson;
                     })};
}

OptionList OutputOptions::Options(std::string help) {
  Option option = WordOption("output", std::move(help), {"table", "json"}, "table",
                             [this](std::string_view form) { json = form == "json"; });
  option.letter = 'o';
  return {std::move(option)};
}

OptionList AddressOptions::Options(Option::Form form, std::string help) {
  Option option;
  option.key = "web.listen-address";
  option.form = form;
  option.value = "ADDRESS";
  option.help = std::move(help);
  option.default_text = addresses.front().Text();
  option.set = [this, form](const std::vector<std::string>& texts) -> Refusal {
    const char* const refusal =
        "must be HOST:PORT or unix:PATH, such as 127.0.0.1:13260, [::1]:13260 or "
        "unix:/run/lunscope.sock";
    if (texts.empty() || (form == Option::Form::kValue && texts.size() > 1)) return refusal;
    std::vector<ListenAddress> given;
    for (const std::string& text : texts) {
      Result<ListenAddress> parsed = ListenAddress::Parse(text);
      if (!parsed.ok()) return refusal;
      given.push_back(parsed.value());
    }
    addresses = std::move(given);
    return std::nullopt;
  };
  return {std::move(option)};
}

OptionList ClientOptions::Options() {
  OptionList options = server.Options();
  options.push_back(SwitchOption("web.tls", "The server has TLS", tls));
  options.push_back(TextOption("web.ca-file", "FILE",
                               "With --web.tls: CA of the server, if not one of this host's",
                               ca_file));
  options.push_back(
      TextOption("web.cert-file", "FILE", "With --web.tls: certificate to show", cert_file));
  options.push_back(TextOption("web.key-file", "FILE", "With --web.tls: its key", key_file));
  options.push_back(
      TextOption("web.user-file", "FILE", "File with USER:PASSWORD on one line", user_file));
  return options;
}

Status ClientOptions::Check() const {
  const bool has_files = !ca_file.empty() || !cert_file.empty() || !key_file.empty();
  if (has_files && !tls)
    return UsageError("--web.ca-file, --web.cert-file and --web.key-file are for --web.tls");
  if (cert_file.empty() != key_file.empty())
    return UsageError("--web.cert-file and --web.key-file go together");
  if (tls && server.addresses.front().is_unix())
    return UsageError("--web.tls is not for a Unix socket, which has no TLS");
  return Nothing{};
}

Result<FetchOptions> ClientOptions::Request() const {
  FetchOptions request{server.addresses.front(), tls, ca_file, cert_file, key_file, ""};
  if (user_file.empty()) return request;
  request.credentials = ReadLine(user_file);
  if (request.credentials.find(':') == std::string::npos)
    return UsageError(fmt::format(
        "--web.user-file {} has no line with USER:PASSWORD, or cannot be read", user_file));
  return request;
}

std::string WebOptions::Urls(bool has_tls) const {
  std::vector<std::string> urls;
  for (const ListenAddress& address : listen.addresses)
    urls.push_back(address.Url(metrics_path, has_tls && !address.is_unix()));
  return fmt::format("{}", fmt::join(urls, ", "));
}

OptionList WebOptions::Options() {
  OptionList options =
      listen.Options(Option::Form::kRepeated, "HOST:PORT or unix:PATH to serve on");
  options.push_back(TextOption("web.config.file", "FILE",
                               "TLS, client certificates and passwords of the endpoint",
                               config_file));
  Option path;
  path.key = "web.telemetry-path";
  path.value = "PATH";
  path.help = "Path of the metrics";
  path.default_text = metrics_path;
  path.set = [this](const std::vector<std::string>& texts) -> Refusal {
    if (texts.size() != 1 || !texts[0].starts_with('/') || texts[0].size() < 2)
      return "must begin with / and name a page";
    metrics_path = texts[0];
    return std::nullopt;
  };
  options.push_back(std::move(path));
  Option host;
  host.key = "web.allowed-host";
  host.form = Option::Form::kRepeated;
  host.value = "NAME";
  host.help = "Name in Host headers, beside addresses, localhost and this host's own name";
  host.set = [this](const std::vector<std::string>& texts) -> Refusal {
    allowed_hosts = texts;
    const bool has_port = std::ranges::any_of(
        texts, [](const std::string& name) { return name.empty() || name.find(':') != name.npos; });
    if (has_port) return "must be a name without a port";
    return std::nullopt;
  };
  options.push_back(std::move(host));
  return options;
}

}  // namespace lunscope
