// SPDX-License-Identifier: Apache-2.0
//
// The looks before, as far as rules need them: how much a connection's counts have grown in the
// window, and for how long something has been so. A window begins 10 to 20 s ago, so two readings
// of each connection are enough. Not thread-safe: one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "collector/diagnosis/look.h"

namespace lunscope {

class History {
 public:
  // Add to the connections of a look what came before it, and remember the look.
  void Take(std::vector<ConnectionLook>& looks, uint64_t now_ns);
  // The next window begins at the look before the last turn.
  void Turn();

 private:
  struct Past {
    ConnectionCounters base;  // where the window begins
    ConnectionCounters next;  // where the next one will begin
    ConnectionCounters last;  // of the last look
    ConnectionSince since;
    bool is_found = false;  // by this look
  };

  std::map<uint64_t, Past> pasts_;  // by connection
};

}  // namespace lunscope
