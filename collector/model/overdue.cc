// SPDX-License-Identifier: Apache-2.0
#include "collector/model/overdue.h"

#include <utility>

namespace lunscope {
namespace {

bool Waits(const Connection& connection) {
  return connection.login.asked_ns != 0 || !connection.pings.waiting(kPingOfInitiator).empty() ||
         !connection.pings.waiting(kPingOfTarget).empty();
}

bool IsLate(uint64_t since_ns, uint64_t now_ns) {
  return since_ns != 0 && now_ns > since_ns && now_ns - since_ns >= kOverdueNs;
}

}  // namespace

void OverdueAnswers::Note(Connection& connection) {
  connection.awaits_answer = Waits(connection);
  if (connection.awaits_answer) waiting_.insert(connection.id);
}

void OverdueAnswers::Look(uint64_t now_ns, Connections& connections,
                          const std::function<void(const Overdue&)>& visit) {
  const auto tell = [&](Overdue::What what, const Connection& connection, uint64_t since_ns) {
    visit({what, &connection, since_ns, connection.command_ns > since_ns});
  };
  std::erase_if(waiting_, [&](uint64_t id) {
    Connection* connection = connections.Find(id);
    if (connection == nullptr || !connection->awaits_answer) return true;
    LoginState& login = connection->login;
    if (IsLate(login.asked_ns, now_ns) && !std::exchange(login.is_overdue, true))
      tell(Overdue::What::kLogin, *connection, login.asked_ns);
    for (const auto& [sender, what] : {std::pair(kPingOfInitiator, Overdue::What::kPingOfInitiator),
                                       std::pair(kPingOfTarget, Overdue::What::kPingOfTarget)}) {
      const auto& pings = connection->pings.waiting(sender);
      if (pings.empty() || !IsLate(pings.front().sent_ns, now_ns)) continue;
      if (connection->pings.TakeOverdue(sender)) tell(what, *connection, pings.front().sent_ns);
    }
    return false;
  });
}

}  // namespace lunscope
