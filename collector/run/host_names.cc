// SPDX-License-Identifier: Apache-2.0
#include "collector/run/host_names.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "collector/base/record.h"

namespace lunscope {
namespace {

// More are not remembered. A walk asks again for those that are still there.
constexpr size_t kMaxWaitingConnections = 16384;
// A scrape waits so long for the LUNs of this host. A disk takes the reader some 0.2 ms.
constexpr std::chrono::milliseconds kScrapePatience(100);

ProcessQuestion ProcessOf(const lunscope_connection_record& record) {
  ProcessQuestion question{record.process, record.cgroup, record.network_namespace, {}};
  std::ranges::copy(record.comm, question.comm.begin());
  return question;
}

// The record, if it says who reads a connection and the model does not know that yet.
const lunscope_connection_record* NewReader(const lunscope_record& record, const Model& model) {
  const auto* read = RecordAs<lunscope_connection_record>(record);
  if (read == nullptr) return nullptr;
  const Connection* connection = model.FindConnection(record.connection);
  const uint32_t known = connection == nullptr ? 0 : connection->process.id;
  return read->process == 0 || read->process == known ? nullptr : read;
}

}  // namespace

// Takes one kind of answer into the model.
struct HostNames::Learner {
  HostNames& names;
  Model& model;
  HostFact& fact;

  void operator()(const SessionsQuestion& /*question*/) {
    model.SetHostSessions(std::move(std::get<std::vector<HostSession>>(fact)));
    if (names.after_programs_) names.after_programs_();
  }
  void operator()(const LocalLunsQuestion& /*question*/) {
    model.SetLocalLuns(std::move(std::get<std::vector<HostSession>>(fact)));
  }
  void operator()(const ScsiHostQuestion& question) {
    const std::string& target = std::get<std::string>(fact);
    if (!target.empty()) model.NameScsiHost(question.host, target);
  }
  void operator()(const ProcessQuestion& question) {
    const auto waiting = names.waiting_.extract(question);
    if (waiting.empty()) return;
    names.waiting_connections_ -= waiting.mapped().size();
    for (const uint64_t connection : waiting.mapped())
      model.SetProcess(connection, std::get<LocalProcess>(fact));
  }
};

HostNames::HostNames(std::unique_ptr<Resolver> resolver, bool waits_for_processes,
                     std::function<void()> after_programs, std::chrono::milliseconds patience)
    : resolver_(std::move(resolver)),
      waits_for_processes_(waits_for_processes),
      after_programs_(std::move(after_programs)),
      patience_(patience) {
  // Once: a session that begins from now on is seen to log in.
  resolver_->Find(SessionsQuestion{});
}

bool HostNames::IsReady(const lunscope_record& record, Model& model) {
  if (!resolver_) return true;
  const auto* nexus = RecordAs<lunscope_nexus_record>(record);
  if (nexus != nullptr && record.role == LUNSCOPE_ROLE_INITIATOR)
    return IsHostKnown(nexus->host, model);
  if (!waits_for_processes_) return true;
  const lunscope_connection_record* read = NewReader(record, model);
  return read == nullptr || resolver_->Find(ProcessOf(*read));
}

// The nexus takes its target's name when the model meets it.
bool HostNames::IsHostKnown(uint32_t host, Model& model) {
  const std::optional<HostFact> target = resolver_->Find(ScsiHostQuestion{host});
  if (!target) return false;
  const std::string& name = std::get<std::string>(*target);
  if (!name.empty()) model.NameScsiHost(host, name);
  return true;
}

void HostNames::Complete(const lunscope_record& record, Model& model) {
  if (!resolver_) return;
  const lunscope_connection_record* read = NewReader(record, model);
  if (read == nullptr) return;
  const ProcessQuestion question = ProcessOf(*read);
  if (const std::optional<HostFact> process = resolver_->Find(question)) {
    model.SetProcess(record.connection, std::get<LocalProcess>(*process));
    return;
  }
  if (waiting_connections_ >= kMaxWaitingConnections) {
    waiting_.clear();
    waiting_connections_ = 0;
  }
  if (waiting_[question].insert(record.connection).second) waiting_connections_++;
}

void HostNames::TakeAnswers(Model& model) {
  if (!resolver_) return;
  for (Answer& answer : resolver_->TakeAnswers())
    std::visit(Learner{*this, model, answer.fact}, answer.question);
}

void HostNames::FindLocalLuns() const {
  if (resolver_) resolver_->Await(LocalLunsQuestion{}, std::min(patience_, kScrapePatience));
}

void HostNames::WaitForAnswers(std::chrono::milliseconds longest) {
  if (resolver_) resolver_->WaitForAnswers(longest);
}

}  // namespace lunscope
