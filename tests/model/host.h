// SPDX-License-Identifier: Apache-2.0
// A host with iSCSI traffic, in a small language. Each word applies the records that the engine
// would emit:
//
//   Host host;
//   host.Opens(1).LogsIn().Completes(Read16(0, 8).Taking(100'000)).Drops();
//   EXPECT_THAT(host.Sessions(), ElementsAre("iqn.host iqn.disk 00023d000001:0001 up=0"));
// Records lie in memory of exactly their size, so that a sanitizer finds a read behind their end.
#pragma once

#include <lunscope/command.h>
#include <lunscope/reasons.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/model/model.h"
#include "tests/vectors/pdu.h"

namespace lunscope {

inline constexpr uint8_t kInitiator = LUNSCOPE_ROLE_INITIATOR;
inline constexpr uint8_t kTarget = LUNSCOPE_ROLE_TARGET;

inline constexpr const char* kHost = "iqn.host";
inline constexpr const char* kDisk = "iqn.disk";
inline constexpr uint64_t kIsid = 0x00023d000001;

// A LUN below 256 by peripheral addressing (SAM-5 4.7.7.2).
constexpr uint64_t Lun(uint8_t number) { return uint64_t{number} << 48; }

// A command that is completed: by default on LUN 0, with status GOOD and a duration of 0.
class Command {
 public:
  // direction: 0, ISCSI_COMMAND_READ or ISCSI_COMMAND_WRITE.
  explicit Command(const std::vector<uint8_t>& cdb, uint8_t direction = 0);

  Command& OnLun(uint64_t lun);
  Command& Moving(uint32_t bytes);  // expected and transferred
  Command& Taking(uint64_t ns);
  // This phase is known, and so is the rest of the duration.
  Command& Spending(lunscope_phase phase, uint64_t ns);
  Command& Tagged(uint32_t itt, uint32_t cmdsn);
  Command& Ending(uint8_t status);
  // CHECK CONDITION with sense data as they are, or in fixed format.
  Command& Sensing(const std::vector<uint8_t>& sense);
  Command& Sensing(uint8_t key, uint8_t asc, uint8_t ascq);
  Command& Responding(uint8_t response);  // iSCSI response; 1: target failure
  // No status: why, and the cause that a record gives.
  Command& Unanswered(lunscope_unreported reason, uint8_t cause = 0);
  Command& ShortBy(uint32_t residual_bytes);
  Command& LongBy(uint32_t residual_bytes);

  lunscope_sensed_command_record record{};

 private:
  Command& Transferring(uint32_t bytes);  // in the command's direction
};

Command Read16(uint64_t lba, uint32_t blocks);  // blocks of 512 bytes
Command Write16(uint64_t lba, uint32_t blocks);
struct Login {
  std::string initiator = kHost;
  std::string target = kDisk;  // "": a discovery session
  uint64_t isid = kIsid;
  uint16_t tsih = 1;
  size_t chunk_bytes = LUNSCOPE_CHUNK_BYTES;  // of which the engine delivers the text
  std::string keys;                           // that the initiator offers, each ended by a NUL
  std::string answer;                         // the target's text
};

// The key=value pairs of a login, each ended by a NUL.
std::string LoginText(const Login& login);

struct Task {
  uint64_t lun;
  uint64_t start_ns;
};

class Host;

// One connection of the host, with the counters that the kernel would have for it.
class Conversation {
 public:
  Conversation(Host& host, uint64_t id, uint8_t role);

  Conversation& Opens();    // the record of a new connection
  Conversation& IsFound();  // the record of one that was open before
  // Its login requests ask to join the session with this TSIH.
  Conversation& Joining(uint16_t tsih, uint16_t cid);
  Conversation& LogsIn(const Login& login = {});
  Conversation& LogsOut(uint8_t reason = 0);  // RFC 7143 11.14.1; 0: close the session
  Conversation& Closes();  // the record of a connection that ends; it is not walked over again
  Conversation& Drops() { return Closes(); }
  Conversation& Completes(const Command& command);
  // The first bytes of the data that answer a CDB.
  Conversation& Reads(const std::vector<uint8_t>& cdb, const std::vector<uint8_t>& data,
                      uint64_t lun = 0);

  // Login by the PDU. flags: byte 1 of the BHS.
  Conversation& RequestsLogin(std::string_view text, uint64_t isid = kIsid,
                              uint8_t flags = ISCSI_FLAG_FINAL | 0x07,
                              size_t chunk_bytes = LUNSCOPE_CHUNK_BYTES);
  Conversation& AnswersLogin(uint8_t status_class, uint16_t tsih = 1,
                             uint8_t flags = ISCSI_FLAG_FINAL | 0x07, std::string_view text = {},
                             uint8_t status_detail = 0);
  // Text negotiation in full feature phase.
  Conversation& Asks(std::string_view text, uint8_t flags = ISCSI_FLAG_FINAL);
  Conversation& Answers(std::string_view text, uint8_t flags = ISCSI_FLAG_FINAL);

  // PDUs that differ in one byte.
  Conversation& RequestsLogout(uint8_t reason);
  Conversation& AnswersLogout(uint8_t response);
  Conversation& RequestsTask(uint8_t function);
  Conversation& AnswersTask(uint8_t response);
  Conversation& Rejects(uint8_t reason);
  Conversation& Announces(uint8_t async_event);
  Conversation& TargetPings();          // a NOP-In
  Conversation& PingsFor(uint64_t ns);  // a NOP-Out, and its answer so much later
  Conversation& Pings();                // the NOP-Out alone
  Conversation& AnswersPing();

