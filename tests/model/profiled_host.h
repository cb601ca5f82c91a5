// SPDX-License-Identifier: Apache-2.0
// A host whose LUNs have profiles, and commands by their times and blocks.
#pragma once

#include <string>
#include <vector>

#include "collector/model/profile.h"
#include "tests/model/host.h"

namespace lunscope {

inline constexpr uint64_t kProfileFromNs = 1'000'000'000'000;
inline constexpr uint64_t kOneUs = 1'000;

// A command on LUN 1 of one connection.
struct Request {
  uint64_t start_ns = 0;  // after kProfileFromNs, as the end
  uint64_t end_ns = 0;
  uint64_t lba = 0;
  uint32_t blocks = 0;
  bool is_read = true;
  uint32_t cmdsn = 0;
  uint64_t connection = 1;
};

inline Command CommandOf(const Request& request) {
  Command command =
      request.is_read ? Read16(request.lba, request.blocks) : Write16(request.lba, request.blocks);
  return command.OnLun(Lun(1))
      .Taking(request.end_ns - request.start_ns)
      .Tagged(request.cmdsn, request.cmdsn);
}

class ProfiledHost : public Host {
 public:
  explicit ProfiledHost(ModelOptions options = {.profiles = true}) : Host(options) {
    now_ns = kProfileFromNs;
    Opens(1).LogsIn();
  }

  ProfiledHost& Tell(const Request& request) {
    now_ns = kProfileFromNs + request.end_ns;
    On(request.connection).Completes(CommandOf(request));
    return *this;
  }
  // A whole walk at this time, and the LUN's profile as a scrape has it then.
  LunProfile ProfileAt(uint64_t ns, const std::string& target = kDisk, uint64_t lun = Lun(1)) {
    now_ns = kProfileFromNs + ns;
    Walks();
    const Snapshot snapshot = See();
    const auto& luns = snapshot.targets.at({kInitiator, target}).luns;
    return *luns.at(lun).profile;
  }
};

inline const OperationProfile& ReadsOf(const LunProfile& profile) {
  return *profile.operations[SCSI_OPERATION_READ];
}

template <typename Histogram>
std::vector<uint64_t> CountsOf(const Histogram& histogram) {
  const auto& counts = histogram.counts();
  return {counts.begin(), counts.end()};
}

}  // namespace lunscope
