// SPDX-License-Identifier: Apache-2.0
// The kernel's filter for negotiation text, and the collector's reader of its pairs. Both are
// compared with a second reading of RFC 7143 section 6.1, which takes the text as a whole.
// Input: the text. The filter takes single bytes; the reader gets the text whole and in pieces.
#include <lunscope/records.h>
#include <lunscope/text.h>

#include <optional>
#include <string>
#include <utility>

#include "collector/base/printable.h"
#include "collector/model/text_reader.h"
#include "tests/fuzz/target.h"

namespace lunscope {
namespace {

constexpr std::string_view kShownKeys[] = {
#define LUNSCOPE_NAME(name, hash) name,
    LUNSCOPE_TEXT_KEYS(LUNSCOPE_NAME)
#undef LUNSCOPE_NAME
};

bool IsShown(std::string_view key) { return std::ranges::count(kShownKeys, key) != 0; }

struct Pair {
  std::string_view key;
  std::optional<std::string_view> value;  // absent: the pair has no '='
  bool has_end;                           // the pair ends with a NUL
};

std::vector<Pair> PairsOf(std::string_view text) {
  std::vector<Pair> pairs;
  while (!text.empty()) {
    const size_t end = text.find('\0');
    const std::string_view pair = text.substr(0, end);
    const size_t equals = pair.find('=');
    const bool has_value = equals != std::string_view::npos;
    pairs.push_back({pair.substr(0, equals),
                     has_value ? std::optional(pair.substr(equals + 1)) : std::nullopt,
                     end != std::string_view::npos});
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
  }
  return pairs;
}

std::string Shown(const std::vector<Pair>& pairs) {
  std::string shown;
  for (const Pair& pair : pairs) {
    shown += pair.key;
    if (pair.value) shown += '=';
    if (pair.value && IsShown(pair.key)) shown += *pair.value;
    if (pair.has_end) shown += '\0';
  }
  return shown;
}

lunscope_digest Said(const std::vector<Pair>& pairs, std::string_view key) {
  lunscope_digest said = LUNSCOPE_DIGEST_UNSAID;
  for (const Pair& pair : pairs) {
    if (pair.key != key || !pair.value || !pair.has_end) continue;
    said = *pair.value == "CRC32C" ? LUNSCOPE_DIGEST_CRC32C : LUNSCOPE_DIGEST_NONE;
  }
  return said;
}

using Values = std::vector<std::pair<std::string, std::string>>;  // by key

// The pairs that have a key and a value, up to the reader's limit of length.
Values ValuesOf(const std::vector<Pair>& pairs) {
  Values values;
  for (const Pair& pair : pairs) {
    if (pair.key.empty() || !pair.value || pair.key.size() >= TextReader::kMaxPairBytes) continue;
    const size_t left = TextReader::kMaxPairBytes - pair.key.size() - 1;
    values.emplace_back(pair.key, Printable(pair.value->substr(0, left)));
  }
  return values;
}

Values Read(std::string_view text, size_t piece_bytes) {
  Values values;
  const auto take = [&](std::string_view key, const std::string& value) {
    Check(IsPrintable(value), "a value is printable");
    values.emplace_back(key, value);
  };
  TextReader reader;
  for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
    reader.Take(text.substr(0, piece_bytes), take);
    Check(reader.pending_bytes() <= TextReader::kMaxPairBytes, "what is kept is bounded");
  }
  reader.End(take);
  return values;
}

std::string Filter(lunscope_text* text, std::string_view bytes) {
  std::string shown;
  for (const char byte : bytes)
    if (lunscope_text_take(text, static_cast<uint8_t>(byte))) shown += byte;
  return shown;
}

void Run(std::span<const uint8_t> bytes) {
  const std::string wire(bytes.begin(), bytes.end());
  const std::vector<Pair> pairs = PairsOf(wire);
  lunscope_text text = {};
  lunscope_text_next_key(&text);
  const std::string shown = Filter(&text, wire);
  Check(shown == Shown(pairs), "names and shown values pass, and nothing else");
  Check(text.header_digest == Said(pairs, "HeaderDigest"), "HeaderDigest");
  Check(text.data_digest == Said(pairs, "DataDigest"), "DataDigest");

  // Followed from the middle of a text: nothing passes before a NUL, and behind it all is as usual.
  lunscope_text late = {};
  const size_t first_nul = std::min(wire.find('\0'), wire.size());
  Check(Filter(&late, wire) == Shown(PairsOf(std::string_view(wire).substr(first_nul))),
        "the rest of what was not seen from its beginning is held back");

  Values values = ValuesOf(pairs);
  for (const size_t piece_bytes : {wire.size() + 1, size_t{1}, size_t{7}})
    Check(Read(wire, piece_bytes) == values, "every pair, however the text is cut");
  for (auto& [key, value] : values)
    if (!IsShown(key)) value.clear();
  Check(Read(shown, LUNSCOPE_CHUNK_BYTES) == values, "a shown value is whole");
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds = {
      Keys(
          {"InitiatorName=iqn.2026-01.example:host", "SessionType=Normal", "AuthMethod=CHAP,None"}),
      Keys({"CHAP_A=5", "CHAP_I=97", "CHAP_C=0x8f2ae1c0", "CHAP_N=alice", "CHAP_R=0x0badc0de"}),
      Keys({"SRP_U=alice", "SRP_s=0x0badc0de", "KRB_AP_REQ=0x0badc0de", "TargetAuth=Yes"}),
      Keys({"HeaderDigest=CRC32C,None", "DataDigest=CRC32C", "HeaderDigest=CRC32C"}),
      Keys({"TargetName", "=secret", "TargetName=a=b", "", "TargetName=", "X#NodeArchitecture=a"}),
      ToBytes("TargetAddress=10.0.0.9:3260,1"),
      ToBytes("TargetAlias=\x1b[2J\n\xff\\"),
  };
  for (const std::string_view key : kShownKeys) seeds.push_back(Keys({std::string(key) + "=Yes"}));
  return seeds;
}

}  // namespace

const FuzzTarget kTextTarget = {"text", Run, Seeds};

}  // namespace lunscope