  // Facts that only the kernel's counters have.
  Conversation& Counts(lunscope_direction direction, uint8_t opcode, uint64_t pdus, uint64_t bytes);
  Conversation& Retransmits(uint64_t segments);
  Conversation& LosesRecords(lunscope_direction direction, lunscope_loss loss, uint64_t records);
  Conversation& Leaves(uint32_t unread_bytes);
  Conversation& Waits(const lunscope_tcp& tcp);
  // A command window, and the smallest one of late.
  Conversation& Takes(uint32_t commands, uint32_t smallest);
  Conversation& Takes(uint32_t commands) { return Takes(commands, commands); }
  // Lengths that were seen; segments by direction.
  Conversation& Sees(uint32_t received, uint32_t sent, uint32_t immediate, uint32_t r2t);
  Conversation& OwesAcknowledgements(uint32_t statuses);
  Conversation& Ends(lunscope_end end);
  Conversation& FailsToConnect(lunscope_end end);  // instead of Opens()
  Conversation& ShutsWindow(uint64_t ns);          // for so long more; it is shut now
  Conversation& SendsBeyond(uint32_t commands);
  Conversation& HasRemoteHost(uint8_t number);                  // 192.0.2.number
  Applied Tells(uint32_t gaps, uint32_t header_digest_errors);  // so many more, in a record
  Conversation& UsesDigests();
  Conversation& Holds(std::vector<Task> tasks);  // in flight, from now on
  Conversation& IsIpv6();
  Conversation& Vanishes();  // closed, and the record of it was lost

  // The connection's own record as it stands.
  [[nodiscard]] lunscope_connection_record Record(uint8_t flags = 0) const;

 private:
  friend class Host;

  [[nodiscard]] lunscope_direction DirectionOf(uint8_t opcode) const;
  lunscope_pdu_record NewPdu(uint8_t opcode) const;
  // The PDU's data segment is `data`, of which the engine delivers chunks.
  void Deliver(lunscope_pdu_record pdu, std::string_view data, size_t chunk_bytes);

  Host& host_;
  lunscope_connection_record report_{};
  std::vector<Task> tasks_;
  uint16_t tsih_ = 0;
  uint16_t cid_ = 0;
  bool is_live_ = true;
};

class Host {
 public:
  explicit Host(ModelOptions options = {}) : model_(options) {}

  // A new connection, whose first record this applies.
  Conversation& Opens(uint64_t id, uint8_t role = LUNSCOPE_ROLE_INITIATOR);
  // A connection that was open before lunscope started, and so without a record of its beginning.
  Conversation& Meets(uint64_t id, uint8_t role = LUNSCOPE_ROLE_INITIATOR);
  Conversation& On(uint64_t id) { return conversations_.at(id); }

  // The host describes its sessions.
  void Knows(std::vector<HostSession> sessions) { model_.SetHostSessions(std::move(sessions)); }
  void HasLuns(std::vector<HostSession> sessions) { model_.SetLocalLuns(std::move(sessions)); }
  // A process of the host reads this connection.
  void Runs(uint64_t id, LocalProcess process) { model_.SetProcess(id, std::move(process)); }
  // A scrape's walk over the live connections.
  void Walks();
  Applied Apply(const lunscope_connection_record& record) {
    return ApplyBytes(&record, sizeof(record));
  }
  Applied Apply(const lunscope_command_record& record) {
    return ApplyBytes(&record, sizeof(record));
  }
  Applied Apply(const lunscope_header_record& record) {
    return ApplyBytes(&record, sizeof(record));
  }
  Applied Apply(const lunscope_aggregates_record& record) {
    return ApplyBytes(&record, sizeof(record));
  }
  // Records of the SCSI layers (layers.h).
  Applied Apply(const lunscope_nexus_record& record) { return ApplyBytes(&record, sizeof(record)); }
  Applied Apply(const lunscope_scsi_command_record& record) {
    return ApplyBytes(&record, sizeof(record));
  }
  // Calls this with each later record, after the model has taken it in: for a second model, or a
  // tape.
  void HandOn(std::function<void(const lunscope_record&)> to) { hand_on_ = std::move(to); }
  // Calls this instead with what the model made of the record.
  using Listener = std::function<void(const lunscope_record&, const Applied&)>;
  void HandOnApplied(Listener to) { hand_on_applied_ = std::move(to); }
  // The answers that have become overdue, as "what age in ms".
  std::vector<std::string> Overdues();
  void EachOverdue(const std::function<void(const Overdue&)>& visit) {
    model_.LookForOverdue(now_ns, visit);
  }
  void NameScsiHost(uint32_t host, const std::string& target) { model_.NameScsiHost(host, target); }

  [[nodiscard]] Snapshot See() const { return model_.TakeSnapshot(); }
  [[nodiscard]] const Model& model() const { return model_; }
  // "initiator target isid:tsih up=connections", in the order of the snapshot.
  [[nodiscard]] std::vector<std::string> Sessions() const;
  // "initiator/iqn.disk", in the order of the snapshot.
  [[nodiscard]] std::vector<std::string> Targets() const;

  uint64_t now_ns = 1'000'000'000;

 private:
  friend class Conversation;
  // REQUIRES: the record is whole.
  Applied ApplyBytes(const void* data, size_t bytes);

  mutable Model model_;  // a snapshot holds its series for a moment
  std::function<void(const lunscope_record&)> hand_on_;
  Listener hand_on_applied_;
  std::map<uint64_t, Conversation> conversations_;
};

}  // namespace lunscope
