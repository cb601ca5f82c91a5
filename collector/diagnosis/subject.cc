// SPDX-License-Identifier: Apache-2.0
#include "collector/diagnosis/subject.h"

#include <fmt/format.h>

#include "collector/lines/shared_keys.h"
#include "collector/model/lun.h"

namespace lunscope {

std::string_view SubjectKindName(SubjectKind kind) {
  switch (kind) {
    case SubjectKind::kTarget: return "target";
    case SubjectKind::kSession: return "session";
    case SubjectKind::kConnection: return "connection";
    case SubjectKind::kLun: return "lun";
    case SubjectKind::kInitiator: return "initiator";
    case SubjectKind::kPortal: break;
  }
  return "portal";
}

std::string LunText(const Subject& subject) {
  if (!subject.lun) return subject.target;
  return fmt::format("{} LUN {}", subject.target, FormatLun(*subject.lun));
}

std::string InitiatorText(const Subject& subject) {
  return fmt::format("{} at {}", OrUnknown(subject.initiator), OrUnknown(subject.address));
}

std::string HostOf(std::string_view address) {
  return std::string(address.substr(0, address.rfind(':')));
}

}  // namespace lunscope
