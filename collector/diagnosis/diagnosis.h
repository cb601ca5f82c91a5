// SPDX-License-Identifier: Apache-2.0
//
// The diagnosis: trouble as findings in words. It takes in each record with what the model made of
// it, and about once a second it looks at the model and asks every rule. A finding begins
// when its rule has held for some time, and ends when the rule has not held for some time. Pure: no
// clock, no I/O. Not thread-safe: one thread at a time.
//
// A record of a command allocates nothing once its connection and LUN were met. All that is kept is
// bounded: see Tally, Strands and the limits here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collector/diagnosis/history.h"
#include "collector/diagnosis/rule.h"
#include "collector/diagnosis/strands.h"
#include "collector/diagnosis/tally.h"
#include "collector/model/applied.h"
#include "collector/model/model.h"

namespace lunscope {

struct Finding {
  const Rule* rule = nullptr;
  FindingSeverity severity = FindingSeverity::kInfo;
  Subject subject;
  std::string sentence;
  std::vector<std::string> evidence;
  std::string advice;
  uint64_t since_ns = 0;
  uint64_t until_ns = 0;  // 0: it holds
};

class Diagnosis {
 public:
  static constexpr size_t kMaxFindings = 256;  // that hold at one time
  static constexpr size_t kMaxOfRule = 64;     // of these, so that no rule takes all room
  static constexpr size_t kForCritical = 64;   // places that only critical ones get
  static constexpr size_t kMaxEnded = 256;     // that are remembered
  static constexpr size_t kMaxConnections = 4096;
  static constexpr uint64_t kTurnNs = 10 * kSecondNs;

  // Both about a record, with what the model made of it.
  void Take(const lunscope_record& record, const Applied& applied);
  // REQUIRES: the model's last walk was just now.
  void Look(const Model& model, uint64_t now_ns);
  // The same from values.
  void Look(std::vector<ConnectionLook> connections, uint64_t now_ns);

  // Those that began or ended with the last look.
  [[nodiscard]] const std::vector<Finding>& news() const { return news_; }
  // Those that hold, and those that have ended, the worst first.
  [[nodiscard]] std::vector<Finding> All() const;
  // By the rule's row: subjects that had no room. At most so many at one look.
  [[nodiscard]] const std::vector<uint64_t>& beyond() const { return beyond_; }
  // Connections, commands, events and findings that had no room here, in words; "" if all had.
  [[nodiscard]] std::string LeftOut() const;

 private:
  struct State {
    Finding finding;
    uint64_t first_ns = 0;  // when the rule began to hold
    uint64_t last_ns = 0;   // when it held last
    bool is_said = false;   // it has held for long enough to be a finding
  };
  using Key = std::pair<size_t, Subject>;  // the rule's place in the table

  void Take(size_t rule, Hit hit, uint64_t now_ns);
  [[nodiscard]] bool HasRoom(size_t rule, FindingSeverity severity) const;
  void Begin(uint64_t now_ns);
  static bool IsOver(const State& state, uint64_t now_ns);
  void End(uint64_t now_ns);

  Tally tally_;
  Strands strands_;
  History history_;
  std::map<Key, State> states_;
  std::deque<Finding> ended_;
  std::vector<Finding> news_;
  uint64_t begin_ns_ = 0;  // of the window
  uint64_t next_ns_ = 0;   // of the next window
  uint64_t last_turn_ns_ = 0;
  size_t unlooked_ = 0;  // connections, at most so many at one look
  std::vector<uint64_t> beyond_ = std::vector<uint64_t>(AllRules().size());
  std::vector<uint64_t> beyond_now_ = beyond_;                         // at this look
  std::vector<size_t> kept_ = std::vector<size_t>(AllRules().size());  // states, by row
};

}  // namespace lunscope
