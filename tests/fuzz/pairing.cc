// SPDX-License-Identifier: Apache-2.0
//
// Commands, their data and their ends on few tags, against a std::map that holds what is in flight
// and says what has to be reported. The PDUs are good ones; their order is not.
//
// Input: a byte (bit 0: the target is observed), then for each PDU a byte of what it is, one of its
// tag, and two that its fields come from.
#include <deque>
#include <map>
#include <optional>

#include "collector/base/record.h"
#include "tests/fuzz/observed.h"
#include "tests/vectors/pdu.h"

namespace lunscope {
namespace {

constexpr uint32_t kTags = 8;
constexpr uint32_t kTagSpread = 0x01010101;  // the last is the reserved tag
constexpr size_t kRemembered = 4;            // requests of task management that await a response

enum What : uint8_t {
  kCommand,
  kDataFromInitiator,
  kDataFromTarget,
  kDataWithStatus,
  kResponse,
  kTask,
  kTaskDone,
  kRejected,
  kWhats
};

uint64_t LunOf(uint8_t a) { return a >> 6; }

struct InFlight {
  uint64_t lun;
  Bytes cdb;
  uint8_t flags;
  uint32_t cmdsn;
  uint32_t expected_bytes;
  uint32_t read_bytes;
  uint32_t written_bytes;
};

struct Task {
  uint32_t itt;
  uint8_t function;
  uint32_t referenced_itt;
  uint64_t lun;
  uint32_t cmdsn;
};

// The expected result by RFC 7143, without any code of the engine.
class Book {
 public:
  void Command(uint32_t itt, const InFlight& command) {
    seen++;
    if (itt == kReservedTag) {
      refused++;
      return;
    }
    reused += in_flight.erase(itt);
    in_flight.emplace(itt, command);
  }
  void Data(uint32_t itt, uint32_t InFlight::*way, size_t bytes) {
    if (const auto entry = in_flight.find(itt); entry != in_flight.end())
      entry->second.*way += static_cast<uint32_t>(bytes);
  }
  // The command that ends with this status.
  std::optional<InFlight> Status(uint32_t itt) {
    const auto entry = in_flight.find(itt);
    if (entry == in_flight.end()) {
      unmatched++;
      return std::nullopt;
    }
    const InFlight command = entry->second;
    in_flight.erase(entry);
    return command;
  }
  void Reject(uint32_t itt) { rejected += in_flight.erase(itt); }
  // A tag that is used again takes the place of the request that waits with it.
  void Ask(const Task& task) {
    for (std::optional<Task>& waiting : asked) {
      if (waiting && waiting->function != 0 && waiting->itt == task.itt) {
        waiting = task;
        return;
      }
    }
    asked.push_back(task);
    if (asked.size() > kRemembered) asked.pop_front();
  }
  void Done(uint32_t itt, uint8_t response) {
    for (std::optional<Task>& task : asked) {
      if (!task || task->itt != itt) continue;
      // 1: the task does not exist, so nothing of it is in flight.
      if (response == 0 || (response == 1 && task->function == 1))
        (response == 0 ? aborted : not_known) +=
            std::erase_if(in_flight, [&](const auto& entry) { return Ends(*task, entry); });
      task.reset();
    }
  }

  std::map<uint32_t, InFlight> in_flight;
  std::deque<std::optional<Task>> asked;
  uint64_t seen = 0, refused = 0, reused = 0, rejected = 0, aborted = 0, not_known = 0,
           unmatched = 0;

 private:
  static bool Ends(const Task& task, const std::pair<const uint32_t, InFlight>& entry) {
    const bool is_before = static_cast<int32_t>(entry.second.cmdsn - task.cmdsn) < 0;
    switch (task.function) {
      case 1: return entry.first == task.referenced_itt;
      case 2:
      case 4:
      case 5: return is_before && entry.second.lun == task.lun;
      case 6:
      case 7:
      case 11: return is_before;
      default: return false;
    }
  }
};

class Session {
 public:
  explicit Session(bool is_target)
      : initiator_(is_target ? LUNSCOPE_RECEIVED : LUNSCOPE_SENT),
        observed_(is_target ? LUNSCOPE_ROLE_TARGET : LUNSCOPE_ROLE_INITIATOR,
                  [this](const lunscope_record& record) { Take(record); }) {
    observed_.Open();
    Say(LoginRequest());
    Say(LoginResponse());
  }

