// SPDX-License-Identifier: Apache-2.0
//
// A diagnosis of what a watcher sees, and what was there to be looked at.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "collector/diagnosis/diagnosis.h"
#include "collector/diagnosis/report.h"
#include "collector/report/stand_ins.h"
#include "collector/run/redirect_notices.h"
#include "collector/run/settings.h"
#include "collector/run/watcher.h"

namespace lunscope {

class Examination {
 public:
  // From now on it listens to the watcher. Names that it meets get their stand-ins, if these are
  // on. REQUIRES: all of them outlive it.
  Examination(Watcher& watcher, const PortOptions& ports, StandIns& names);
  Examination(const Examination&) = delete;
  Examination& operator=(const Examination&) = delete;

  void Begin(uint64_t now_ns) { begin_ns_ = now_ns; }
  void Look(uint64_t now_ns);

  // With stand-ins, if these are on: the findings that began or ended with the last look, and all.
  [[nodiscard]] std::vector<Finding> News() const { return Covered(diagnosis_.news()); }
  [[nodiscard]] std::vector<Finding> All() const { return Covered(diagnosis_.All()); }
  [[nodiscard]] LookedAt Describe(std::string from, bool is_capture) const;

 private:
  void Take(const lunscope_record& record, const Applied& applied);
  void AddLosses(const CommandCounts& counts, std::vector<std::string>& unseen) const;
  [[nodiscard]] std::vector<Finding> Covered(const std::vector<Finding>& findings) const;

  Watcher& watcher_;
  StandIns& names_;
  Diagnosis diagnosis_;
  RedirectNotices redirects_;
  std::vector<std::string> elsewhere_;  // redirections to ports that are not watched
  uint64_t begin_ns_ = 0;
  uint64_t end_ns_ = 0;
  size_t connections_ = 0;
  uint8_t roles_seen_ = 0;
  std::set<uint64_t> old_;  // connections that were open before
};

}  // namespace lunscope
