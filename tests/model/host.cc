// SPDX-License-Identifier: Apache-2.0
#include "tests/model/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "collector/base/record.h"

namespace lunscope {
namespace {

constexpr uint8_t kImmediate = 0x40;
constexpr uint32_t kBlockBytes = 512;

void PutBe16(uint8_t* to, uint16_t value) {
  to[0] = static_cast<uint8_t>(value >> 8);
  to[1] = static_cast<uint8_t>(value);
}

void PutBe32(uint8_t* to, uint32_t value) {
  PutBe16(to, static_cast<uint16_t>(value >> 16));
  PutBe16(to + 2, static_cast<uint16_t>(value));
}

void PutBe64(uint8_t* to, uint64_t value) {
  PutBe32(to, static_cast<uint32_t>(value >> 32));
  PutBe32(to + 4, static_cast<uint32_t>(value));
}

void PutIsid(uint8_t* bhs, uint64_t isid) {
  PutBe16(bhs + 8, static_cast<uint16_t>(isid >> 32));
  PutBe32(bhs + 10, static_cast<uint32_t>(isid));
}

Command Transfer16(uint8_t opcode, uint64_t lba, uint32_t blocks, uint8_t direction) {
  std::vector<uint8_t> cdb(ISCSI_CDB_BYTES);
  cdb[0] = opcode;
  PutBe64(&cdb[2], lba);
  PutBe32(&cdb[10], blocks);
  return Command(cdb, direction).Moving(blocks * kBlockBytes);
}

}  // namespace

Command::Command(const std::vector<uint8_t>& cdb, uint8_t direction) {
  std::copy(cdb.begin(), cdb.end(), record.command.cdb);
  record.command.command_flags = ISCSI_FLAG_FINAL | direction;
}

Command& Command::OnLun(uint64_t lun) {
  record.command.lun = lun;
  return *this;
}

Command& Command::Moving(uint32_t bytes) {
  record.command.expected_bytes = bytes;
  return Transferring(bytes);
}

Command& Command::Transferring(uint32_t bytes) {
  const bool reads = (record.command.command_flags & ISCSI_COMMAND_READ) != 0;
  record.command.read_bytes = reads ? bytes : 0;
  record.command.written_bytes = reads ? 0 : bytes;
  return *this;
}

Command& Command::Taking(uint64_t ns) {
  record.command.duration_ns = ns;
  return *this;
}

Command& Command::Spending(lunscope_phase phase, uint64_t ns) {
  const uint32_t slot = phase % LUNSCOPE_PHASE_SLOTS;
  record.command.known_phases |= 1u << slot | 1u << LUNSCOPE_PHASE_REST;
  record.command.phases[slot] = static_cast<uint32_t>(ns >> LUNSCOPE_PHASE_SHIFT);
  return *this;
}

Command& Command::Tagged(uint32_t itt, uint32_t cmdsn) {
  record.command.itt = itt;
  record.command.cmdsn = cmdsn;
  return *this;
}

Command& Command::Ending(uint8_t status) {
  record.command.status = status;
  return *this;
}

Command& Command::Sensing(const std::vector<uint8_t>& sense) {
  std::copy(sense.begin(), sense.end(), record.sense);
  record.command.sense_bytes = static_cast<uint16_t>(sense.size());
  return Ending(SCSI_STATUS_CHECK_CONDITION);
}

Command& Command::Sensing(uint8_t key, uint8_t asc, uint8_t ascq) {
  return Sensing({0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0});
}

Command& Command::Responding(uint8_t response) {
  record.command.response = response;
  return *this;
}

Command& Command::Unanswered(lunscope_unreported reason, uint8_t cause) {
  record.command.no_status = static_cast<uint8_t>(1 + reason);
  record.command.cause = cause;
  return *this;
}

Command& Command::ShortBy(uint32_t residual_bytes) {
  record.command.response_flags = ISCSI_RESIDUAL_UNDERFLOW;
  record.command.residual_bytes = residual_bytes;
  return Transferring(record.command.expected_bytes - residual_bytes);
}

Command& Command::LongBy(uint32_t residual_bytes) {
  record.command.response_flags = ISCSI_RESIDUAL_OVERFLOW;
  record.command.residual_bytes = residual_bytes;
  return *this;
}

Command Read16(uint64_t lba, uint32_t blocks) {
  return Transfer16(SCSI_READ_16, lba, blocks, ISCSI_COMMAND_READ);
}

Command Write16(uint64_t lba, uint32_t blocks) {
  return Transfer16(SCSI_WRITE_16, lba, blocks, ISCSI_COMMAND_WRITE);
}

std::string LoginText(const Login& login) {
  std::string text = "InitiatorName=" + login.initiator + '\0';
  text += login.target.empty() ? "SessionType=Discovery" : "SessionType=Normal";
  text += '\0';
  if (!login.target.empty()) text += "TargetName=" + login.target + '\0';
  return text;
}

Conversation::Conversation(Host& host, uint64_t id, uint8_t role) : host_(host) {
  report_.header.connection = id;
  report_.header.bytes = sizeof(report_);
  report_.header.abi = LUNSCOPE_ABI;
  report_.header.kind = LUNSCOPE_RECORD_CONNECTION;
  report_.header.role = role;
  const uint8_t local[] = {192, 0, 2, 1};
  const uint8_t remote[] = {192, 0, 2, 2};
  std::copy(std::begin(local), std::end(local), report_.local_address);
  std::copy(std::begin(remote), std::end(remote), report_.remote_address);
  const bool is_target = role == LUNSCOPE_ROLE_TARGET;
  const auto port = static_cast<uint16_t>(40000 + id);
  report_.local_port = is_target ? ISCSI_DEFAULT_PORT : port;
  report_.remote_port = is_target ? port : ISCSI_DEFAULT_PORT;
}

Conversation& Conversation::IsIpv6() {
  report_.is_ipv6 = 1;
  for (uint8_t* address : {report_.local_address, report_.remote_address}) {
    std::memset(address, 0, 16);
    PutBe32(address, 0x20010db8);
  }
  report_.local_address[15] = 1;
  report_.remote_address[15] = 2;
  return *this;
}

lunscope_connection_record Conversation::Record(uint8_t flags) const {
  lunscope_connection_record record = report_;
  record.header.time_ns = host_.now_ns;
  record.header.flags |= flags;
  return record;
}

Conversation& Conversation::Opens() {
  host_.Apply(Record(LUNSCOPE_FLAG_OPENED));
  return *this;
}

Conversation& Conversation::IsFound() {
  report_.header.flags = LUNSCOPE_FLAG_MIDSTREAM;
  host_.Apply(Record(LUNSCOPE_FLAG_OPENED));
  return *this;
}

Conversation& Conversation::Closes() {
  is_live_ = false;
  host_.Apply(Record(LUNSCOPE_FLAG_CLOSED));
  return *this;
}

Conversation& Conversation::Vanishes() {
  is_live_ = false;
  return *this;
}

Conversation& Conversation::Joining(uint16_t tsih, uint16_t cid) {
  tsih_ = tsih;
  cid_ = cid;
  return *this;
}

Conversation& Conversation::LogsIn(const Login& login) {
  return RequestsLogin(LoginText(login) + login.keys, login.isid, ISCSI_FLAG_FINAL | 0x07,
                       login.chunk_bytes)
      .AnswersLogin(0, login.tsih, ISCSI_FLAG_FINAL | 0x07, login.answer);
}

Conversation& Conversation::RequestsLogin(std::string_view text, uint64_t isid, uint8_t flags,
                                          size_t chunk_bytes) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_LOGIN_REQUEST);
  pdu.bhs[0] |= kImmediate;
  pdu.bhs[1] = flags;
  PutIsid(pdu.bhs, isid);
  PutBe16(pdu.bhs + 14, tsih_);
  PutBe16(pdu.bhs + 20, cid_);
  Deliver(pdu, text, chunk_bytes);
  return *this;
}