  void Do(What what, uint8_t tag, uint8_t a, uint8_t b) {
    const uint32_t itt = tag % kTags == kTags - 1 ? kReservedTag : tag % kTags * kTagSpread;
    switch (what) {
      case kCommand: return Command(itt, a, b);
      case kDataFromInitiator: return Data(DataOut(itt, a, Bytes(b)), itt, b);
      case kDataFromTarget: return Data(DataIn(itt, a & 1, Bytes(b, 0x41), 0), itt, b);
      case kDataWithStatus: return DataStatus(itt, a, b);
      case kResponse: return Response(itt, a, b);
      case kTask:
        return Ask({itt, static_cast<uint8_t>(a & 0x0f), b % kTags * kTagSpread, LunOf(a), cmdsn_});
      case kTaskDone: book_.Done(itt, a & 1); return Say(TaskResponse(a & 1).Itt(itt));
      default: return Rejected(itt, a);
    }
  }

  // The counts must equal those of the book, for each reason.
  void CheckCounts() {
    const lunscope_totals& totals = observed_.totals;
    const auto unreported = [&](lunscope_unreported reason) {
      uint64_t sum = 0;
      for (const auto& role : totals.commands_unreported) sum += role[reason];
      return sum;
    };
    Check(expected_.empty(), "a status that was not reported");
    Check(SumOf(totals.commands_seen) == book_.seen, "seen");
    Check(observed_.in_flight() == book_.in_flight.size(), "in flight");
    Check(unreported(LUNSCOPE_UNREPORTED_TABLE_FULL) == book_.refused, "table_full");
    Check(unreported(LUNSCOPE_UNREPORTED_ITT_REUSED) == book_.reused, "itt_reused");
    Check(unreported(LUNSCOPE_UNREPORTED_REJECTED) == book_.rejected, "rejected");
    Check(unreported(LUNSCOPE_UNREPORTED_ABORTED) == book_.aborted, "aborted");
    Check(unreported(LUNSCOPE_UNREPORTED_NO_SUCH_TASK) == book_.not_known, "not known");
    Check(without_status_ == book_.reused + book_.rejected + book_.aborted + book_.not_known,
          "a record for each command without a status");
    Check(observed_.connection().record.unmatched_responses == book_.unmatched, "unmatched");
    Check(observed_.connection().record.gaps == 0, "good PDUs, no gap");
  }

  // The commands in flight at the end must equal those of the book, by tag.
  void Finish() {
    while (!book_.in_flight.empty()) Response(book_.in_flight.begin()->first, 0, 0);
    CheckCounts();
  }

 private:
  struct Expected {
    InFlight command;
    uint32_t itt;
    uint8_t response, status, flags;
    uint32_t residual, bidi_residual;
    Bytes sense;
  };

  void Say(const Bytes& pdu) {
    const uint32_t direction = (pdu[0] & 0x20) != 0 ? 1 - initiator_ : initiator_;
    observed_.Offer(direction, next_[direction], pdu);
    next_[direction] += static_cast<uint32_t>(pdu.size());
  }

  void Command(uint32_t itt, uint8_t a, uint8_t b) {
    static const Bytes kCdbs[] = {Read10(), Write10(), TestUnitReady(), Inquiry()};
    Bytes cdb = kCdbs[a & 3];
    const uint8_t flags = static_cast<uint8_t>(0x81 | (a & 0x60));
    const Pdu pdu = ScsiCommand(itt, cdb, b * 16u, flags)
                        .Lun(LunOf(a))
                        .Set32(24, cmdsn_)
                        .Data(Bytes(a & 4 ? b : 0, 0x42));
    cdb.resize(ISCSI_CDB_BYTES);
    book_.Command(itt, {LunOf(a), cdb, flags, cmdsn_++, b * 16u, 0, a & 4 ? b : 0u});
    Say(pdu);
  }

  void Data(const Pdu& pdu, uint32_t itt, size_t bytes) {
    const bool is_read = (pdu.Wire()[0] & ISCSI_OPCODE_FROM_TARGET) != 0;
    book_.Data(itt, is_read ? &InFlight::read_bytes : &InFlight::written_bytes, bytes);
    Say(pdu);
  }

  void Expect(uint32_t itt, Expected expected) {
    const std::optional<InFlight> command = book_.Status(itt);
    if (!command) return;
    expected.command = *command;
    expected.itt = itt;
    expected_.push_back(expected);
  }

  void DataStatus(uint32_t itt, uint8_t a, uint8_t b) {
    const uint8_t flags = static_cast<uint8_t>(0x81 | (a & 0x06));
    book_.Data(itt, &InFlight::read_bytes, b);
    Expect(itt, {.status = a, .flags = static_cast<uint8_t>(a & 0x06), .residual = b});
    Say(DataIn(itt, 0, Bytes(b, 0x43), flags).Status(a).Residual(b).Response(0x77));
  }

