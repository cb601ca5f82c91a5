// SPDX-License-Identifier: Apache-2.0
// A capture file of any bytes, from the file to the model. The file is read to its end or reported
// as damaged, every command is accounted for, and every line is printable.
//
// Input: a byte of setting, and the file.
#include "collector/base/record.h"
#include "collector/replay/capture_file.h"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "collector/lines/pdu_line.h"
#include "collector/lines/session_list.h"
#include "collector/lines/trace_line.h"
#include "collector/replay/connection_table.h"
#include "tests/fuzz/observed.h"
#include "tests/replay/frames.h"
#include "tests/vectors/pdu.h"
#include "tests/vectors/pdus.h"

namespace lunscope {
namespace {

enum Setting : uint8_t { kInitiators = 1, kTargets = 2, kHeaders = 4 };

// Few, so that the limit is reached.
constexpr size_t kMaxConnections = 4;

// A file in memory that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const uint8_t> bytes) : descriptor_(memfd_create("capture", 0)) {
    if (descriptor_ < 0 ||
        write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

 private:
  const int descriptor_;
};

class Replay {
 public:
  explicit Replay(uint8_t setting)
      : watch_{.initiators = (setting & kInitiators) != 0,
               .targets = (setting & kTargets) != 0,
               .headers = (setting & kHeaders) != 0,
               .handler = [this](const lunscope_record& record) { Take(record); }},
        connections_({kTargetPort}, &watch_, kMaxConnections) {}

  void Run(CaptureFile* capture) {
    TcpSegment segment;
    while (capture->Next(&segment)) {
      Check(segment.payload.size() <= segment.payload_bytes, "no more is captured than there was");
      connections_.Take(segment);
      CheckConservation(watch_.totals, InFlight());
    }
    const Status ended = capture->Ended();
    Check(ended.ok() || IsPrintable(ended.error().message),
          "a damaged file has a message in words");
    connections_.GiveUp();
    CheckConservation(watch_.totals, InFlight());
    model_.BeginWalk(0);
    connections_.Walk([this](const lunscope_record& record) { model_.Apply(record); });
    model_.EndWalk();
    Check(model_.TakeSnapshot().tracked_commands == InFlight(),
          "the model knows what is in flight");
    const std::string sessions = SessionsJson(model_, 0);
    Check(IsPrintable(std::string_view(sessions).substr(0, sessions.find('\n'))), "the sessions");
  }

 private:
  uint64_t InFlight() const {
    uint64_t in_flight = 0;
    connections_.Walk([&](const lunscope_record& record) {
      if (const auto* list = RecordAs<lunscope_inflight_record>(record); list != nullptr)
        in_flight += list->count;
    });
    return in_flight;
  }

  void Take(const lunscope_record& record) {
    Check(CheckRecord(&record, record.bytes) == &record, "a record is whole");
    const Applied applied = model_.Apply(record);
    const Connection* connection = applied.connection;
    if (const auto* command = RecordAs<lunscope_command_record>(record); command != nullptr) {
      const TracedCommand traced = {
          *command, {.connection = connection, .verdict = applied.verdict}, 0};
      Check(IsPrintable(JsonObject(traced)) && IsPrintable(TableRow(traced)), "lines of a command");
    }
    if (const auto* pdu = RecordAs<lunscope_header_record>(record); pdu != nullptr) {
      Check(
          IsPrintable(JsonObject(TracedPdu{
              std::span(pdu->bhs), std::span(pdu->ahs, pdu->ahs_bytes), record.role, pdu->direction,
              connection->local, connection->remote, static_cast<int64_t>(record.time_ns)})),
          "the line of a PDU");
    }
  }

  Model model_{{.profiles = true, .has_own_time = true}};
  Watch watch_;
  ConnectionTable connections_;
};

void Run(std::span<const uint8_t> bytes) {
  Input input(bytes);
  Replay replay(input.Byte());
  const MemoryFile file(input.Take(input.size()));
  Result<std::unique_ptr<CaptureFile>> capture = CaptureFile::Open(file.path());
  if (capture.ok()) {
    replay.Run(capture.value().get());
  } else {
    Check(IsPrintable(capture.error().message),
          "a file that cannot be read has a message in words");
  }
}

// The TCP payloads of a connection, in order. The opcode decides the sender.
class Packets {
 public:
  explicit Packets(bool with_handshake = true) {
    if (!with_handshake) return;
    Add(true, {}, kSynFlag);
    Add(false, {}, kSynFlag | kAckFlag);
    Add(true, {}, kAckFlag);
  }

