// SPDX-License-Identifier: Apache-2.0
// Negotiations with authentication, over any number of PDUs and segments, of which some are lost or
// cut by a snap length. No record may have a byte of a secret value. If nothing was missing, the
// records have everything else.
//
// Input: a byte of setting, then exchanges. An exchange is a byte (bits 0-1: its PDU; bits 2-4: its
// pairs), two for each pair (key, length of the value), and two for each PDU of its text (how far
// below 256 bytes it stays, way to send it) until that is over.
#include <string>

#include "collector/base/record.h"
#include "tests/fuzz/observed.h"
#include "tests/vectors/pdu.h"

namespace lunscope {
namespace {

enum Setting : uint8_t { kTargetSide = 1, kMidstream = 2, kHeaders = 4 };
enum Way : uint8_t { kWhole, kInPieces, kLost, kCut, kWays };

constexpr size_t kMaxValueBytes = 64;  // eight of them are more than a chunk
constexpr uint8_t kSecretByte = 0xa5;  // in secret values, and nowhere else

struct Key {
  const char* name;
  bool is_secret;
};
// RFC 7143 sections 12.1 and 13, and unknown names.
constexpr Key kKeys[] = {
    {"CHAP_N", true},          {"CHAP_R", true},
    {"CHAP_C", true},          {"CHAP_I", true},
    {"SRP_U", true},           {"SRP_GROUP", true},
    {"SRP_A", true},           {"SRP_B", true},
    {"SRP_M", true},           {"SRP_HM", true},
    {"SRP_s", true},           {"KRB_AP_REQ", true},
    {"KRB_AP_REP", true},      {"X-password", true},
    {"TargetNames", true},     {"", true},
    {"CHAP_A", false},         {"AuthMethod", false},
    {"InitiatorName", false},  {"TargetName", false},
    {"MaxBurstLength", false},
};

class Session {
 public:
  explicit Session(uint8_t setting)
      : is_whole_((setting & kMidstream) == 0),
        initiator_(setting & kTargetSide ? LUNSCOPE_RECEIVED : LUNSCOPE_SENT),
        observed_(setting & kTargetSide ? LUNSCOPE_ROLE_TARGET : LUNSCOPE_ROLE_INITIATOR,
                  [this](const lunscope_record& record) { Take(record); }) {
    if (setting & kHeaders) observed_.EmitHeaders();
    if (!is_whole_) return;
    observed_.Open();
    Say(LoginRequest({}, kSecurity), kWhole, 0);
    Say(LoginResponse({}, kSecurity), kWhole, 0);
  }

  void Exchange(Input* input) {
    const uint8_t kind = input->Byte();
    Bytes text;
    for (int pairs = kind >> 2 & 7; pairs >= 0; pairs--) {
      const Key& key = kKeys[input->Byte() % std::size(kKeys)];
      const Bytes name = ToBytes(std::string(key.name) + "=");
      const Bytes value(input->Byte() % kMaxValueBytes, key.is_secret ? kSecretByte : 'v');
      text = Join({std::move(text), name, value, {0}});
      shown_[DirectionOf(kind)] =
          Join({std::move(shown_[DirectionOf(kind)]), name, key.is_secret ? Bytes{} : value, {0}});
    }
    for (size_t at = 0; at < text.size();) {
      const size_t to = std::min(text.size(), at + 256 - input->Byte());
      const uint8_t way = input->Byte();
      Say(TextPdu(kind, Slice(text, at, to), to == text.size()), static_cast<Way>(way % kWays),
          way / kWays);
      at = to;
    }
    if (is_whole_)
      Check(told_[0] == shown_[0] && told_[1] == shown_[1],
            "a value that is not secret is in a record");
  }

 private:
  [[nodiscard]] uint32_t DirectionOf(uint8_t kind) const {
    return kind & 1 ? 1 - initiator_ : initiator_;
  }

  static Pdu TextPdu(uint8_t kind, const Bytes& text, bool is_last) {
    switch (kind & 3) {
      case 0: return LoginRequest(text, is_last ? kSecurity : kContinue);
      case 1: return LoginResponse(text, is_last ? kSecurity : kContinue);
      case 2: return TextRequest(text, is_last ? kFinal : kContinue);
      default: return TextResponse(text, is_last ? kFinal : kContinue);
    }
  }

  void Say(const Bytes& pdu, Way way, size_t piece) {
    const uint32_t direction = DirectionOf((pdu[0] & 0x20) != 0);
    const size_t step = way == kInPieces ? piece + 1 : pdu.size();
    for (size_t at = 0; at < pdu.size(); at += step) {
      const Bytes segment = Slice(pdu, at, std::min(pdu.size(), at + step));
      const auto bytes = static_cast<uint32_t>(segment.size());
      const uint32_t seq = next_[direction];
      next_[direction] += bytes;
      if (way == kLost) {
        is_whole_ = false;
      } else if (way == kCut) {
        is_whole_ = false;
        observed_.Offer(direction, seq, Slice(segment, 0, std::min<size_t>(bytes, piece * 4)),
                        bytes, seq);
      } else {
        observed_.Offer(direction, seq, segment);
      }
    }
  }

  void Take(const lunscope_record& record) {
    const auto* pdu = RecordAs<lunscope_pdu_record>(record);
    if (pdu == nullptr) return;
    const Bytes chunk(pdu->chunk, pdu->chunk + pdu->chunk_bytes);
    Check(std::ranges::count(pdu->chunk, kSecretByte) == 0, "a secret got out");
    Bytes& told = told_[pdu->direction];
    told.insert(told.end(), chunk.begin(), chunk.end());
  }

  bool is_whole_;  // seen from its beginning, and nothing was missing
  const uint32_t initiator_;
  uint32_t next_[LUNSCOPE_DIRECTIONS] = {Observed::kFirstSeq[0], Observed::kFirstSeq[1]};
  Bytes shown_[LUNSCOPE_DIRECTIONS];
  Bytes told_[LUNSCOPE_DIRECTIONS];
  Observed observed_;
};

void Run(std::span<const uint8_t> bytes) {
  Input input(bytes);
  Session session(input.Byte());
  while (!input.empty()) session.Exchange(&input);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (uint8_t setting = 0; setting < 8; setting++) {
    for (uint8_t way = 0; way < kWays; way++) {
      const auto second = static_cast<uint8_t>(way + 16 * kWays);
      seeds.push_back(
          {setting,    3 << 2, 16,  1,  3,  2,  2,      32,  1,     32, 255, way,  // a login
           1 << 2 | 1, 2,      250, 19, 20, 19, second, 200, 0,     99, 0,         // and its answer
           1 << 2,     18,     30,  0,  40, 1,  0,      255, way,   3,  19,  60,
           255,        0,      2,   1,  40, 9,  0,      8,   second});
    }
  }
  return seeds;
}

}  // namespace

const FuzzTarget kSecretsTarget = {"secrets", Run, Seeds};

}  // namespace lunscope
