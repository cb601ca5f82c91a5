// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/scsi_probe.h"

#include <bpf/bpf.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "collector/base/clock.h"
#include "collector/probe/rings.h"
#include "collector/probe/scsi_programs.h"
#include "collector/probe/totals.h"

namespace lunscope {
namespace {

constexpr uint64_t kGiveUpAfterNs = 60'000'000'000;
constexpr size_t kBatch = 1024;

class KernelScsiProbe : public ScsiProbe {
 public:
  explicit KernelScsiProbe(ScsiSkeleton maps) : maps_(std::move(maps)) {}

  Status Start(const ScsiProbeOptions& options) {
    if (options.midlayer) layers_.push_back(std::make_unique<ScsiPrograms>(kMidlayer, *maps_));
    if (options.target) layers_.push_back(std::make_unique<ScsiPrograms>(kTargetCore, *maps_));
    Status made = rings_.Make(maps_->maps.rings, options.ring_bytes);
    if (!made.ok()) return made;
    for (const auto& layer : layers_) layer->Update();
    return Nothing{};
  }

  int wakeup_fd() const override { return rings_.wakeup_fd(); }

  size_t Drain(const Probe::Handler& handler) override {
    for (const auto& layer : layers_) layer->Update();
    return rings_.Drain(handler);
  }

  Status Walk(const TaskHandler& handler) override {
    const int fd = bpf_map__fd(maps_->maps.scsi_commands);
    std::array<uint64_t, kBatch> addresses{};
    std::vector<lunscope_scsi_command> tasks(kBatch);
    uint32_t place = 0;
    bool is_first = true;
    int error = 0;
    while (error == 0) {
      uint32_t count = kBatch;
      error = bpf_map_lookup_batch(fd, is_first ? nullptr : &place, &place, addresses.data(),
                                   tasks.data(), &count, nullptr) == 0
                  ? 0
                  : errno;
      if (error != 0 && error != ENOENT)
        return KernelError("reading the commands in flight", error);
      is_first = false;
      for (size_t i = 0; i < count; i++) {
        if (!GiveUp(fd, addresses[i], tasks[i])) handler(tasks[i]);
      }
    }
    return Nothing{};
  }

  lunscope_scsi_totals Totals() const override {
    auto totals =
        SumOf<lunscope_scsi_totals>(ReadCopies<lunscope_scsi_totals>(maps_->maps.scsi_totals));
    totals.commands_unreported[LUNSCOPE_ROLE_INITIATOR][LUNSCOPE_SCSI_UNREPORTED_TIMED_OUT] +=
        given_up_;
    return totals;
  }

  std::vector<ProgramState> Programs() const override {
    std::vector<ProgramState> states;
    for (const auto& layer : layers_) {
      for (ProgramState& state : layer->States()) states.push_back(std::move(state));
    }
    return states;
  }

  uint64_t malformed_records() const override { return rings_.malformed_records(); }

  std::string Missing() const override {
    std::string missing;
    for (const auto& layer : layers_) {
      if (!layer->missing().empty()) missing += (missing.empty() ? "" : "; ") + layer->missing();
    }
    return missing;
  }

 private:
  // One that is completed meanwhile is in the table no more, and counted there.
  bool GiveUp(int fd, uint64_t address, const lunscope_scsi_command& task) {
    if (task.timed_out_ns == 0 || task.timed_out_ns + kGiveUpAfterNs > MonotonicNs()) return false;
    if (bpf_map_delete_elem(fd, &address) == 0) given_up_++;
    return true;
  }

  ScsiSkeleton maps_;
  Rings rings_;
  std::vector<std::unique_ptr<ScsiPrograms>> layers_;
  uint64_t given_up_ = 0;
};

}  // namespace

Result<std::unique_ptr<ScsiProbe>> ScsiProbe::Attach(const ScsiProbeOptions& options) {
  SetUpLibbpf();
  ScsiSkeleton maps(scsi_bpf__open());
  if (!maps) return KernelError("opening the programs", errno);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, maps->obj) bpf_program__set_autoload(program, false);
  maps->rodata->ring_mask = RingCount(maps->maps.rings) - 1;
  maps->rodata->ring_high_water = options.ring_bytes / 4;
  if (const int error = scsi_bpf__load(maps.get()); error != 0)
    return KernelError("loading the maps of the SCSI layers", -error);
  auto probe = std::make_unique<KernelScsiProbe>(std::move(maps));
  Status started = probe->Start(options);
  if (!started.ok()) return started.error();
  return std::unique_ptr<ScsiProbe>(std::move(probe));
}

}  // namespace lunscope
