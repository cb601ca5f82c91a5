// SPDX-License-Identifier: Apache-2.0
#include "collector/base/ahs.h"

#include <lunscope/iscsi.h>

#include <algorithm>

namespace lunscope {
namespace {

constexpr size_t kHeaderBytes = 3;  // length and type
constexpr uint8_t kCodeMask = 0x3f;
constexpr size_t kReservedBytes = 1;  // at the front of the content of either type
constexpr size_t kBidirectionalBytes = kReservedBytes + sizeof(uint32_t);

bool IsTooShort(const Ahs& ahs) {
  return (ahs.type == Ahs::kExtendedCdb && ahs.length < kReservedBytes) ||
         (ahs.type == Ahs::kBidirectionalLength && ahs.length < kBidirectionalBytes);
}

}  // namespace

std::span<const uint8_t> Ahs::ExtendedCdb() const { return content.subspan(kReservedBytes); }

uint32_t Ahs::BidirectionalLength() const { return lunscope_be32(&content[kReservedBytes]); }

const Ahs* AhsList::Find(uint8_t wanted) const {
  const auto found = std::ranges::find(all, wanted, &Ahs::type);
  return found == all.end() ? nullptr : &*found;
}

AhsList ReadAhs(const uint8_t* bhs, std::span<const uint8_t> known) {
  const size_t total = iscsi_ahs_bytes(bhs);
  known = known.first(std::min(known.size(), total));
  AhsList list;
  for (size_t at = 0; at + kHeaderBytes <= known.size();) {
    Ahs ahs = {lunscope_be16(&known[at]), static_cast<uint8_t>(known[at + 2] & kCodeMask), {}};
    const size_t end = at + kHeaderBytes + ahs.length;
    list.is_malformed = end > total || IsTooShort(ahs);
    if (list.is_malformed || end > known.size()) break;
    ahs.content = known.subspan(at + kHeaderBytes, ahs.length);
    list.all.push_back(ahs);
    at = (end + 3) / 4 * 4;
  }
  return list;
}

}  // namespace lunscope
