// SPDX-License-Identifier: Apache-2.0
//
// Facts that were found out a short while ago: the 10,000 connections of one process are one
// question. A fact is forgotten after kFresh, because numbers of processes and SCSI hosts are used
// again; when the cache is full, all facts are. One thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>

#include "collector/run/host_fact.h"

namespace lunscope {

class FactCache {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kFresh{10};

  explicit FactCache(size_t max_facts) : max_facts_(max_facts) {}

  // nullopt: not known, or no longer.
  [[nodiscard]] std::optional<HostFact> Find(const Question& question, Time now) const {
    const auto known = facts_.find(question);
    if (known == facts_.end() || now - known->second.since >= kFresh) return std::nullopt;
    return known->second.fact;
  }
  void Put(const Question& question, const HostFact& fact, Time now) {
    if (facts_.size() >= max_facts_ && !facts_.contains(question)) facts_.clear();
    facts_[question] = {fact, now};
  }

 private:
  struct Known {
    HostFact fact;
    Time since;
  };
  const size_t max_facts_;
  std::map<Question, Known> facts_;
};

}  // namespace lunscope
