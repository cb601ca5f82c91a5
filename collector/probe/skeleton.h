// SPDX-License-Identifier: Apache-2.0
//
// The objects that bpftool made of bpf/: lunscope_bpf (iSCSI) and scsi_bpf (the SCSI layers).
#pragma once

#include <memory>

#include "collector/base/result.h"
#include "collector/probe/probe.h"
#include "lunscope.skel.h"
#include "scsi.skel.h"

namespace lunscope {

template <typename Object>
struct SkeletonDeleter {
  void operator()(Object* skeleton) const { Object::destroy(skeleton); }
};
template <typename Object>
using SkeletonOf = std::unique_ptr<Object, SkeletonDeleter<Object>>;
using Skeleton = SkeletonOf<lunscope_bpf>;
using ScsiSkeleton = SkeletonOf<scsi_bpf>;

// Load the maps of lunscope_bpf and those programs that every kernel needs. Which walk and which
// reader of packets (bpf/skb_walk.bpf.h) the kernel allows is found out by trying.
Result<Skeleton> LoadSkeleton(const ProbeOptions& options);

// Write the addresses that bpf/skb_walk.bpf.h needs into the programs' memory. Returns false if the
// kernel does not reveal them. REQUIRES: the skeleton is open.
bool SetPageMap(lunscope_bpf* skeleton);

}  // namespace lunscope
