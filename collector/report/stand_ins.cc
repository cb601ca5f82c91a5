// SPDX-License-Identifier: Apache-2.0
#include "collector/report/stand_ins.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "collector/model/snapshot.h"

namespace lunscope {
namespace {

constexpr const char* kWords[] = {"initiator", "target",  "host",    "guest",  "process",
                                  "serial",    "wwid",    "product", "device", "mount",
                                  "alias",     "capture", "name"};
static_assert(std::size(kWords) == static_cast<size_t>(NameKind::kCount));

// These stand for a name already.
constexpr std::string_view kNoNames[] = {
    "", "-", kUnknownName, kDiscoveryName, kOverflowName, kSeveralGuests};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlnum(char c) { return IsDigit(c) || IsLetter(c); }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
// A name of the RFC's forms has these. A character that became printable is \xNN.
bool IsOfName(char c) {
  return IsAlnum(c) || c == '.' || c == '-' || c == ':' || c == '_' || c == '\\';
}

// Does a word end between the two?
bool IsEdge(char before, char behind) { return !IsAlnum(before) || !IsAlnum(behind); }

size_t CountFront(std::string_view text, bool (*is_of)(char)) {
  return static_cast<size_t>(std::ranges::find_if_not(text, is_of) - text.begin());
}

// The length of "iqn.2024-01.test:disk", without the characters that end a sentence.
size_t NameAtFront(std::string_view text) {
  const bool begins =
      text.size() > 4 && text[3] == '.' &&
      (text.starts_with("iqn") || text.starts_with("eui") || text.starts_with("naa"));
  if (!begins) return 0;
  size_t length = CountFront(text, IsOfName);
  while (!IsAlnum(text[length - 1])) length--;
  return length > 4 ? length : 0;
}

size_t Ipv4AtFront(std::string_view text) {
  size_t length = 0;
  for (int part = 0; part < 4; part++) {
    if (part > 0) {
      if (length >= text.size() || text[length] != '.') return 0;
      length++;
    }
    const size_t digits = CountFront(text.substr(length), IsDigit);
    if (digits == 0 || digits > 3) return 0;
    length += digits;
  }
  return length;
}

bool IsIpv6(std::string_view text) {
  const auto colons = std::ranges::count(text, ':');
  return colons == 7 || (colons >= 2 && text.find("::") != std::string_view::npos);
}

// In brackets or not. A zone may follow behind a percent sign.
size_t Ipv6AtFront(std::string_view text) {
  const bool has_brackets = text.starts_with('[');
  const size_t from = has_brackets ? 1 : 0;
  const auto is_of = [](char c) { return IsHex(c) || c == ':' || c == '.'; };
  size_t length = from + CountFront(text.substr(from), is_of);
  while (!has_brackets && length > 0 && text[length - 1] == '.') length--;
  if (!IsIpv6(text.substr(from, length - from))) return 0;
  if (text.substr(length).starts_with('%'))
    length += 1 + CountFront(text.substr(length + 1), IsAlnum);
  if (!has_brackets) return length;
  return text.substr(length).starts_with(']') ? length + 1 : 0;
}

size_t HostAtFront(std::string_view text) { return std::max(Ipv4AtFront(text), Ipv6AtFront(text)); }

bool EndsWithAWord(std::string_view text, size_t length) {
  return length == text.size() || IsEdge(text[length - 1], text[length]);
}

}  // namespace

std::string StandIns::Of(NameKind kind, std::string_view name) {
  if (!is_on_ || std::ranges::find(kNoNames, name) != std::end(kNoNames)) return std::string(name);
  const bool is_in_sentences = kind == NameKind::kInitiator || kind == NameKind::kTarget ||
                               kind == NameKind::kHost || kind == NameKind::kName;
  const auto number = static_cast<size_t>(kind);
  auto found = names_.find(name);
  if (found == names_.end()) {
    if (names_.size() >= kMaxNames) return fmt::format("{}-x", kWords[number]);
    found =
        names_.emplace(name, StandIn{fmt::format("{}-{}", kWords[number], ++last_[number])}).first;
  }
  if (is_in_sentences) {
    found->second.is_in_sentences = true;
    longest_ = std::max(longest_, name.size());
  }
  return found->second.text;
}

std::string StandIns::OfAddress(std::string_view address) {
  if (!is_on_) return std::string(address);
  size_t host = HostAtFront(address);
  if (host == 0) host = std::min(address.find(':'), address.size());
  return Of(NameKind::kHost, address.substr(0, host)) + std::string(address.substr(host));
}

size_t StandIns::KnownAtFront(std::string_view text) const {
  for (size_t length = std::min(longest_, text.size()); length > 0; length--) {
    if (!EndsWithAWord(text, length)) continue;
    const auto found = names_.find(text.substr(0, length));
    if (found != names_.end() && found->second.is_in_sentences) return length;
  }
  return 0;
}

std::string StandIns::In(std::string_view sentence) {
  if (!is_on_) return std::string(sentence);
  std::string text;
  for (size_t at = 0; at < sentence.size();) {
    const std::string_view rest = sentence.substr(at);
    const bool is_word = at == 0 || IsEdge(sentence[at - 1], sentence[at]);
    const size_t known = is_word ? KnownAtFront(rest) : 0;
    const size_t name = is_word ? NameAtFront(rest) : 0;
    const size_t host = is_word ? HostAtFront(rest) : 0;
    const size_t length = std::max({known, name, host});
    if (length == 0) {
      text += sentence[at++];
      continue;
    }
    const NameKind kind = host == length && host > name ? NameKind::kHost : NameKind::kName;
    text += Of(kind, rest.substr(0, length));
    at += length;
  }
  return text;
}

}  // namespace lunscope
