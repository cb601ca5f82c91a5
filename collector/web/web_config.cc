// SPDX-License-Identifier: Apache-2.0
#include "collector/web/web_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <string_view>

#include "collector/base/printable.h"
#include "collector/base/quantity.h"

namespace lunscope {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;
// A check takes twice as long with each: 15 is some two seconds.
constexpr uint64_t kMaxBcryptCost = 15;
constexpr uint64_t kMaxIntervalNs = 3'600'000'000'000;
constexpr uint64_t kMaxBurst = 1'000'000;
constexpr size_t kBcryptBytes = 60;

// yaml-cpp throws its errors, with the place. Those of this file go the same way, up to
// ParseWebConfig().
[[noreturn]] void Refuse(const YAML::Node& node, const std::string& reason) {
  throw YAML::RepresentationException(node.Mark(), reason);
}

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

std::string TextOf(const YAML::Node& node) {
  if (!node.IsScalar()) Refuse(node, "must be a text");
  return node.Scalar();
}

bool FlagOf(const YAML::Node& node) {
  bool flag = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, flag))
    Refuse(node, "must be true or false");
  return flag;
}

std::vector<std::string> ListOf(const YAML::Node& node) {
  if (node.IsNull()) return {};
  if (!node.IsSequence()) Refuse(node, "must be a list");
  std::vector<std::string> texts;
  for (const YAML::Node& entry : node) texts.push_back(TextOf(entry));
  return texts;
}

// One of a few words, by its place among them.
template <size_t kCount>
size_t WordOf(const YAML::Node& node, const std::array<const char*, kCount>& words) {
  const auto word = std::ranges::find(words, TextOf(node));
  if (word == words.end()) Refuse(node, fmt::format("must be {}", fmt::join(words, ", ")));
  return static_cast<size_t>(word - words.begin());
}

// ---- keys ----

struct Key {
  const char* name;
  std::function<void(const YAML::Node&)> take;
};

using OtherKey = std::function<void(const std::string& name, const YAML::Node& value)>;

// Every key of a mapping, once.
void TakeEach(const YAML::Node& mapping, const OtherKey& take) {
  if (mapping.IsNull()) return;
  if (!mapping.IsMap()) Refuse(mapping, "must be keys with values");
  std::set<std::string> taken;
  for (const auto& entry : mapping) {
    const std::string name = TextOf(entry.first);
    if (!taken.insert(name).second)
      Refuse(entry.first, fmt::format("the key {} is there twice", Printable(name)));
    take(name, entry.second);
  }
}

void TakeKeys(const YAML::Node& mapping, const std::vector<Key>& keys) {
  TakeEach(mapping, [&](const std::string& name, const YAML::Node& value) {
    const auto key = std::ranges::find(keys, name, &Key::name);
    if (key != keys.end()) return key->take(value);
    std::vector<std::string_view> names;
    names.reserve(keys.size());
    for (const Key& known : keys) names.emplace_back(known.name);
    Refuse(value.Mark().is_null() ? mapping : value,
           fmt::format("the key {} is not known here, where {} can be", Printable(name),
                       fmt::join(names, ", ")));
  });
}

// ---- files ----

std::string InFolderOf(const std::string& file, const std::string& path) {
  const size_t slash = file.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos) return path;
  return file.substr(0, slash + 1) + path;
}

// The text of a file, or an error.
Result<std::string> ReadText(const std::string& path) {
  const auto cannot = [&] {
    return Error{ExitCode::kUsage, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
  };
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "re"),
                                                                &std::fclose);
  if (!file) return cannot();
  std::string text(kMaxFileBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return cannot();
  if (text.size() > kMaxFileBytes)
    return Error{ExitCode::kUsage, fmt::format("{} is larger than 1 MiB", path)};
  return text;
}

// ---- sections ----

class Reader {
 public:
  explicit Reader(WebConfig& config) : config_(config) {}

  void Read(const YAML::Node& root) {
    TakeKeys(root, {{"tls_server_config", [this](const YAML::Node& node) { ReadTls(node); }},
                    {"http_server_config", [this](const YAML::Node& node) { ReadHttp(node); }},
                    {"basic_auth_users", [this](const YAML::Node& node) { ReadUsers(node); }},
                    {"rate_limit", [this](const YAML::Node& node) { ReadRateLimit(node); }}});
  }

