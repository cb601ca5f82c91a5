// SPDX-License-Identifier: Apache-2.0
// Two byte streams whose segments are cut, repeated, reordered and lost in any way. The engine may
// lose the boundaries at any time, but it accounts for every command, and bytes that were offered
// before change nothing. As long as nothing is lost, the cuts do not matter: every record, and
// every byte that the engine keeps, is the same as without cuts.
//
// Input: a byte of setting; the length of the script (2 bytes) and the script, a byte of operation
// and two of length each; and lines of the conversation, each with a byte (bit 0: direction), two
// of length, and the bytes.
#include "tests/fuzz/observed.h"
#include "tests/vectors/pdu.h"
#include "tests/vectors/pdus.h"

namespace lunscope {
namespace {

enum Setting : uint8_t {
  kTargetSide = 1,
  kKnowsRole = 2,
  kOpens = 4,
  kHeaders = 8,
  kUnchecked = 16
};

enum Operation : uint8_t {
  kCut,      // the next bytes as a segment
  kRepeat,   // earlier bytes, once more
  kForge,    // other bytes in the place of earlier ones
  kOverlap,  // the next bytes, together with earlier ones
  kEarly,    // bytes behind the next ones, which have not come yet
  kLose,     // the next bytes never come
  kLate,     // the next bytes are given up, and then they come
  kSnap,     // the capture has only the first few of the next bytes
  kOperations
};

class Play {
 public:
  explicit Play(uint8_t setting)
      : setting_(setting), observed_(Role(setting), [this](const lunscope_record& record) {
          const auto* bytes = reinterpret_cast<const uint8_t*>(&record);
          records.insert(records.end(), bytes, bytes + record.bytes);
        }) {
    if (setting & kHeaders) observed_.EmitHeaders();
    if (setting & kUnchecked) observed_.connection().checks_header_digest = 0;
    if (setting & kOpens) observed_.Open();
  }

  // Offers the line in the segments of the script. The bytes behind the end of the script are one
  // segment.
  void Line(uint32_t direction, std::span<const uint8_t> line, Input* script) {
    direction_ = direction;
    Bytes& all = said_[direction];
    at_ = all.size();
    all.insert(all.end(), line.begin(), line.end());
    while (at_ < all.size() && !script->empty()) {
      const auto operation = static_cast<Operation>(script->Byte() % kOperations);
      Do(operation, script->Word());
    }
    Offer(at_, all.size());
    at_ = all.size();
  }

  Observed& observed() { return observed_; }
  // True if no byte was missing and the boundaries were always known.
  bool IsWhole() {
    return (setting_ & kOpens) && !is_lossy_ && observed_.connection().record.gaps == 0;
  }

  Bytes records;

 private:
  static lunscope_role Role(uint8_t setting) {
    if (!(setting & kKnowsRole)) return LUNSCOPE_ROLE_UNKNOWN;
    return setting & kTargetSide ? LUNSCOPE_ROLE_TARGET : LUNSCOPE_ROLE_INITIATOR;
  }

  uint32_t SeqOf(size_t at) const {
    return Observed::kFirstSeq[direction_] + static_cast<uint32_t>(at);
  }
  lunscope_offer Offer(size_t from, size_t to) {
    return observed_.Offer(direction_, SeqOf(from), Slice(said_[direction_], from, to));
  }

  void Do(Operation operation, size_t bytes) {
    const Bytes& all = said_[direction_];
    const size_t next = at_ + std::min(bytes, all.size() - at_);
    const size_t before = at_ - std::min(bytes, at_);
    switch (operation) {
      case kCut:
        Offer(at_, next);
        at_ = next;
        return;
      case kRepeat: return ExpectOld(before, Slice(all, before, at_));
      case kForge: return ExpectOld(before, Bytes(at_ - before, 0x21));
      case kOverlap:
        Offer(before, next);
        at_ = next;
        return;
      case kEarly: return Early(next);
      case kLate: Offer(next, all.size()); [[fallthrough]];
      case kLose:
        is_lossy_ = is_lossy_ || next != at_;
        at_ = next;
        return;
      default:
        is_lossy_ = true;
        observed_.Offer(direction_, SeqOf(at_), Slice(all, at_, at_ + (next - at_) / 2),
                        static_cast<uint32_t>(next - at_), SeqOf(at_));
        at_ = next;
        return;
    }
  }

  void ExpectOld(size_t from, Bytes bytes) {
    const lunscope_stream& stream = observed_.connection().streams[direction_];
    // Bytes that were lost may still be due, and for a stream without a first segment all bytes
    // are.
    const int64_t old_bytes = stream.need == 0 ? 0 : lunscope_distance(SeqOf(from), stream.next);
    if (old_bytes <= 0) return;
    bytes.resize(std::min(bytes.size(), static_cast<size_t>(old_bytes)));
    // A trial notes how far bytes came. Some of these may have been lost the first time.
    const bool may_reach_further = is_lossy_ && stream.sync == LUNSCOPE_SYNC_CANDIDATE;
    const auto state_of = [&] {
      return may_reach_further ? observed_.StateWithoutReach() : observed_.State();
    };
    const Bytes state = state_of();
    Check(observed_.Offer(direction_, SeqOf(from), bytes) == LUNSCOPE_OFFER_OLD,
          "bytes of before are old");
    Check(state_of() == state, "what is old changes nothing");
  }

