// SPDX-License-Identifier: Apache-2.0
#include "collector/model/directory.h"

namespace lunscope {

void Directory::List(uint8_t role, const std::string& target) {
  if (ListedTarget* entry = Entry(role, target)) entry->addresses.clear();
}

void Directory::AddAddress(uint8_t role, const std::string& target, const std::string& address) {
  const auto entry = targets_.find({role, target});
  if (entry == targets_.end() || entry->second.addresses.size() >= kMaxAddresses) {
    left_out_++;
    return;
  }
  entry->second.addresses.push_back(address);
}

void Directory::Redirect(uint8_t role, const std::string& target, const std::string& address,
                         bool is_for_good) {
  ListedTarget* entry = Entry(role, target);
  if (entry == nullptr) return;
  entry->redirected_to = address;
  entry->is_moved_for_good = is_for_good;
}

void Directory::Use(uint8_t role, const std::string& portal, const PortalUse& use) {
  const auto known = portals_.find({role, portal});
  if (known == portals_.end()) {
    if (portals_.size() < kMaxPortals) portals_[{role, portal}] = use;
    return;
  }
  PortalUse& agreed = known->second;
  if (agreed.target != use.target) agreed.target.clear();
  if (agreed.initiator != use.initiator) agreed.initiator.clear();
}

const PortalUse* Directory::UseOf(uint8_t role, const std::string& portal) const {
  const auto known = portals_.find({role, portal});
  return known == portals_.end() ? nullptr : &known->second;
}

ListedTarget* Directory::Entry(uint8_t role, const std::string& target) {
  const auto known = targets_.find({role, target});
  if (known != targets_.end()) return &known->second;
  if (targets_.size() >= kMaxTargets) {
    left_out_++;
    return nullptr;
  }
  return &targets_[{role, target}];
}

}  // namespace lunscope
