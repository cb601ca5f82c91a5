// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/scsi_probe.h"

#include <bpf/bpf.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "collector/base/clock.h"
#include "collector/probe/kernel_error.h"
#include "collector/probe/ring_source.h"
#include "collector/probe/scsi_programs.h"
#include "collector/probe/totals.h"

namespace lunscope {
namespace {

constexpr uint64_t kGiveUpAfterNs = 60'000'000'000;
constexpr size_t kBatch = 1024;

class KernelScsiProbe : public RingSource<ScsiProbe, scsi_bpf> {
 public:
  explicit KernelScsiProbe(ScsiSkeleton maps) : RingSource(std::move(maps)) {}

  Status Start(const ScsiProbeOptions& options) {
    Status made = MakeRings(options.ring_bytes);
    if (!made.ok()) return made;
    if (options.midlayer) AddLayer(kMidlayer);
    if (options.target) AddLayer(kTargetCore);
    return Nothing{};
  }

  Status Walk(const CommandHandler& handler) override {
    const int fd = bpf_map__fd(skeleton().maps.scsi_commands);
    std::array<uint64_t, kBatch> addresses{};
    std::vector<lunscope_scsi_command> commands(kBatch);
    uint32_t place = 0;
    bool is_first = true;
    int error = 0;
    while (error == 0) {
      uint32_t count = kBatch;
      error = bpf_map_lookup_batch(fd, is_first ? nullptr : &place, &place, addresses.data(),
                                   commands.data(), &count, nullptr) == 0
                  ? 0
                  : errno;
      // ENOENT comes with the last batch.
      if (error != 0 && error != ENOENT)
        return KernelError("reading the commands in flight", error);
      is_first = false;
      for (size_t i = 0; i < count; i++) {
        if (!GiveUp(fd, addresses[i], commands[i])) handler(commands[i]);
      }
    }
    return Nothing{};
  }

  lunscope_scsi_totals Totals() const override {
    auto totals =
        SumOf<lunscope_scsi_totals>(ReadCopies<lunscope_scsi_totals>(skeleton().maps.scsi_totals));
    totals.commands_unreported[LUNSCOPE_ROLE_INITIATOR][LUNSCOPE_SCSI_UNREPORTED_TIMED_OUT] +=
        given_up_;
    return totals;
  }

  std::string Missing() const override {
    std::string missing;
    for (const ScsiPrograms* layer : layers_) {
      if (!layer->missing().empty()) missing += (missing.empty() ? "" : "; ") + layer->missing();
    }
    return missing;
  }

 private:
  void AddLayer(const ScsiLayer& layer) {
    auto programs = std::make_unique<ScsiPrograms>(layer, skeleton());
    programs->Update();
    layers_.push_back(programs.get());
    Add(std::move(programs));
  }

  // Returns whether the command is given up. If it has completed in the meantime, the programs have
  // removed it from the table and counted it.
  bool GiveUp(int fd, uint64_t address, const lunscope_scsi_command& command) {
    if (command.timed_out_ns == 0 || command.timed_out_ns + kGiveUpAfterNs > MonotonicNs())
      return false;
    if (bpf_map_delete_elem(fd, &address) == 0) given_up_++;
    return true;
  }

  std::vector<const ScsiPrograms*> layers_;  // among the groups
  uint64_t given_up_ = 0;
};

}  // namespace

Result<std::unique_ptr<ScsiProbe>> ScsiProbe::Attach(const ScsiProbeOptions& options) {
  SetUpLibbpf();
  ScsiSkeleton maps(scsi_bpf::open());
  if (!maps) return KernelError("opening the programs", errno);
  for (bpf_program* program : SelectPrograms(maps->obj, IsLoaded))
    bpf_program__set_autoload(program, false);
  SetRingKnobs(maps.get(), options.ring_bytes);
  if (const int error = scsi_bpf::load(maps.get()); error != 0)
    return KernelError("loading the maps of the SCSI layers", -error);
  auto probe = std::make_unique<KernelScsiProbe>(std::move(maps));
  Status started = probe->Start(options);
  if (!started.ok()) return started.error();
  return std::unique_ptr<ScsiProbe>(std::move(probe));
}

}  // namespace lunscope
