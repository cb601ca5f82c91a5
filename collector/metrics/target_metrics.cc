// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <map>

#include "collector/metrics/catalogue.h"
#include "collector/metrics/walk.h"
#include "collector/names/names.h"

namespace lunscope {
namespace {

using prometheus::MetricType;

// The status class of the first LoginFailure; the others follow in the RFC's order.
constexpr uint8_t kFirstLoginFailureClass = 1;

class TargetRenderer {
 public:
  TargetRenderer(const Observation& observation, Families& families)
      : is_offline_(observation.is_offline),
        walk_(observation.snapshot, Walk::kIscsi),
        families_(families) {}

  void Render() {
    AddPerTarget(MetricType::Counter, "logins_total", "Logins that reached the full feature phase.",
                 [](const TargetStatistics& target) { return target.logins; });
    {
      Family family = families_.New(MetricType::Counter, "login_failures_total",
                                    "Login Responses with a status class other than success.");
      walk_.EachTarget([&](const Labels& labels, const TargetKey&, const TargetStatistics& target) {
        for (size_t i = 0; i < kLoginFailures; i++) {
          const auto status_class = static_cast<uint8_t>(kFirstLoginFailureClass + i);
          family.Add(With(labels, "status_class", LoginStatusClassLabel(status_class)),
                     static_cast<double>(target.login_failures[i]));
        }
      });
    }
    AddPerTarget(MetricType::Counter, "logouts_total", "Logout Responses that report success.",
                 [](const TargetStatistics& target) { return target.logouts; });
    AddPerCode(
        "rejects_total", "Reject PDUs.", "reason", RejectLabel, 0x04,
        [](const TargetStatistics& target) -> auto& { return target.rejects; });
    AddPerCode(
        "task_management_requests_total", "Task Management Function Requests.", "function",
        TaskFunctionLabel, 1,
        [](const TargetStatistics& target) -> auto& { return target.task_functions; });
    AddPerCode(
        "async_messages_total", "Asynchronous Messages.", "event", AsyncEventLabel, 1,
        [](const TargetStatistics& target) -> auto& { return target.async_events; });
    AddPdus("pdus_sent_total", "PDUs handed to the network.", LUNSCOPE_SENT);
    AddPdus("pdus_received_total", "PDUs received, each counted once.", LUNSCOPE_RECEIVED);
    AddPerTarget(MetricType::Counter, "sent_bytes_total", "Bytes of PDUs sent, headers included.",
                 [](const TargetStatistics& target) { return target.bytes[LUNSCOPE_SENT]; });
    AddPerTarget(MetricType::Counter, "received_bytes_total",
                 "Bytes of PDUs received, headers included.",
                 [](const TargetStatistics& target) { return target.bytes[LUNSCOPE_RECEIVED]; });
    AddPerTarget(MetricType::Counter, "header_digest_errors_total",
                 "PDUs dropped because the CRC32C of their header did not fit.",
                 [](const TargetStatistics& target) { return target.header_digest_errors; });
    if (is_offline_) return;
    AddPerTarget(MetricType::Counter, "tcp_retransmitted_segments_total",
                 "TCP segments sent again, from the kernel's tracepoint.",
                 [](const TargetStatistics& target) { return target.retransmits; });
    AddPerTarget(MetricType::Gauge, "unread_bytes",
                 "Bytes that have arrived and that this host has not read off its sockets yet.",
                 [](const TargetStatistics& target) { return target.unread_bytes; });
  }

 private:
  void AddPerTarget(MetricType type, const char* name, const char* help,
                    const std::function<uint64_t(const TargetStatistics&)>& value) {
    Family family = families_.New(type, name, help);
    walk_.EachTarget([&](const Labels& labels, const TargetKey&, const TargetStatistics& target) {
      family.Add(labels, static_cast<double>(value(target)));
    });
  }

  // usual: the code whose series exists before it is first counted.
  void AddPerCode(
      const char* name, const char* help, const char* label, std::string (*label_of)(uint8_t),
      uint8_t usual,
      const std::function<const std::map<uint8_t, uint64_t>&(const TargetStatistics&)>& counts_of) {
    Family family = families_.New(MetricType::Counter, name, help);
    walk_.EachTarget([&](const Labels& labels, const TargetKey&, const TargetStatistics& target) {
      std::map<uint8_t, uint64_t> counts = counts_of(target);
      counts.try_emplace(usual, 0);
      for (const auto& [code, count] : counts)
        family.Add(With(labels, label, label_of(code)), static_cast<double>(count));
    });
  }

  void AddPdus(const char* name, const char* help, lunscope_direction direction) {
    Family family = families_.New(MetricType::Counter, name, help);
    walk_.EachTarget([&](const Labels& labels, const TargetKey& key,
                         const TargetStatistics& target) {
      const bool from_target = (key.role == LUNSCOPE_ROLE_TARGET) == (direction == LUNSCOPE_SENT);
      for (uint8_t i = 0; i < 32; i++) {
        const uint64_t count = target.pdus[direction][i];
        const uint8_t opcode = from_target ? i | ISCSI_OPCODE_FROM_TARGET : i;
        if (count != 0)
          family.Add(With(labels, "opcode", OpcodeLabel(opcode)), static_cast<double>(count));
      }
    });
  }

  const bool is_offline_;
  const Walk walk_;
  Families& families_;
};

}  // namespace

void AddTargets(const Observation& observation, Families& families) {
  TargetRenderer(observation, families).Render();
}

}  // namespace lunscope
