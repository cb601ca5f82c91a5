// SPDX-License-Identifier: Apache-2.0
//
// Facts of this host beyond its packets, as questions and answers. A question is a value, so that
// equal ones are asked once.
#pragma once

#include <lunscope/records.h>

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "collector/base/host_session.h"
#include "collector/base/local_process.h"

namespace lunscope {

// Which sessions does this host have? The fact: std::vector<HostSession>.
struct SessionsQuestion {
  auto operator<=>(const SessionsQuestion&) const = default;
};

// What is behind the LUNs of this host's sessions now? The fact: std::vector<HostSession>.
struct LocalLunsQuestion {
  auto operator<=>(const LocalLunsQuestion&) const = default;
};

// Which target does the iSCSI session below a SCSI host have? The fact: std::string, "" if there is
// no such session.
struct ScsiHostQuestion {
  uint32_t host = 0;
  auto operator<=>(const ScsiHostQuestion&) const = default;
};

// What are the names of a process that reads a connection? The fact: LocalProcess.
struct ProcessQuestion {
  uint32_t process = 0;
  uint64_t cgroup = 0;
  uint32_t network_namespace = 0;
  std::array<char, sizeof(lunscope_connection_record::comm)> comm{};
  auto operator<=>(const ProcessQuestion&) const = default;
};

using Question =
    std::variant<SessionsQuestion, LocalLunsQuestion, ScsiHostQuestion, ProcessQuestion>;
using HostFact = std::variant<std::vector<HostSession>, std::string, LocalProcess>;

struct Answer {
  Question question;
  HostFact fact;
};

// Finds the fact out. It may take long, or never return.
using ReadFact = std::function<HostFact(const Question&)>;
// Each thread that reads has a reader of its own.
using MakeReader = std::function<ReadFact()>;

// A reader that asks this host: /proc, sysfs, configfs, tgtadm.
ReadFact MakeHostReader();

}  // namespace lunscope
