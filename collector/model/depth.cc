// SPDX-License-Identifier: Apache-2.0
#include "collector/model/depth.h"

#include <algorithm>
#include <functional>

namespace lunscope {

bool DepthSweep::Begin(uint64_t start_ns, uint64_t end_ns, DepthHistogram& histogram) {
  if (!has_begun_) now_ns_ = start_ns;
  has_begun_ = true;
  AdvanceTo(start_ns, histogram);
  if (end_ns <= now_ns_) return true;
  if (ends_.size() == kMaxDepth) return false;
  ends_.push_back(end_ns);
  std::ranges::push_heap(ends_, std::greater());
  return true;
}

void DepthSweep::AdvanceTo(uint64_t now_ns, DepthHistogram& histogram) {
  if (!has_begun_ || now_ns <= now_ns_) return;
  while (!ends_.empty() && ends_.front() <= now_ns) {
    histogram.Spend(ends_.size(), ends_.front() - now_ns_);
    now_ns_ = ends_.front();
    std::ranges::pop_heap(ends_, std::greater());
    ends_.pop_back();
  }
  histogram.Spend(ends_.size(), now_ns - now_ns_);
  now_ns_ = now_ns;
}

void DepthSweep::Finish(DepthHistogram& histogram) {
  if (!ends_.empty()) AdvanceTo(*std::ranges::max_element(ends_), histogram);
  has_begun_ = false;
}

}  // namespace lunscope