Conversation& Conversation::AnswersLogin(uint8_t status_class, uint16_t tsih, uint8_t flags,
                                         std::string_view text, uint8_t status_detail) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_LOGIN_RESPONSE);
  pdu.bhs[1] = flags;
  PutBe16(pdu.bhs + 14, tsih);
  pdu.bhs[36] = status_class;
  pdu.bhs[37] = status_detail;
  Deliver(pdu, text, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::Asks(std::string_view text, uint8_t flags) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_TEXT_REQUEST);
  pdu.bhs[1] = flags;
  Deliver(pdu, text, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::Answers(std::string_view text, uint8_t flags) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_TEXT_RESPONSE);
  pdu.bhs[1] = flags;
  Deliver(pdu, text, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::LogsOut(uint8_t reason) {
  return RequestsLogout(reason).AnswersLogout(0);
}

Conversation& Conversation::RequestsLogout(uint8_t reason) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_LOGOUT_REQUEST);
  pdu.bhs[1] = ISCSI_FLAG_FINAL | reason;
  Deliver(pdu, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::AnswersLogout(uint8_t response) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_LOGOUT_RESPONSE);
  pdu.bhs[2] = response;
  Deliver(pdu, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::RequestsTask(uint8_t function) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_TASK_REQUEST);
  pdu.bhs[1] = ISCSI_FLAG_FINAL | function;
  Deliver(pdu, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::AnswersTask(uint8_t response) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_TASK_RESPONSE);
  pdu.bhs[2] = response;
  Deliver(pdu, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::TargetPings() {
  lunscope_pdu_record ping = NewPdu(ISCSI_NOP_IN);
  PutBe32(&ping.bhs[16], ISCSI_RESERVED_TAG);
  PutBe32(&ping.bhs[20], 78);
  Deliver(ping, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::ShutsWindow(uint64_t ns) {
  report_.window_closed_ns += ns;
  return *this;
}

Conversation& Conversation::SendsBeyond(uint32_t commands) {
  report_.commands_beyond += commands;
  return *this;
}

Conversation& Conversation::Rejects(uint8_t reason) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_REJECT);
  pdu.bhs[2] = reason;
  Deliver(pdu, std::string(ISCSI_BHS_BYTES, '\0'), LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::Pings() {
  lunscope_pdu_record ping = NewPdu(ISCSI_NOP_OUT);
  PutBe32(&ping.bhs[16], 77);
  PutBe32(&ping.bhs[20], ISCSI_RESERVED_TAG);
  Deliver(ping, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::PingsFor(uint64_t ns) {
  Pings();
  host_.now_ns += ns;
  return AnswersPing();
}

Conversation& Conversation::AnswersPing() {
  lunscope_pdu_record answer = NewPdu(ISCSI_NOP_IN);
  PutBe32(&answer.bhs[16], 77);
  PutBe32(&answer.bhs[20], ISCSI_RESERVED_TAG);
  Deliver(answer, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::Announces(uint8_t async_event) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_ASYNC_MESSAGE);
  pdu.bhs[36] = async_event;
  Deliver(pdu, {}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::Reads(const std::vector<uint8_t>& cdb, const std::vector<uint8_t>& data,
                                  uint64_t lun) {
  lunscope_pdu_record pdu = NewPdu(ISCSI_DATA_IN);
  pdu.lun = lun;
  std::copy(cdb.begin(), cdb.end(), pdu.cdb);
  Deliver(pdu, {reinterpret_cast<const char*>(data.data()), data.size()}, LUNSCOPE_CHUNK_BYTES);
  return *this;
}

Conversation& Conversation::Completes(const Command& command) {
  lunscope_sensed_command_record record = command.record;
  const bool is_sensed = record.command.sense_bytes != 0;
  lunscope_record& header = record.command.header;
  header = report_.header;
  header.time_ns = host_.now_ns;
  header.kind = LUNSCOPE_RECORD_COMMAND;
  header.bytes = is_sensed ? sizeof(record) : sizeof(record.command);
  Counts(DirectionOf(ISCSI_SCSI_COMMAND), ISCSI_SCSI_COMMAND, 1, ISCSI_BHS_BYTES);
  Counts(DirectionOf(ISCSI_SCSI_RESPONSE), ISCSI_SCSI_RESPONSE, 1, ISCSI_BHS_BYTES);
  host_.ApplyBytes(&record, header.bytes);
  return *this;
}

Conversation& Conversation::Counts(lunscope_direction direction, uint8_t opcode, uint64_t pdus,
                                   uint64_t bytes) {
  report_.traffic[direction].pdus[opcode & 0x1f] += pdus;
  report_.traffic[direction].bytes += bytes;
  return *this;
}

Conversation& Conversation::LosesRecords(lunscope_direction direction, lunscope_loss loss,
                                         uint64_t records) {
  report_.traffic[direction].records_lost[loss] += records;
  return *this;
}

Conversation& Conversation::Leaves(uint32_t unread_bytes) {
  report_.unread_bytes = unread_bytes;
  return *this;
}

Conversation& Conversation::Waits(const lunscope_tcp& tcp) {
  report_.tcp = tcp;
  report_.tcp.is_known = 1;
  return *this;
}

Conversation& Conversation::Sees(uint32_t received, uint32_t sent, uint32_t immediate,
                                 uint32_t r2t) {
  report_.largest_segment[LUNSCOPE_RECEIVED] = received;
  report_.largest_segment[LUNSCOPE_SENT] = sent;
  report_.largest_immediate = immediate;
  report_.largest_r2t = r2t;
  return *this;
}

Conversation& Conversation::OwesAcknowledgements(uint32_t statuses) {
  report_.has_unacknowledged_statuses = 1;
  report_.unacknowledged_statuses = statuses;
  return *this;
}

Conversation& Conversation::Takes(uint32_t commands, uint32_t smallest) {
  report_.has_window = 1;
  report_.window = commands;
  report_.smallest_window = smallest;
  return *this;
}

Conversation& Conversation::Ends(lunscope_end end) {
  report_.end = static_cast<uint8_t>(end);
  return Closes();
}

Conversation& Conversation::FailsToConnect(lunscope_end end) {
  report_.header.flags |= LUNSCOPE_FLAG_CONNECTING | LUNSCOPE_FLAG_OPENED;
  return Ends(end);
}

Conversation& Conversation::HasRemoteHost(uint8_t number) {
  report_.remote_address[3] = number;
  return *this;
}

Applied Conversation::Tells(uint32_t gaps, uint32_t header_digest_errors) {
  report_.gaps += gaps;
  report_.header_digest_errors += header_digest_errors;
  return host_.Apply(Record());
}

Conversation& Conversation::Retransmits(uint64_t segments) {
  report_.retransmits += segments;
  return *this;
}

Conversation& Conversation::UsesDigests() {
  report_.header_digest = 1;
  report_.data_digest = 1;
  return *this;
}

Conversation& Conversation::Holds(std::vector<Task> tasks) {
  tasks_ = std::move(tasks);
  return *this;
}

lunscope_direction Conversation::DirectionOf(uint8_t opcode) const {
  const bool is_from_target = (opcode & ISCSI_OPCODE_FROM_TARGET) != 0;
  const bool is_at_target = report_.header.role == LUNSCOPE_ROLE_TARGET;
  return is_from_target == is_at_target ? LUNSCOPE_SENT : LUNSCOPE_RECEIVED;
}

lunscope_pdu_record Conversation::NewPdu(uint8_t opcode) const {
  lunscope_pdu_record pdu{};
  pdu.header = report_.header;
  pdu.header.kind = LUNSCOPE_RECORD_PDU;
  pdu.header.bytes = sizeof(pdu);
  pdu.header.time_ns = host_.now_ns;
  pdu.bhs[0] = opcode;
  pdu.bhs[1] = ISCSI_FLAG_FINAL;
  pdu.direction = DirectionOf(opcode);
  return pdu;
}

void Conversation::Deliver(lunscope_pdu_record pdu, std::string_view data, size_t chunk_bytes) {
  Counts(static_cast<lunscope_direction>(pdu.direction), pdu.bhs[0], 1,
         ISCSI_BHS_BYTES + data.size());
  size_t offset = 0;
  do {
    const std::string_view chunk = data.substr(offset, chunk_bytes);
    std::memset(pdu.chunk, 0, sizeof(pdu.chunk));
    std::copy(chunk.begin(), chunk.end(), pdu.chunk);
    pdu.chunk_offset = static_cast<uint32_t>(offset);
    pdu.chunk_bytes = static_cast<uint16_t>(chunk.size());
    offset += chunk.size();
    pdu.last = offset == data.size();
    host_.ApplyBytes(&pdu, sizeof(pdu));
  } while (offset < data.size());
}

Conversation& Host::Opens(uint64_t id, uint8_t role) { return Meets(id, role).Opens(); }

Conversation& Host::Meets(uint64_t id, uint8_t role) {
  return conversations_.try_emplace(id, *this, id, role).first->second;
}

void Host::Walks() {
  model_.BeginWalk(now_ns);
  for (const auto& [id, conversation] : conversations_) {
    if (!conversation.is_live_) continue;
    Apply(conversation.Record());
    if (conversation.tasks_.empty()) continue;
    auto list = std::make_unique<lunscope_inflight_record>();
    list->header = conversation.Record().header;
    list->header.kind = LUNSCOPE_RECORD_INFLIGHT;
    for (const Task& task : conversation.tasks_)
      list->waiting[list->count++] = {task.lun, task.start_ns};
    list->header.bytes = lunscope_inflight_list_bytes(list.get());
    ApplyBytes(list.get(), list->header.bytes);
  }
  model_.EndWalk();
}

Applied Host::ApplyBytes(const void* data, size_t bytes) {
  const std::unique_ptr<void, decltype(&std::free)> copy(std::malloc(bytes), &std::free);
  std::memcpy(copy.get(), data, bytes);
  const lunscope_record* record = CheckRecord(copy.get(), bytes);
  if (record == nullptr) throw std::logic_error("a test made a record that is not whole");
  const Applied applied = model_.Apply(*record);
  if (hand_on_) hand_on_(*record);
  if (hand_on_applied_) hand_on_applied_(*record, applied);
  return applied;
}

std::vector<std::string> Host::Overdues() {
  std::vector<std::string> all;
  model_.LookForOverdue(now_ns, [&](const Overdue& overdue) {
    constexpr const char* kNames[] = {"login", "ping of the initiator", "ping of the target"};
    all.push_back(std::string(kNames[static_cast<size_t>(overdue.what)]) + " " +
                  std::to_string((now_ns - overdue.since_ns) / 1'000'000) + " ms" +
                  (overdue.is_answering ? ", answering" : ""));
  });
  return all;
}

std::vector<std::string> Host::Sessions() const {
  std::vector<std::string> sessions;
  for (const auto& [key, session] : model_.sessions().all()) {
    sessions.push_back(fmt::format("{} {} {} up={}", key.initiator, key.target, session.name,
                                   session.connections.size()));
  }
  return sessions;
}

std::vector<std::string> Host::Targets() const {
  std::vector<std::string> targets;
  for (const auto& [key, target] : See().targets) {
    const char* role = key.role == LUNSCOPE_ROLE_TARGET      ? "target"
                       : key.role == LUNSCOPE_ROLE_INITIATOR ? "initiator"
                                                             : "unknown";
    targets.push_back(fmt::format("{}/{}", role, key.name));
  }
  return targets;
}

}  // namespace lunscope
