// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/workload.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "collector/base/record.h"

namespace lunscope {
namespace {

constexpr uint64_t kUs = 1000;
// So five are in flight. A tape that is played again sets the clock back, for it is longer than
// what the model takes as a delay.
constexpr uint64_t kCommandEveryUs = 200;

const std::vector<uint8_t> kInquiry = {SCSI_INQUIRY, 0, 0, 0, 36, 0};

std::vector<uint8_t> InquiryData() {
  const std::string text = std::string(8, '\0') + "LUNSCOPEVIRTUAL-DISK    ";
  return {text.begin(), text.end()};
}

std::string TargetName(uint64_t target) {
  return fmt::format("iqn.2026-01.org.lunscope:storage.array-{:04}", target);
}
std::string InitiatorName(uint64_t connection) {
  return fmt::format("iqn.2026-01.org.lunscope:host-{:05}", connection);
}

Command CommandOf(uint64_t operation) {
  switch (operation) {
    case 0: return Read16(4096, 8);
    case 1: return Write16(4096, 8);
    case 2: return Command({SCSI_SYNCHRONIZE_CACHE_10});
    case 3: return Command({0xc0});
    default: return Command(kInquiry, ISCSI_COMMAND_READ).Moving(36);
  }
}

void BeginConnection(const Shape& shape, uint64_t i, Host& host) {
  Conversation& conversation =
      host.Opens(i + 1)
          .LogsIn({.initiator = InitiatorName(i), .target = TargetName(i % shape.targets)})
          .Counts(LUNSCOPE_SENT, ISCSI_SCSI_COMMAND, 1000, 48'000);
  if (i >= shape.targets) return;
  for (uint64_t lun = 0; lun < shape.luns; lun++) {
    const uint64_t number = Lun(static_cast<uint8_t>(lun));
    conversation.Reads(kInquiry, InquiryData(), number);
    for (uint64_t operation = 0; operation < shape.operations; operation++)
      conversation.Completes(CommandOf(operation).OnLun(number).Taking(100 * kUs));
  }
}

}  // namespace

void Begin(const Shape& shape, const std::function<void(const lunscope_record&)>& take) {
  for (uint64_t i = 0; i < shape.connections; i++) {
    Host host;
    host.HandOn(take);
    BeginConnection(shape, i, host);
  }
}

Tape Commands(const Shape& shape, size_t records) {
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same each time
  Tape tape;
  Host host;
  Conversation& any = host.Opens(1);
  host.HandOn([&](const lunscope_record& record) {
    lunscope_command_record command = *RecordAs<lunscope_command_record>(record);
    command.header.connection = 1 + random() % shape.connections;
    tape.Add(command.header);
  });
  for (size_t i = 0; i < records; i++) {
    host.now_ns += kCommandEveryUs * kUs;
    const auto lun = static_cast<uint8_t>(random() % shape.luns);
    any.Completes(CommandOf(random() % shape.operations)
                      .OnLun(Lun(lun))
                      .Taking((20 + random() % 2000) * kUs)
                      .Tagged(static_cast<uint32_t>(i), static_cast<uint32_t>(i)));
  }
  return tape;
}

void Walk(const Shape& shape, const std::function<void(const lunscope_record&)>& take) {
  for (uint64_t i = 0; i < shape.connections; i++) {
    Host host;
    const lunscope_connection_record record =
        host.Meets(i + 1).Counts(LUNSCOPE_SENT, ISCSI_SCSI_COMMAND, 2000, 96'000).Record();
    take(record.header);
  }
}

}  // namespace lunscope
