// SPDX-License-Identifier: Apache-2.0
// Hostile records go through the model into every output. Each line is printable ASCII, has at most
// its promised length, and is JSON where it should be.
//
// Input: a byte of setting, 8 of the time, 36 of addresses, then names, INQUIRY data, a command, a
// header: each two bytes of length and that much, or what the record has room for.
#include <cstring>
#include <nlohmann/json.hpp>

#include "collector/base/record.h"
#include "collector/lines/pdu_line.h"
#include "collector/lines/session_list.h"
#include "collector/lines/summary.h"
#include "collector/lines/trace_line.h"
#include "collector/metrics/metrics.h"
#include "collector/names/names.h"
#include "tests/fuzz/target.h"
#include "tests/vectors/pdus.h"

namespace lunscope {
namespace {

enum Setting : uint8_t { kTargetSide = 1, kMetrics = 2, kIpv6 = 4 };

// No value of a row is cut. A name has 223 bytes at most (RFC 7143 section 4.2.7.2), and an escape
// takes four columns.
constexpr size_t kColumns = 4 * 223 + 400;
constexpr uint64_t kConnection = 7;

void CheckJson(const std::string& line) {
  Check(IsPrintable(line), "a line is printable");
  Check(nlohmann::json::accept(line), "a line is JSON");
}

void CheckText(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    Check(IsPrintable(std::string_view(text).substr(at, end - at)), "a text is printable");
    at = end + 1;
  }
}

// The time has the form "2026-01-31T12:00:00.123456Z" for any record.
void CheckTime(const std::string& line) {
  const std::string time = nlohmann::json::parse(line)["time"];
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.ddddddZ";
  const auto fits = [](char c, char form) {
    return form == 'd' ? c >= '0' && c <= '9' : c == form;
  };
  Check(std::ranges::equal(time, kForm, fits), "a time has a form");
}

class Host {
 public:
  explicit Host(Input* input)
      : input_(*input), setting_(input->Byte()), time_ns_(input->Number(8)) {
    auto opened = New<lunscope_connection_record>(LUNSCOPE_RECORD_CONNECTION);
    opened.header.flags = LUNSCOPE_FLAG_OPENED;
    opened.is_ipv6 = setting_ & kIpv6 ? 1 : 0;
    Fill(opened.local_address, sizeof(opened.local_address), 16);
    Fill(opened.remote_address, sizeof(opened.remote_address), 16);
    opened.local_port = input->Word();
    opened.remote_port = input->Word();
    Apply(opened);
  }

  void LogIn() {
    const uint32_t direction = setting_ & kTargetSide ? LUNSCOPE_RECEIVED : LUNSCOPE_SENT;
    auto request = New<lunscope_pdu_record>(LUNSCOPE_RECORD_PDU);
    request.bhs[0] = ISCSI_LOGIN_REQUEST;
    request.direction = static_cast<uint8_t>(direction);
    request.last = 1;
    request.chunk_bytes = Fill(request.chunk, sizeof(request.chunk), input_.Word());
    Apply(request);
    auto response = New<lunscope_pdu_record>(LUNSCOPE_RECORD_PDU);
    response.bhs[0] = ISCSI_LOGIN_RESPONSE;
    response.bhs[1] = 0x87;
    response.direction = static_cast<uint8_t>(1 - direction);
    response.last = 1;
    Apply(response);
  }

  void Learn(uint64_t lun) {
    auto data = New<lunscope_pdu_record>(LUNSCOPE_RECORD_PDU);
    data.bhs[0] = ISCSI_DATA_IN;
    data.cdb[0] = SCSI_INQUIRY;
    data.lun = lun;
    data.last = 1;
    data.chunk_bytes = Fill(data.chunk, sizeof(data.chunk), input_.Word());
    Apply(data);
  }

  void Complete() {
    auto record = New<lunscope_sensed_command_record>(LUNSCOPE_RECORD_COMMAND);
    lunscope_command_record& command = record.command;
    auto* fields = reinterpret_cast<uint8_t*>(&record) + sizeof(lunscope_record);
    Fill(fields, sizeof(record) - sizeof(lunscope_record), input_.Word());
    command.sense_bytes = std::min<uint16_t>(command.sense_bytes, LUNSCOPE_SENSE_BYTES);
    command.no_status %= LUNSCOPE_UNREPORTED_COUNT + 1;
    Learn(command.lun);
    const TracedCommand traced = {command, Apply(record), 0};
    const std::string row = TableRow(traced);
    Check(IsPrintable(row) && row.size() <= kColumns, "a row is printable and has an end");
    const std::string line = JsonObject(traced);
    CheckJson(line);
    CheckTime(line);
    summary_.Add(traced);
  }

