// SPDX-License-Identifier: Apache-2.0
#include "collector/host/qemu_guest.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "collector/base/files.h"
#include "collector/base/printable.h"

namespace lunscope {
namespace {

std::vector<std::string> Arguments(const std::string& command_line) {
  std::vector<std::string> arguments;
  for (size_t at = 0; at < command_line.size();) {
    const size_t end = std::min(command_line.find('\0', at), command_line.size());
    arguments.push_back(command_line.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

// The comma-separated parts of an option's value. Two commas in a row are one comma within a part
// (QemuOpts).
std::vector<std::string> Parts(std::string_view value) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < value.size(); i++) {
    const bool is_comma = value[i] == ',';
    if (is_comma && !value.substr(i).starts_with(",,")) {
      parts.emplace_back();
      continue;
    }
    parts.back().push_back(value[i]);
    if (is_comma) i++;
  }
  return parts;
}

std::string GuestIn(std::string_view value) {
  const std::vector<std::string> parts = Parts(value);
  std::string guest = parts[0].find('=') == std::string::npos ? parts[0] : "";
  for (const std::string& part : parts) {
    if (part.starts_with("guest=")) guest = After(part, "guest=");
  }
  return guest;
}

bool IsQemu(const std::string& program) {
  const std::string name = program.substr(program.rfind('/') + 1);
  return name.starts_with("qemu-system-") || name == "qemu-kvm" || name == "kvm";
}

}  // namespace

std::string QemuGuestName(const std::string& command_line) {
  const std::vector<std::string> arguments = Arguments(command_line);
  std::string guest;
  if (arguments.empty() || !IsQemu(arguments[0])) return guest;
  for (size_t i = 1; i + 1 < arguments.size(); i++) {
    if (arguments[i] == "-name" || arguments[i] == "--name") guest = GuestIn(arguments[++i]);
  }
  return Printable(guest);
}

}  // namespace lunscope
