// SPDX-License-Identifier: Apache-2.0
// A host with a diagnosis of it:
//
//   Clinic clinic;
//   clinic.host.Opens(1).LogsIn().SendsBeyond(1);
//   clinic.Looks(1);
//   EXPECT_THAT(clinic.Found(), ElementsAre("critical commands-beyond-window"));
#pragma once

#include <fmt/format.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "collector/diagnosis/diagnosis.h"
#include "collector/diagnosis/report.h"
#include "tests/model/host.h"

namespace lunscope {

class Clinic {
 public:
  Clinic() {
    host.HandOnApplied([this](const lunscope_record& record, const Applied& applied) {
      diagnosis.Take(record, applied);
    });
  }
  Clinic(const Clinic&) = delete;
  Clinic& operator=(const Clinic&) = delete;

  // So many looks, one each second. each: what happens before a look.
  void Looks(
      int looks, const std::function<void()>& each = [] {}) {
    for (int look = 0; look < looks; look++) {
      each();
      host.now_ns += kSecondNs;
      host.EachOverdue([this](const Overdue& overdue) {
        lunscope_record record{};
        record.role = overdue.connection->role;
        record.time_ns = overdue.since_ns + kOverdueNs;
        diagnosis.Take(record, {.connection = overdue.connection, .overdue = &overdue});
      });
      host.Walks();
      diagnosis.Look(host.model(), host.now_ns);
    }
  }

  // "critical commands-beyond-window"; those that have ended, too.
  [[nodiscard]] std::vector<std::string> Found() const {
    std::vector<std::string> found;
    for (const Finding& finding : diagnosis.All())
      found.push_back(fmt::format("{} {}", SeverityName(finding.severity), finding.rule->id));
    return found;
  }

  // Its sentence, and behind it the evidence; "": it was not found.
  [[nodiscard]] std::string Words(std::string_view id) const {
    for (const Finding& finding : diagnosis.All()) {
      if (finding.rule->id != id) continue;
      std::string words = finding.sentence;
      for (const std::string& sentence : finding.evidence) words += " | " + sentence;
      return words;
    }
    return "";
  }

  Host host;
  Diagnosis diagnosis;
};

// A rule, what provokes it, and its false cousin: what looks alike and is something else.
struct Case {
  const char* id;
  const char* severity;
  const char* words;  // of the finding: its sentence, and behind bars the evidence
  std::function<void(Clinic&)> provoke;
  const char* cousin_name;
  std::function<void(Clinic&)> cousin;
};

// Each case is found, in these words, and its cousin is not.
void Check(std::span<const Case> cases);

// So many commands, one behind the other, each of this duration.
void Run(Conversation& on, Host& host, int count, const Command& command);

}  // namespace lunscope