  void Pass() {
    Bytes bhs = input_.Copy(ISCSI_BHS_BYTES);
    bhs.resize(ISCSI_BHS_BYTES);
    const Bytes ahs = input_.Copy(LUNSCOPE_AHS_BYTES);
    const Connection* connection = model_.FindConnection(kConnection);
    const TracedPdu pdu = {std::span<const uint8_t>(bhs).first<ISCSI_BHS_BYTES>(),
                           ahs,
                           connection->role,
                           static_cast<uint8_t>(setting_ >> 7),
                           connection->local,
                           connection->remote,
                           static_cast<int64_t>(time_ns_),
                           kUnknownDeviceType,
                           ahs};
    CheckJson(JsonObject(pdu));
    Check(IsPrintable(TableRow(pdu)), "a row is printable");
    for (const std::string& label :
         {StatusLabel(bhs[0]), SenseKeyLabel(bhs[1]), OpcodeLabel(bhs[2]), RejectLabel(bhs[3]),
          TaskFunctionLabel(bhs[4]), AsyncEventLabel(bhs[5]), LoginFailureLabel(bhs[6])})
      Check(!label.empty() && IsPrintable(label), "a label is printable");
  }

  void CheckAll() {
    CheckText(summary_.Format());
    Observation observation;
    observation.snapshot = model_.TakeSnapshot();
    const std::string sessions = SessionsJson(model_, 0);
    CheckText(sessions);
    Check(nlohmann::json::accept(sessions), "the sessions are JSON");
    CheckText(SessionsTable(model_, 0));
    if (setting_ & kMetrics) CheckText(FormatMetrics(observation));
  }

 private:
  template <typename Record>
  Record New(lunscope_record_kind kind) const {
    Record record = {};
    lunscope_record& header = HeaderOf(record);
    header.connection = kConnection;
    header.time_ns = time_ns_;
    header.bytes = sizeof(record);
    header.abi = LUNSCOPE_ABI;
    header.kind = static_cast<uint8_t>(kind);
    header.role = setting_ & kTargetSide ? LUNSCOPE_ROLE_TARGET : LUNSCOPE_ROLE_INITIATOR;
    return record;
  }

  // Fills the room with input bytes: at most `wanted` of them, and as many as there are.
  uint16_t Fill(uint8_t* room, size_t room_bytes, size_t wanted) {
    const std::span<const uint8_t> bytes = input_.Take(std::min(room_bytes, wanted));
    std::ranges::copy(bytes, room);
    return static_cast<uint16_t>(bytes.size());
  }

  template <typename Record>
  Applied Apply(const Record& record) {
    return model_.Apply(HeaderOf(record));
  }

  Input& input_;
  const uint8_t setting_;
  const uint64_t time_ns_;
  Model model_;
  Summary summary_;
};

void Run(std::span<const uint8_t> bytes) {
  Input input(bytes);
  Host host(&input);
  host.LogIn();
  host.Complete();
  host.Pass();
  host.CheckAll();
}

Bytes WithLength(const Bytes& bytes) {
  return Join(
      {{static_cast<uint8_t>(bytes.size() >> 8), static_cast<uint8_t>(bytes.size())}, bytes});
}

std::vector<Bytes> Seeds() {
  const Bytes names = Keys({"InitiatorName=iqn.2026-01.example:host", "TargetName=iqn.example:d"});
  const Bytes hostile = Keys({"InitiatorName=\x1b[2J\"\\\n", "TargetName=\xff\xfe\"{,}"});
  const Bytes inquiry =
      Join({FromHex("00000502 1f000000"), ToBytes("ACME    Disk \x1b]52;\x07    ")});
  // lunscope_command_record behind its header: LUN, duration, six numbers, CDB, the end; then
  // sense.
  const Bytes command = Join({FromHex("00000000 00000100 40420f00 00000000 01000000 02000000"),
                              FromHex("00100000 00100000 00000000 00000000"),
                              FromHex("28000000 08000000 08000000 00000000 c1000002 12000000"),
                              FromHex("70000500 0000000a 00000000 20000000 0000")});
  std::vector<Bytes> seeds;
  for (const PduVector& vector : kPduVectors) {
    const auto setting = static_cast<uint8_t>(seeds.size());
    seeds.push_back(Join({{setting},
                          FromHex("18a2b4c6 d8e0f001"),
                          Bytes(36, 0x0a),
                          WithLength(seeds.size() % 2 ? names : hostile),
                          WithLength(command),
                          WithLength(inquiry),
                          FromHex(vector.hex)}));
  }
  return seeds;
}

}  // namespace

const FuzzTarget kLinesTarget = {"lines", Run, Seeds};

}  // namespace lunscope