 private:
  using Take = std::function<void(const YAML::Node&)>;

  static Take Inline(ConfiguredText& text) {
    return [&text](const YAML::Node& node) {
      if (!text.text.empty()) Refuse(node, "a text and a file exclude each other");
      text = {TextOf(node), LineOf(node)};
    };
  }

  Take FromFile(ConfiguredText& text) const {
    return [this, &text](const YAML::Node& node) {
      if (!text.text.empty()) Refuse(node, "a text and a file exclude each other");
      Result<std::string> read = ReadText(InFolderOf(config_.path, TextOf(node)));
      if (!read.ok()) Refuse(node, read.error().message);
      text = {read.value(), LineOf(node)};
    };
  }

  void ReadTls(const YAML::Node& node) {
    TlsConfig tls;
    size_t oldest = 0;
    size_t newest = 1;
    const std::array versions = {"TLS12", "TLS13"};
    TakeKeys(node,
             {{"cert", Inline(tls.certificate)},
              {"cert_file", FromFile(tls.certificate)},
              {"key", Inline(tls.key)},
              {"key_file", FromFile(tls.key)},
              {"client_ca", Inline(tls.client_ca)},
              {"client_ca_file", FromFile(tls.client_ca)},
              {"client_auth_type", [&](const YAML::Node& value) { ReadClientAuth(value, tls); }},
              {"client_allowed_sans",
               [&](const YAML::Node& value) { tls.allowed_names = ListOf(value); }},
              {"min_version", [&](const YAML::Node& value) { oldest = WordOf(value, versions); }},
              {"max_version", [&](const YAML::Node& value) { newest = WordOf(value, versions); }},
              {"prefer_server_cipher_suites",
               [&](const YAML::Node& value) { tls.prefers_own_ciphers = FlagOf(value); }},
              {"curve_preferences", [&](const YAML::Node& value) { ReadCurves(value, tls); }},
              {"cipher_suites", [&](const YAML::Node& value) {
                 if (!ListOf(value).empty())
                   Refuse(value,
                          "cipher_suites are not supported: min_version: TLS13 has only "
                          "new ones");
               }}});
    if (oldest > newest) Refuse(node, "min_version is above max_version");
    tls.allows_tls12 = oldest == 0;
    tls.allows_tls13 = newest == 1;
    CheckTls(node, tls);
    config_.tls = std::move(tls);
  }

  static void CheckTls(const YAML::Node& node, const TlsConfig& tls) {
    using enum TlsConfig::ClientCertificates;
    if (tls.certificate.text.empty() || tls.key.text.empty())
      Refuse(node, "tls_server_config needs cert_file and key_file");
    const bool verifies =
        tls.client_certificates == kVerify || tls.client_certificates == kVerifyIfGiven;
    if (verifies && tls.client_ca.text.empty())
      Refuse(node, "client_auth_type needs client_ca_file, to verify certificates with");
    if (!verifies && !tls.client_ca.text.empty())
      Refuse(node, "client_ca_file needs client_auth_type: RequireAndVerifyClientCert");
    if (!verifies && !tls.allowed_names.empty())
      Refuse(node, "client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert");
  }

