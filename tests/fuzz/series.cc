// SPDX-License-Identifier: Apache-2.0
// Targets and initiators that come, count and go, in any order, under a small budget of label sets:
// sums stay right, the budget holds, and an origin finds what it counted for last.
//
// Input: a byte for the budget, and three bytes for each step: what, which origin, which name.
#include "collector/model/series.h"

#include <array>
#include <string>

#include "tests/fuzz/target.h"

namespace lunscope {
namespace {

constexpr size_t kOrigins = 8;
constexpr size_t kNames = 32;
constexpr size_t kStepBytes = 3;
constexpr uint64_t kMinuteNs = 60'000'000'000;
enum Step : uint8_t { kAssign, kRelease, kProve, kCount, kWalk, kHold, kEndHold, kRename, kSteps };

std::string NameOf(uint8_t number) {
  constexpr std::array kStandIns = {kUnknownName, kDiscoveryName, kOverflowName};
  if (number % kNames < kStandIns.size()) return kStandIns[number % kNames];
  return "iqn." + std::to_string(number % kNames);
}

class Scene {
 public:
  explicit Scene(size_t budget) : budget_(budget), series_(budget) {}

  void Take(uint8_t step, uint8_t who, uint8_t name) {
    Origin& origin = origins_[who % kOrigins];
    switch (step % kSteps) {
      case kAssign: series_.Assign(origin, {LUNSCOPE_ROLE_TARGET, NameOf(name)}); break;
      case kRelease:
        series_.Release(origin);
        origin = {};
        break;
      case kProve:
        if (origin.target != nullptr) Series::Prove(origin);
        break;
      case kCount: Count(origin, initiators_[who % kOrigins], name); break;
      case kWalk: series_.BeginWalk(now_ns_ += name * kMinuteNs); break;
      case kRename:
        series_.Rename(origin);
        initiators_[who % kOrigins] = NameFromWire(NameOf(name));
        break;
      case kHold:
        series_.Hold();
        is_held_ = true;
        break;
      default: series_.EndHold(); is_held_ = false;
    }
    CheckAll();
  }

 private:
  void Count(Origin& origin, const std::string& initiator, uint8_t number) {
    if (origin.target == nullptr) return;
    origin.target->second.logouts[0]++;
    LunStatistics& lun = series_.LunOf(origin, uint64_t{number} << 48);
    Check(&lun == &series_.LunOf(origin, uint64_t{number} << 48), "a LUN is found again");
    lun.read_bytes++;
    series_.OperationOf(origin, lun, number % SCSI_OPERATIONS).duration_ns.Add(number);
    series_.InitiatorOf(origin, initiator).commands++;
    counted_++;
  }

  void CheckInitiators() {
    uint64_t commands = 0;
    size_t own = 0;
    for (const auto& [key, initiator] : series_.initiators()) {
      commands += initiator.commands;
      own += key.initiator == kOverflowName ? 0 : 1;
    }
    Check(commands == counted_, "no initiator's commands are lost");
    if (!is_held_ && !initiators_were_held_) Check(own <= budget_, "the initiators' budget holds");
    initiators_were_held_ = is_held_ || (initiators_were_held_ && own > budget_);
  }

  void CheckAll() {
    CheckInitiators();
    uint64_t logouts = 0;
    uint64_t read_bytes = 0;
    uint64_t operations = 0;
    size_t label_sets = 0;
    for (const auto& [key, target] : series_.targets()) {
      const bool is_overflow = key.name == kOverflowName;
      for (const auto& [reason, count] : target.logouts) logouts += count;
      label_sets += is_overflow ? 0 : 1;
      for (const auto& [number, lun] : target.luns) {
        read_bytes += lun.read_bytes;
        label_sets += number == kOverflowLun ? 0 : 1;
        for (const auto& operation : lun.operations) {
          if (!operation) continue;
          operations += operation->duration_ns.count();
          label_sets += number == kOverflowLun ? 0 : 1;
        }
      }
    }
    Check(logouts == counted_ && read_bytes == counted_ && operations == counted_,
          "nothing that was counted is lost");
    // A scrape that copies the table lets some more in, and they go when it ends if they are idle.
    if (!is_held_ && !was_held_) Check(label_sets <= budget_, "the budget holds");
    was_held_ = is_held_ || (was_held_ && label_sets > budget_);
    for (const Origin& origin : origins_) {
      if (origin.target == nullptr) continue;
      const auto found = series_.targets().find(origin.target->first);
      Check(found != series_.targets().end() && &*found == origin.target,
            "a target with an origin stays");
    }
  }

  const size_t budget_;
  Series series_;
  std::array<Origin, kOrigins> origins_;
  std::array<std::string, kOrigins> initiators_;
  uint64_t counted_ = 0;
  uint64_t now_ns_ = 0;
  bool is_held_ = false;
  bool was_held_ = false;
  bool initiators_were_held_ = false;
};

void Run(std::span<const uint8_t> bytes) {
  Input input(bytes);
  Scene scene(input.Byte() % 16);
  constexpr size_t kMaxSteps = 300;
  for (size_t i = 0; i < kMaxSteps && input.size() >= kStepBytes; i++) {
    const uint8_t step = input.Byte();
    const uint8_t who = input.Byte();
    scene.Take(step, who, input.Byte());
  }
}

std::vector<Bytes> Seeds() {
  Bytes come_and_go = {6};
  for (uint8_t name = 3; name < 12; name++) {
    for (const uint8_t step : {kAssign, kCount, kProve, kRelease})
      come_and_go.insert(come_and_go.end(), {step, name, name});
  }
  Bytes held = {4};
  for (uint8_t name = 3; name < 9; name++)
    held.insert(held.end(),
                {kAssign, name,     name, kCount, name,     1, kHold, 0,     0, kAssign, name,
                 20,      kRelease, name, 0,      kEndHold, 0, 0,     kWalk, 0, 11});
  Bytes renamed = {2};
  for (uint8_t name = 3; name < 12; name++)
    renamed.insert(renamed.end(),
                   {kAssign, name,  name, kCount, name,    1, kRename, name,   name, kCount, name,
                    1,       kHold, 0,    name,   kRename, 0, name,    kCount, 0,    1});
  return {
      come_and_go, held, renamed, {3, kAssign, 0, 3, kAssign, 0, 4, kAssign, 0, 5, kCount, 0, 9}};
}

}  // namespace

const FuzzTarget kSeriesTarget = {"series", Run, Seeds};

}  // namespace lunscope
