// SPDX-License-Identifier: Apache-2.0
//
// A rule: a row of the one table of what can be found. A row has the finding's id, how bad it is,
// what it is about, the numbers from which on it holds, each with its reason, and what to do. Its
// function looks at a window and returns each subject for which it holds, in a sentence with
// figures. docs/RUNBOOKS.md has a paragraph under the id of each row.
//
// Pure: no clock, no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collector/diagnosis/subject.h"

namespace lunscope {

struct Window;

enum class FindingSeverity : uint8_t { kInfo, kWarning, kCritical };

// A number of a rule. reason: why it is this one and no other.
struct Threshold {
  std::string_view name;  // "": none
  double value = 0;
  std::string_view reason;
};

// A subject for which a rule holds.
struct Hit {
  Subject subject;
  std::string sentence;
  std::vector<std::string> evidence = {};                  // sentences: counts, an example
  uint64_t since_ns = 0;                                   // 0: not known before now
  std::optional<FindingSeverity> severity = std::nullopt;  // none: that of the rule
  std::string_view advice = {};                            // "": that of the rule
};
using Hits = std::vector<Hit>;

inline constexpr uint64_t kSecondNs = 1'000'000'000;
inline constexpr uint64_t kMinuteNs = 60 * kSecondNs;

struct Rule {
  static constexpr size_t kMaxThresholds = 4;

  std::string_view id;  // also the anchor in docs/RUNBOOKS.md
  FindingSeverity severity;
  SubjectKind kind;
  std::array<Threshold, kMaxThresholds> thresholds;
  uint64_t holds_ns;  // it is a finding once it has held for so long
  uint64_t lasts_ns;  // and until it has not held for so long
  std::string_view advice;
  Hits (*find)(const Rule& rule, const Window& window);

  // REQUIRES: the rule has a threshold of this name.
  [[nodiscard]] double Limit(std::string_view name) const;
};

// A group of rows for each file rules_*.cc.
std::span<const Rule> LoginRules();
std::span<const Rule> SessionRules();
std::span<const Rule> FlowRules();
std::span<const Rule> TimeRules();
std::span<const Rule> WriteRules();
std::span<const Rule> LunRules();
std::span<const Rule> SharingRules();

// The table: all rows, in the order of the groups.
const std::vector<const Rule*>& AllRules();
// The place of a rule of the table in it.
size_t RowOf(const Rule& rule);

}  // namespace lunscope
