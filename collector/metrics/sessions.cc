// SPDX-License-Identifier: Apache-2.0
//
// iSCSI sessions and connections.
#include <algorithm>
#include <array>
#include <string>
#include <tuple>

#include "collector/metrics/catalogue.h"

namespace lunscope {
namespace {

using enum prometheus::MetricType;
using enum Unit;
using enum Available;

// Sessions that differ only in what is no label: one series.
struct SessionsAlike {
  std::span<const SessionState* const> sessions;
};

auto SeriesIdentity(const SessionState& session) {
  return std::tie(session.role, session.target, session.name, session.portal);
}
auto InfoIdentity(const SessionState& session) {
  return std::tuple_cat(SeriesIdentity(session),
                        std::tie(session.initiator, session.header_digest, session.data_digest));
}

// The sessions in the order of their labels.
const SessionOrder& InOrder(const View& view) {
  const std::vector<SessionState>& all = view.observation.snapshot.sessions;
  SessionOrder& sessions = view.session_order;
  if (sessions.size() == all.size()) return sessions;
  sessions.reserve(all.size());
  for (const SessionState& session : all) sessions.push_back(&session);
  std::ranges::sort(sessions, {},
                    [](const SessionState* session) { return InfoIdentity(*session); });
  return sessions;
}

// Visits the sessions in that order, those of one identity at once.
template <typename Identity>
void WalkSessions(const View& view, const Identity& identity,
                  const std::function<void(const SessionsAlike&)>& visit) {
  const SessionOrder& sessions = InOrder(view);
  for (auto first = sessions.begin(); first != sessions.end();) {
    const auto end = std::find_if(first, sessions.end(), [&](const SessionState* session) {
      return identity(*session) != identity(**first);
    });
    visit({{first, end}});
    first = end;
  }
}

Labels SessionLabels(const SessionState& session) {
  Labels labels = RoleLabels(session.role);
  labels.push_back({kTargetLabel.name, session.target});
  labels.push_back({kSessionLabel.name, session.name});
  labels.push_back({kPortalLabel.name, session.portal});
  return labels;
}

struct EachSession {
  using Item = SessionsAlike;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kSessionLabel, &kPortalLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkSessions(view, SeriesIdentity, [&](const SessionsAlike& alike) {
      visit(SessionLabels(*alike.sessions.front()), alike);
    });
  }
};

struct EachSessionInfo {
  using Item = SessionsAlike;
  static constexpr std::array kLabels = {&kRoleLabel,      &kTargetLabel,    &kSessionLabel,
                                         &kPortalLabel,    &kInitiatorLabel, &kHeaderDigestLabel,
                                         &kDataDigestLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    WalkSessions(view, InfoIdentity, [&](const SessionsAlike& alike) {
      const SessionState& session = *alike.sessions.front();
      Labels labels = SessionLabels(session);
      labels.push_back({kInitiatorLabel.name, session.initiator});
      labels.push_back({kHeaderDigestLabel.name, DigestLabelValue(session.header_digest)});
      labels.push_back({kDataDigestLabel.name, DigestLabelValue(session.data_digest)});
      visit(labels, alike);
    });
  }
};

// Connections that the same process reads.
struct EachReader {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel,  &kTargetLabel, &kCommLabel,
                                         &kGuestLabel, &kCgroupLabel, &kNetworkNamespaceLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const auto& [key, count] : view.observation.snapshot.connections) {
      const auto& [target, process] = key;
      Labels labels = RoleLabels(target.role);
      labels.push_back({kTargetLabel.name, target.name});
      labels.push_back({kCommLabel.name, process.comm});
      labels.push_back({kGuestLabel.name, process.guest});
      labels.push_back({kCgroupLabel.name, process.cgroup});
      labels.push_back({kNetworkNamespaceLabel.name, process.network_namespace});
      visit(labels, count);
    }
  }
};

// Initiators that a guest of this host runs.
struct EachGuest {
  using Item = std::string;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kInitiatorLabel,
                                         &kInitiatorGuestLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const auto& [key, guest] : view.observation.snapshot.guests) {
      Labels labels = InitiatorLabels(key);
      labels.push_back({kInitiatorGuestLabel.name, guest});
      visit(labels, guest);
    }
  }
};

// Connections whose names come from this host.
struct EachNameSource {
  using Item = uint64_t;
  static constexpr std::array kLabels = {&kRoleLabel, &kTargetLabel, &kNameSourceLabel};
  static void Walk(const View& view, const ItemVisitor<Item>& visit) {
    for (const auto& [key, count] : view.observation.snapshot.inferred_connections) {
      const auto& [target, source] = key;
      Labels labels = RoleLabels(target.role);
      labels.push_back({kTargetLabel.name, target.name});
      labels.push_back({kNameSourceLabel.name, source});
      visit(labels, count);
    }
  }
};

bool IsUp(const SessionsAlike& alike) {
  return std::ranges::any_of(alike.sessions,
                             [](const SessionState* session) { return session->is_up; });
}

constexpr Metric kSessionMetrics[] = {
    {"session_up", Gauge, kFlag, kIscsi,
     "1 while a session has a connection in full feature phase; 0 after it lost its last one "
     "without a logout.",
     Of<EachSession, &IsUp>()},
    {"session_info", Gauge, kInfo, kIscsi,
     "Names and digests of a session, from its login; always 1.", InfoOf<EachSessionInfo>()},
    {"connections", Gauge, kCount, kIscsi,
     "Open connections, by the process that reads them: command name, QEMU guest, control group "
     "and "
     "network namespace.",
     Of<EachReader>()},
    {"guest_info", Gauge, kInfo, kIscsi,
     "The guest of this host whose QEMU is this initiator, while a connection is open; always 1. A "
     "capture file has no guest.",
     InfoOf<EachGuest>()},
    {"inferred_connections", Gauge, kCount, kIscsi,
     "Connections that were open before lunscope started, with names from this host instead of a "
     "login.",
     Of<EachNameSource>()},
};

}  // namespace

std::span<const Metric> SessionMetrics() { return kSessionMetrics; }

}  // namespace lunscope
