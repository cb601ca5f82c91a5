// SPDX-License-Identifier: Apache-2.0
//
// The part of a record source that is the same for iSCSI and for the SCSI layers. It has a
// skeleton, the rings that the programs fill, and the groups that programs are attached in.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "collector/base/result.h"
#include "collector/probe/record_source.h"
#include "collector/probe/rings.h"
#include "collector/probe/skeleton.h"

namespace lunscope {

// Programs that are attached and detached together.
class ProgramGroup {
 public:
  virtual ~ProgramGroup() = default;
  // Attach or detach if something in the kernel has changed. Called often, so it must be cheap.
  virtual void Update() {}
  [[nodiscard]] virtual std::vector<ProgramState> States() const = 0;
};

// Interface: Probe or ScsiProbe. Object: the type of the skeleton.
template <typename Interface, typename Object>
class RingSource : public Interface {
 public:
  int wakeup_fd() const override { return rings_.wakeup_fd(); }

  size_t Drain(const RecordSource::Handler& handler) override {
    for (const auto& group : groups_) group->Update();
    return rings_.Drain(handler);
  }

  std::vector<ProgramState> Programs() const override {
    std::vector<ProgramState> states;
    for (const auto& group : groups_) {
      for (ProgramState& state : group->States()) states.push_back(std::move(state));
    }
    return states;
  }

  uint64_t malformed_records() const override { return rings_.malformed_records(); }

 protected:
  // REQUIRES: the skeleton is loaded.
  explicit RingSource(SkeletonOf<Object> skeleton) : skeleton_(std::move(skeleton)) {}

  Status MakeRings(uint32_t ring_bytes) { return rings_.Make(skeleton_->maps.rings, ring_bytes); }
  void Add(std::unique_ptr<ProgramGroup> group) { groups_.push_back(std::move(group)); }
  void HandRecord(const void* data, size_t bytes, const RecordSource::Handler& handler) {
    rings_.Hand(data, bytes, handler);
  }
  Object& skeleton() const { return *skeleton_; }

 private:
  SkeletonOf<Object> skeleton_;  // outlives the groups, which use it
  Rings rings_;
  std::vector<std::unique_ptr<ProgramGroup>> groups_;
};

}  // namespace lunscope
