// SPDX-License-Identifier: Apache-2.0
#include "tests/differential/conversation.h"

#include <lunscope/types.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "tests/vectors/pdu.h"

namespace lunscope {
namespace {

class Generator {
 public:
  explicit Generator(std::mt19937* random) : random_(*random) {}

  Conversation Make() {
    conversation_.is_opened = OneIn(4) ? false : true;
    side_ = OneIn(2) ? LUNSCOPE_ROLE_INITIATOR : LUNSCOPE_ROLE_TARGET;
    conversation_.role = OneIn(8) ? LUNSCOPE_ROLE_UNKNOWN : side_;
    // Near the wrap of sequence numbers half of the time.
    conversation_.received_seq = OneIn(2) ? Any() : 0u - Below(4000);
    conversation_.sent_seq = OneIn(2) ? Any() : 0u - Below(4000);
    next_seq_ = {conversation_.received_seq, conversation_.sent_seq};
    if (!OneIn(4)) LogIn();
    const uint32_t turns = 1 + Below(40);
    for (uint32_t i = 0; i < turns && conversation_.segments.size() < 150; i++) Turn();
    Flush();
    return std::move(conversation_);
  }

 private:
  uint32_t Any() { return static_cast<uint32_t>(random_()); }
  uint32_t Below(uint32_t limit) { return Any() % limit; }
  bool OneIn(uint32_t times) { return Below(times) == 0; }
  Bytes Noise(uint32_t bytes) {
    Bytes noise(bytes);
    for (uint8_t& byte : noise) byte = static_cast<uint8_t>(Any());
    return noise;
  }
  uint32_t Tag() { return OneIn(50) ? kReservedTag : Below(24) << (OneIn(3) ? 24 : 0); }
  uint64_t AnyLun() { return uint64_t{Below(3)} << 48; }

  void FromInitiator(Pdu pdu) { Say(side_ == LUNSCOPE_ROLE_INITIATOR, std::move(pdu)); }
  void FromTarget(Pdu pdu) { Say(side_ == LUNSCOPE_ROLE_TARGET, std::move(pdu)); }

  void Say(bool is_sent, Pdu pdu) {
    if (OneIn(60)) pdu.Ahs(Noise(4 * (1 + Below(70))));
    if (OneIn(100)) pdu.Set(Below(48), static_cast<uint8_t>(Any()));
    Bytes wire = pdu.Wire(digests_);
    if (OneIn(100)) wire[Below(static_cast<uint32_t>(wire.size()))] ^= 1u << Below(8);
    Bytes& pending = pending_[is_sent ? LUNSCOPE_SENT : LUNSCOPE_RECEIVED];
    pending.insert(pending.end(), wire.begin(), wire.end());
    if (!OneIn(4)) Flush();
  }

  Bytes AnyKeys() {
    static const std::array<const char*, 10> kKeys = {"InitiatorName=iqn.2026-01.org.lunscope:a",
                                                      "TargetName=iqn.2026-01.org.lunscope:b",
                                                      "AuthMethod=CHAP",
                                                      "CHAP_N=user",
                                                      "CHAP_R=0xdeadbeef",
                                                      "MaxBurstLength=262144",
                                                      "X-org.key=value",
                                                      "SessionType=Normal",
                                                      "TargetAlias=name = thing",
                                                      "NoEqualsSign"};
    Bytes keys;
    for (uint32_t i = Below(6); i > 0; i--) {
      const std::string key = kKeys[Below(kKeys.size())];
      keys.insert(keys.end(), key.begin(), key.end());
      if (!OneIn(10)) keys.push_back(0);
    }
    if (OneIn(5)) keys = Join({keys, Noise(Below(500))});
    return keys;
  }

  void LogIn() {
    for (uint32_t i = Below(3); i > 0; i--) {
      FromInitiator(LoginRequest(AnyKeys(), OneIn(3) ? kContinue : kSecurity));
      FromTarget(LoginResponse(AnyKeys(), kSecurity));
    }
    const Digests digests{OneIn(2), OneIn(2)};
    const Bytes header = ToBytes(digests.header ? "HeaderDigest=CRC32C" : "HeaderDigest=None");
    const Bytes data = ToBytes(digests.data ? "DataDigest=CRC32C" : "DataDigest=None");
    const Bytes keys = Join({AnyKeys(), {0}, header, {0}, data, {0}});
    FromInitiator(LoginRequest(keys));
    FromTarget(LoginResponse(keys));
    digests_ = digests;
  }

  void Turn() {
    switch (Below(12)) {
      case 0: return SendMany();
      case 1: return Manage();
      case 2: return Say(OneIn(2), Pdu(static_cast<uint8_t>(Any()), static_cast<uint8_t>(Any())));
      case 3: return Talk();
      default: return SendCommand();
    }
  }

