// SPDX-License-Identifier: Apache-2.0
#include "collector/run/host_fact.h"

#include <algorithm>
#include <memory>

#include "collector/host/host.h"
#include "collector/host/local_processes.h"

namespace lunscope {
namespace {

struct HostReader {
  LocalProcesses& processes;

  HostFact operator()(const SessionsQuestion& /*question*/) const { return ReadHostSessions(); }
  HostFact operator()(const LocalLunsQuestion& /*question*/) const { return ReadLocalLuns(); }
  HostFact operator()(const ScsiHostQuestion& question) const {
    return ReadScsiHostTarget("/sys", question.host);
  }
  HostFact operator()(const ProcessQuestion& question) const {
    lunscope_connection_record record{};
    record.process = question.process;
    record.cgroup = question.cgroup;
    record.network_namespace = question.network_namespace;
    std::ranges::copy(question.comm, record.comm);
    return processes.Read(record);
  }
};

}  // namespace

ReadFact MakeHostReader() {
  return [processes = std::make_shared<LocalProcesses>()](const Question& question) {
    return std::visit(HostReader{*processes}, question);
  };
}

}  // namespace lunscope