  void Response(uint32_t itt, uint8_t a, uint8_t b) {
    const Bytes sense(b % 120, 0x72);
    const uint8_t flags = static_cast<uint8_t>(a & 0x1e);
    const size_t kept = std::min<size_t>(sense.size(), LUNSCOPE_SENSE_BYTES);
    Expect(itt, {.response = static_cast<uint8_t>(b >> 7),
                 .status = a,
                 .flags = flags,
                 .residual = a * 3u,
                 .bidi_residual = b * 5u,
                 .sense = Slice(sense, 0, kept)});
    const Pdu pdu = ScsiResponse(itt, a)
                        .Flags(kFinal | flags)
                        .Response(b >> 7)
                        .Residual(a * 3u)
                        .BidiResidual(b * 5u);
    Say(sense.empty() ? pdu : Pdu(pdu).Sense(sense));
  }

  void Ask(const Task& task) {
    book_.Ask(task);
    Say(TaskRequest(task.function, task.referenced_itt)
            .Itt(task.itt)
            .Lun(task.lun)
            .Set32(24, task.cmdsn));
  }

  void Rejected(uint32_t itt, uint8_t a) {
    const Bytes header = a & 2 ? ScsiCommand(itt, Read10()) : NopOut().Itt(itt);
    const bool is_whole = (a & 1) == 0;
    if (is_whole && (a & 2)) book_.Reject(itt);
    Say(Reject(a, Slice(header, 0, is_whole ? header.size() : header.size() - 1)));
  }

  void Take(const lunscope_record& record) {
    const auto* command = RecordAs<lunscope_command_record>(record);
    if (command == nullptr) return;
    if (command->no_status != 0) {
      without_status_++;
      return;
    }
    Check(!expected_.empty(), "a report that no status asked for");
    const Expected expected = expected_.front();
    expected_.pop_front();
    const lunscope_command_record& is = *command;
    Check(is.itt == expected.itt && is.lun == expected.command.lun &&
              is.cmdsn == expected.command.cmdsn &&
              is.expected_bytes == expected.command.expected_bytes &&
              is.command_flags == expected.command.flags &&
              Bytes(is.cdb, is.cdb + ISCSI_CDB_BYTES) == expected.command.cdb,
          "it is the command");
    Check(is.read_bytes == expected.command.read_bytes &&
              is.written_bytes == expected.command.written_bytes,
          "and its bytes, each way");
    Check(is.response == expected.response && is.status == expected.status &&
              is.response_flags == expected.flags && is.residual_bytes == expected.residual &&
              is.bidi_residual_bytes == expected.bidi_residual,
          "and its end");
    Check(is.sense_bytes == expected.sense.size(), "and as much sense");
    Check(std::ranges::equal(SenseBytes(is), expected.sense), "and its sense");
  }

  const uint32_t initiator_;
  uint32_t next_[LUNSCOPE_DIRECTIONS] = {Observed::kFirstSeq[0], Observed::kFirstSeq[1]};
  uint32_t cmdsn_ = 0xfffffff8;  // wraps soon
  Book book_;
  std::deque<Expected> expected_;
  uint64_t without_status_ = 0;  // records of such commands
  Observed observed_;
};

void Run(std::span<const uint8_t> bytes) {
  Input input(bytes);
  Session session((input.Byte() & 1) != 0);
  while (!input.empty()) {
    const auto what = static_cast<What>(input.Byte() % kWhats);
    const uint8_t tag = input.Byte();
    const uint8_t a = input.Byte();
    const uint8_t b = input.Byte();
    session.Do(what, tag, a, b);
    session.CheckCounts();
  }
  session.Finish();
}

std::vector<Bytes> Seeds() {
  const Bytes commands = {kCommand, 0, 0x40, 8, kCommand, 1, 0x21, 8, kCommand, 2, 0x43, 6};
  return {
      Join({{0}, commands, {kResponse, 0, 0, 0, kResponse, 1, 2, 18, kDataWithStatus, 2, 2, 96}}),
      Join({{1}, commands, {kDataFromTarget, 0, 0, 200, kResponse, 0, 0, 0, kResponse, 0, 0, 0}}),
      Join({{0}, commands, {kDataFromInitiator, 1, 0, 9, kCommand, 1, 4, 9, kResponse, 1, 8, 0}}),
      Join({{0}, commands, {kTask, 5, 1, 1, kTaskDone, 5, 0, 0, kResponse, 1, 0, 0}}),
      Join({{1}, commands, {kTask, 5, 0x45, 1, kTask, 4, 6, 0, kTaskDone, 5, 0, 0, kTaskDone, 4}}),
      Join({{0}, commands, {kRejected, 1, 2, 0, kRejected, 2, 3, 0, kRejected, 0, 0, 0}}),
      {0, kCommand, 7, 0, 0, kResponse, 7, 0, 0},
  };
}

}  // namespace

const FuzzTarget kPairingTarget = {"pairing", Run, Seeds};

}  // namespace lunscope