  Packets& Say(const Bytes& pdu) { return Add((pdu[0] & 0x20) == 0, pdu, kAckFlag); }
  Packets& SayAll() {
    Say(LoginRequest(Keys({"InitiatorName=iqn.h", "TargetName=iqn.d"}))).Say(LoginResponse());
    for (const PduVector& vector : kPduVectors) Say(FromHex(vector.hex));
    return *this;
  }
  Packets& Close() {
    return Add(true, {}, kFinFlag | kAckFlag).Add(false, {}, kFinFlag | kAckFlag);
  }

  [[nodiscard]] const std::vector<Bytes>& packets() const { return packets_; }

 private:
  Packets& Add(bool from_initiator, const Bytes& payload, uint8_t flags) {
    uint32_t& seq = next_[from_initiator ? 0 : 1];
    packets_.push_back(Tcp({.from = from_initiator ? kInitiatorPort : kTargetPort,
                            .to = from_initiator ? kTargetPort : kInitiatorPort,
                            .seq = seq,
                            .ack = next_[from_initiator ? 1 : 0],
                            .flags = flags},
                           payload));
    seq += static_cast<uint32_t>(payload.size()) + ((flags & (kSynFlag | kFinFlag)) != 0 ? 1 : 0);
    return *this;
  }

  uint32_t next_[2] = {1000, 0xffffff00};
  std::vector<Bytes> packets_;
};

// The two formats, little-endian: draft-ietf-opsawg-pcap and -pcapng.
Bytes Little(uint32_t value) {
  return {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8),
          static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 24)};
}

using Link = Bytes (*)(const Bytes& tcp);

Bytes Pcap(int link_type, Link link, const Packets& packets) {
  Bytes file = Join({Little(0xa1b2c3d4), Little(0x00040002), Bytes(8), Little(262144),
                     Little(static_cast<uint32_t>(link_type))});
  uint32_t second = 1'700'000'000;
  for (const Bytes& tcp : packets.packets()) {
    const Bytes frame = link(tcp);
    const Bytes bytes = Little(static_cast<uint32_t>(frame.size()));
    file = Join({std::move(file), Little(second++), Little(0), bytes, bytes, frame});
  }
  return file;
}

Bytes Block(uint32_t type, Bytes body) {
  body.resize((body.size() + 3) / 4 * 4);
  const Bytes bytes = Little(static_cast<uint32_t>(body.size() + 12));
  return Join({Little(type), bytes, body, bytes});
}

Bytes Pcapng(int link_type, Link link, const Packets& packets) {
  Bytes file = Join({Block(0x0a0d0d0a, Join({Little(0x1a2b3c4d), Little(1), Bytes(8, 0xff)})),
                     Block(1, Join({Little(static_cast<uint32_t>(link_type)), Little(262144)}))});
  for (const Bytes& tcp : packets.packets()) {
    const Bytes frame = link(tcp);
    const Bytes bytes = Little(static_cast<uint32_t>(frame.size()));
    file = Join({std::move(file), Block(6, Join({Bytes(4), Bytes(8, 0x01), bytes, bytes, frame}))});
  }
  return file;
}

std::vector<Bytes> Seeds() {
  const struct {
    int link_type;
    Link link;
  } kLinks[] = {
      {DLT_EN10MB, [](const Bytes& tcp) { return Ethernet(Vlan(Ipv4(tcp)), 0x8100); }},
      {DLT_LINUX_SLL, [](const Bytes& tcp) { return Cooked(Ipv4(tcp)); }},
      {DLT_LINUX_SLL2, [](const Bytes& tcp) { return Cooked2(Ipv6(tcp), 0x86dd); }},
      {DLT_NULL,
       [](const Bytes& tcp) {
         return Loopback({2, 0, 0, 0}, Ipv4(tcp));
       }},
      {DLT_RAW, [](const Bytes& tcp) { return Ipv4(tcp); }},
  };
  const Bytes setting = {kInitiators | kTargets | kHeaders};
  Packets few, all, middle(false);
  few.Say(LoginRequest()).Say(LoginResponse()).Say(ScsiCommand(1, Read10(), 4096, kReadFlags));
  few.Say(DataIn(1, 0, Bytes(64), kDataInStatus)).Close();
  all.SayAll().Close();
  middle.SayAll();
  std::vector<Bytes> seeds;
  for (const auto& [link_type, link] : kLinks) {
    seeds.push_back(Join({setting, Pcap(link_type, link, few)}));
    seeds.push_back(Join({setting, Pcapng(link_type, link, few)}));
  }
  for (const Packets& packets : {all, middle})
    seeds.push_back(Join({setting, Pcap(DLT_RAW, kLinks[4].link, packets)}));
  seeds.push_back({kInitiators});
  return seeds;
}

}  // namespace

const FuzzTarget kReplayTarget = {"replay", Run, Seeds};

}  // namespace lunscope
