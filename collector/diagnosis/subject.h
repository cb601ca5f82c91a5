// SPDX-License-Identifier: Apache-2.0
//
// The subject of a finding: where lunscope saw it, and at whom. Values. All texts are printable,
// because they come from the model.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lunscope {

enum class SubjectKind : uint8_t { kTarget, kSession, kConnection, kLun, kInitiator, kPortal };

// "lun", as JSON has it.
std::string_view SubjectKindName(SubjectKind kind);

// A member that the kind does not have is empty.
struct Subject {
  uint8_t role = 0;       // of this host
  std::string target;     // its name
  std::string initiator;  // its name; "": not known
  std::string address;    // of the initiator's host, of the portal, or "local - remote"
  std::optional<uint64_t> lun = std::nullopt;
  auto operator<=>(const Subject&) const = default;
};

// "iqn.disk LUN 1"
std::string LunText(const Subject& subject);
// "iqn.host at 192.0.2.1"
std::string InitiatorText(const Subject& subject);

// The host of "192.0.2.1:3260" or "[2001:db8::1]:3260", as it is written there.
std::string HostOf(std::string_view address);

}  // namespace lunscope