  // A reordered segment arrives. It changes nothing until the bytes before it are read from the
  // socket.
  void Early(size_t from) {
    const Bytes& all = said_[direction_];
    const lunscope_stream& stream = observed_.connection().streams[direction_];
    const bool is_waited_for = lunscope_distance(SeqOf(at_), stream.next) >= 0;
    const Bytes state = observed_.State();
    const lunscope_offer offer =
        observed_.Offer(direction_, SeqOf(from), Slice(all, from, all.size()),
                        static_cast<uint32_t>(all.size() - from), SeqOf(at_));
    Check(offer != LUNSCOPE_OFFER_HOLE || !is_waited_for || observed_.State() == state,
          "a hole that may be filled changes nothing");
  }

  const uint8_t setting_;
  Observed observed_;
  Bytes said_[LUNSCOPE_DIRECTIONS];
  uint32_t direction_ = 0;
  size_t at_ = 0;  // in the bytes of this direction
  bool is_lossy_ = false;
};

void Run(std::span<const uint8_t> bytes) {
  Input input(bytes);
  const uint8_t setting = input.Byte();
  const size_t script_bytes = input.Word();
  Input script(input.Take(script_bytes));
  Input none({});
  Play cut(setting), plain(setting);
  while (!input.empty()) {
    const uint32_t direction = input.Byte() & 1;
    const size_t line_bytes = input.Word();
    const std::span<const uint8_t> line = input.Take(line_bytes);
    cut.Line(direction, line, &script);
    plain.Line(direction, line, &none);
  }
  if (plain.IsWhole() && cut.IsWhole()) {
    Check(cut.records == plain.records, "cuts do not change what is reported");
    Check(cut.observed().State() == plain.observed().State(), "cuts do not change what is kept");
  }
  cut.observed().Close();
}

class Seed {
 public:
  explicit Seed(uint8_t setting, const Bytes& script = {})
      : bytes_(Join({{setting, static_cast<uint8_t>(script.size() >> 8),
                      static_cast<uint8_t>(script.size())},
                     script})),
        is_target_(setting & kTargetSide) {}

  Seed& Say(const Bytes& pdu) {
    const bool is_sent = ((pdu[0] & 0x20) != 0) == is_target_;
    bytes_ = Join({std::move(bytes_),
                   {static_cast<uint8_t>(is_sent), static_cast<uint8_t>(pdu.size() >> 8),
                    static_cast<uint8_t>(pdu.size())},
                   pdu});
    return *this;
  }
  Seed& LogIn(const Bytes& text = {}) { return Say(LoginRequest(text)).Say(LoginResponse(text)); }
  Seed& SayAll() {
    for (const PduVector& vector : kPduVectors) Say(FromHex(vector.hex));
    return *this;
  }
  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  bool is_target_;
};

std::vector<Bytes> Seeds() {
  constexpr uint8_t kKnown = kKnowsRole | kOpens;
  std::vector<Bytes> seeds;
  for (const PduVector& vector : kPduVectors)
    seeds.push_back(Seed(kKnown).LogIn().Say(FromHex(vector.hex)).bytes());
  for (const uint8_t setting : {kKnown, uint8_t{kKnown | kTargetSide}, uint8_t{kOpens},
                                uint8_t{kKnown | kHeaders}, uint8_t{kKnowsRole}, uint8_t{0}})
    seeds.push_back(Seed(setting).LogIn().SayAll().bytes());
  for (uint8_t operation = 0; operation < kOperations; operation++) {
    Bytes script;
    for (const uint8_t bytes : {1, 47, 48, 49, 3, 100})
      script = Join({std::move(script), {kCut, 0, bytes, operation, 0, bytes}});
    seeds.push_back(Seed(kKnown, script).LogIn().SayAll().bytes());
  }
  // The login ends while the engine is between the BHS and the AHS of a command.
  const Bytes command = ScsiCommand(1, TestUnitReady()).Ahs(Bytes(8));
  seeds.push_back(Seed(kKnown | kHeaders)
                      .Say(LoginRequest())
                      .Say(Slice(command, 0, 48))
                      .Say(LoginResponse())
                      .Say(Bytes(8))
                      .Say(command)
                      .bytes());
  const Bytes keys = Keys({"HeaderDigest=CRC32C", "DataDigest=CRC32C"});
  const Digests both = {true, true};
  for (const uint8_t setting : {kKnown, uint8_t{kKnown | kUnchecked}, uint8_t{kKnown | kHeaders}}) {
    seeds.push_back(Seed(setting)
                        .LogIn(keys)
                        .Say(ScsiCommand(1, Inquiry(), 96, kReadFlags).Wire(both))
                        .Say(DataIn(1, 0, Bytes(96, 0x41), kDataInStatus).Wire(both))
                        .Say(ScsiCommand(2, Write10(), 5, kWriteFlags).Data(Bytes(5)).Wire(both))
                        .Say(ScsiCommand(3, TestUnitReady()).Ahs(Bytes(8)).Wire(both))
                        .Say(ScsiResponse(2).Wire(both))
                        .Say(ScsiResponse(3, 2).Sense(FromHex("72062900 00000000")).Wire(both))
                        .Say(NopIn().Wire(both))
                        .Say(NopIn().Wire(kNoDigests))
                        .Say(NopIn().Wire(both))
                        .bytes());
  }
  return seeds;
}

}  // namespace

const FuzzTarget kStreamTarget = {"stream", Run, Seeds};

}  // namespace lunscope