  void SendCommand() {
    static const std::array<Bytes, 5> kCdbs = {
        Read10(), Write10(), TestUnitReady(), Inquiry(),
        FromHex("9e 10 00 00 00 00 00 00 00 00 00 00 00 20")};
    const uint32_t itt = Tag();
    cmdsn_++;
    FromInitiator(ScsiCommand(itt, kCdbs[Below(kCdbs.size())], Below(9000),
                              OneIn(2) ? kReadFlags : kWriteFlags)
                      .Lun(AnyLun())
                      .Set32(24, cmdsn_)
                      .Set32(28, statsn_ + 1)
                      .Data(Noise(OneIn(4) ? Below(600) : 0)));
    if (OneIn(3)) FromInitiator(DataOut(itt, Below(4096), Noise(Below(2000))));
    if (OneIn(6)) FromTarget(R2t(itt, Below(4096), Below(9000)));
    const auto numbered = [&](Pdu pdu) {
      return pdu.Set32(24, statsn_).Set32(28, cmdsn_ + 1).Set32(32, cmdsn_ + 32);
    };
    if (OneIn(3)) FromTarget(numbered(DataIn(itt, OneIn(2) ? 0 : 512, Noise(Below(2000)))));
    if (OneIn(8)) return;  // never answered
    statsn_++;
    if (OneIn(3)) {
      FromTarget(numbered(DataIn(itt, 0, Noise(Below(400)), kDataInStatus)).Residual(Below(100)));
    } else {
      Pdu response = numbered(ScsiResponse(itt, OneIn(3) ? 2 : 0));
      if (OneIn(3)) response.Sense(Noise(Below(120)));
      FromTarget(response);
    }
  }

  // More commands than the connection's own table holds, and their answers.
  void SendMany() {
    const uint32_t many = OneIn(6) ? 300 + Below(1000) : Below(60);
    const uint32_t first = Any();
    Bytes commands;
    Bytes answers;
    for (uint32_t i = 0; i < many; i++) {
      const Pdu command = ScsiCommand(first + i, TestUnitReady()).Lun(AnyLun());
      commands = Join({std::move(commands), command.Wire(digests_)});
      if (!OneIn(20)) answers = Join({std::move(answers), ScsiResponse(first + i).Wire(digests_)});
    }
    Flush();
    pending_[side_ == LUNSCOPE_ROLE_INITIATOR] = commands;
    Flush();
    if (OneIn(2)) Manage();
    pending_[side_ == LUNSCOPE_ROLE_TARGET] = answers;
    Flush();
  }

  void Manage() {
    FromInitiator(TaskRequest(static_cast<uint8_t>(Below(14)), Tag())
                      .Lun(AnyLun())
                      .Set32(24, OneIn(2) ? cmdsn_ : Any()));
    FromTarget(TaskResponse(OneIn(4) ? 5 : 0));
    if (OneIn(3))
      FromTarget(
          Reject(static_cast<uint8_t>(Below(13)), ScsiCommand(Tag(), TestUnitReady()).Wire()));
  }

  void Talk() {
    switch (Below(5)) {
      case 0: FromInitiator(TextRequest(AnyKeys(), OneIn(3) ? kContinue : kFinal)); break;
      case 1: FromTarget(TextResponse(AnyKeys(), OneIn(3) ? kContinue : kFinal)); break;
      case 2: FromInitiator(NopOut(Noise(Below(300)))); break;
      case 3: FromTarget(NopIn(Noise(Below(300)))); break;
      default: FromTarget(AsyncMessage(static_cast<uint8_t>(Below(7))).Data(Noise(Below(200))));
    }
  }

  // Sends the pending bytes in pieces. Some are lost, repeated, or come early.
  void Flush() {
    for (uint32_t direction = 0; direction < LUNSCOPE_DIRECTIONS; direction++) {
      Bytes pending = std::exchange(pending_[direction], {});
      const uint32_t most = OneIn(10) ? 60 : OneIn(3) ? 1448 : 65536;
      if (OneIn(60)) pending = Join({std::move(pending), Noise(Below(300))});
      for (size_t at = 0; at < pending.size();) {
        const size_t bytes = std::min<size_t>(1 + Below(most), pending.size() - at);
        Deliver(direction, Slice(pending, at, at + bytes));
        at += bytes;
      }
    }
  }

  void Deliver(uint32_t direction, Bytes bytes) {
    const uint32_t seq = std::exchange(next_seq_[direction],
                                       next_seq_[direction] + static_cast<uint32_t>(bytes.size()));
    if (OneIn(150)) return;
    conversation_.segments.push_back({direction, seq, bytes});
    if (OneIn(30)) {  // again, or a part of it
      const uint32_t cut = Below(static_cast<uint32_t>(bytes.size()));
      conversation_.segments.push_back({direction, seq + cut, Slice(bytes, cut, bytes.size())});
    }
    if (OneIn(60) && conversation_.segments.size() > 1)
      std::swap(conversation_.segments.back(), *(conversation_.segments.end() - 2));
  }

  std::mt19937& random_;
  Conversation conversation_ = {};
  lunscope_role side_ = LUNSCOPE_ROLE_TARGET;
  Digests digests_;
  uint32_t cmdsn_ = 1;
  uint32_t statsn_ = 1;
  std::array<uint32_t, LUNSCOPE_DIRECTIONS> next_seq_ = {};
  std::array<Bytes, LUNSCOPE_DIRECTIONS> pending_;
};

}  // namespace

Conversation RandomConversation(std::mt19937* random) { return Generator(random).Make(); }

}  // namespace lunscope