  static void ReadClientAuth(const YAML::Node& node, TlsConfig& tls) {
    constexpr std::array kTypes = {"NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                                   "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"};
    tls.client_certificates = static_cast<TlsConfig::ClientCertificates>(WordOf(node, kTypes));
  }

  static void ReadCurves(const YAML::Node& node, TlsConfig& tls) {
    constexpr std::array kCurves = {"CurveP256", "CurveP384", "CurveP521", "X25519"};
    constexpr std::array kGroups = {"SECP256R1", "SECP384R1", "SECP521R1", "X25519"};
    if (!node.IsSequence()) Refuse(node, "must be a list");
    for (const YAML::Node& entry : node) tls.groups.emplace_back(kGroups[WordOf(entry, kCurves)]);
  }

  void ReadHttp(const YAML::Node& node) {
    TakeKeys(node, {// HTTP/2 is an offer: a client that gets no answer to it speaks HTTP/1.1.
                    {"http2", [](const YAML::Node& value) { FlagOf(value); }},
                    {"headers", [this](const YAML::Node& value) { ReadHeaders(value); }}});
  }

  void ReadHeaders(const YAML::Node& node) {
    constexpr std::array kNames = {"Content-Security-Policy", "Strict-Transport-Security",
                                   "X-Content-Type-Options", "X-Frame-Options", "X-XSS-Protection"};
    TakeEach(node, [&](const std::string& name, const YAML::Node& value) {
      if (std::ranges::find(kNames, name) == kNames.end())
        Refuse(value, fmt::format("the header {} is not one of {}", Printable(name),
                                  fmt::join(kNames, ", ")));
      const std::string text = TextOf(value);
      const bool is_printable =
          std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c < 0x7f; });
      if (!is_printable) Refuse(value, "a header has printable ASCII characters only");
      if (!text.empty()) config_.headers.emplace_back(name, text);
    });
  }

  void ReadUsers(const YAML::Node& node) {
    TakeEach(node, [this](const std::string& name, const YAML::Node& value) {
      const std::string hash = TextOf(value);
      if (name.empty() || name.find(':') != std::string::npos)
        Refuse(value, "the name of a user is not empty and has no colon");
      const bool is_bcrypt = hash.size() == kBcryptBytes && hash[0] == '$' && hash[1] == '2' &&
                             std::string_view("aby").find(hash[2]) != std::string_view::npos &&
                             hash[3] == '$' && hash[6] == '$';
      const std::optional<uint64_t> cost =
          is_bcrypt ? ParseWholeNumber(std::string_view(hash).substr(4, 2)) : std::nullopt;
      if (!cost) Refuse(value, "is no bcrypt hash: htpasswd -nBC 10 NAME makes one");
      if (*cost < 4 || *cost > kMaxBcryptCost)
        Refuse(value, fmt::format("the cost of the bcrypt hash must be 4 to {}", kMaxBcryptCost));
      config_.users[name] = hash;
    });
  }

  void ReadRateLimit(const YAML::Node& node) {
    RateLimit limit;
    TakeKeys(node, {{"interval",
                     [&](const YAML::Node& value) {
                       const std::optional<uint64_t> ns = ParseDurationNs(TextOf(value));
                       if (!ns || *ns > kMaxIntervalNs)
                         Refuse(value, "must be a time of up to an hour, such as 10ms or 1s");
                       limit.interval = std::chrono::nanoseconds(*ns);
                     }},
                    {"burst", [&](const YAML::Node& value) {
                       const std::optional<uint64_t> burst = ParseWholeNumber(TextOf(value));
                       if (!burst || *burst > kMaxBurst)
                         Refuse(value, "must be a whole number of up to a million");
                       limit.burst = *burst;
                     }}});
    if (limit.interval.count() == 0) return;
    if (limit.burst == 0) Refuse(node, "rate_limit needs a burst of 1 or more");
    config_.rate_limit = limit;
  }

  WebConfig& config_;
};

}  // namespace

Error WebConfig::At(int line, const std::string& reason) const {
  return Error{ExitCode::kUsage, line > 0 ? fmt::format("{}:{}: {}", path, line, reason)
                                          : fmt::format("{}: {}", path, reason)};
}

Result<WebConfig> ParseWebConfig(const std::string& text, const std::string& path) {
  WebConfig config;
  config.path = path;
  try {
    Reader(config).Read(YAML::Load(text));
  } catch (const YAML::Exception& wrong) {
    return config.At(wrong.mark.is_null() ? 0 : wrong.mark.line + 1, wrong.msg);
  } catch (const std::exception& wrong) {
    return config.At(0, wrong.what());
  }
  return config;
}

Result<WebConfig> ReadWebConfig(const std::string& path) {
  Result<std::string> text = ReadText(path);
  if (!text.ok()) return text.error();
  return ParseWebConfig(text.value(), path);
}

}  // namespace lunscope
