// SPDX-License-Identifier: Apache-2.0
#include "collector/model/initiators.h"

namespace lunscope {
namespace {

bool IsOverflow(const InitiatorKey& key) { return key.initiator == kOverflowName; }

}  // namespace

Initiator& Initiators::Join(const TargetKey& target, const std::string& name) {
  const InitiatorKey key = {target.role, target.name, name.empty() ? kUnknownName : name};
  auto entry = all_.find(key);
  if (entry == all_.end() && HasRoom()) {
    entry = all_.try_emplace(key).first;
    own_++;
  }
  Initiator& initiator = entry == all_.end() ? Overflow(target.role) : *entry;
  if (initiator.second.origins++ == 0) idle_.erase(&initiator);
  return initiator;
}

void Initiators::Leave(Initiator& initiator) {
  if (--initiator.second.origins != 0 || IsOverflow(initiator.first)) return;
  initiator.second.idle_turn = ++idle_turns_;
  idle_.insert(&initiator);
}

void Initiators::EndHold() {
  is_held_ = false;
  while (own_ > max_ && !idle_.empty()) GiveUpOne();
}

bool Initiators::HasRoom() {
  // New initiators that come in while a scrape copies the table.
  constexpr size_t kMoreWhileHeld = 1000;
  while (own_ >= max_ && !is_held_ && !idle_.empty()) GiveUpOne();
  if (own_ < (is_held_ && max_ != 0 ? max_ + kMoreWhileHeld : max_)) return true;
  dropped_++;
  return false;
}

Initiator& Initiators::Overflow(uint8_t role) {
  return *all_.try_emplace(InitiatorKey{role, kOverflowName, kOverflowName}).first;
}

void Initiators::GiveUpOne() {
  Initiator& initiator = **idle_.begin();
  idle_.erase(idle_.begin());
  const auto& [commands, duration_ns, read_bytes, written_bytes] =
      static_cast<const InitiatorCounters&>(initiator.second);
  InitiatorCounters& overflow = Overflow(initiator.first.role).second;
  overflow.commands += commands;
  overflow.duration_ns += duration_ns;
  overflow.read_bytes += read_bytes;
  overflow.written_bytes += written_bytes;
  all_.erase(all_.find(initiator.first));
  own_--;
  dropped_++;
}

}  // namespace lunscope
