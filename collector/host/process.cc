// SPDX-License-Identifier: Apache-2.0
#include "collector/host/process.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "collector/base/printable.h"
#include "collector/host/files.h"

namespace lunscope {
namespace {

// Control groups that are looked at until one is found.
constexpr size_t kMaxCgroups = 65536;

// 0: there is no such file. Followed to its end: what is below /proc/PID/ns is a link.
uint64_t InodeOf(const std::string& path, bool is_folder = false) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || (is_folder && !S_ISDIR(status.st_mode))) return 0;
  return status.st_ino;
}

std::vector<std::string> Arguments(const std::string& command_line) {
  std::vector<std::string> arguments;
  for (size_t at = 0; at < command_line.size();) {
    const size_t end = std::min(command_line.find('\0', at), command_line.size());
    arguments.push_back(command_line.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

// The parts of an option's value; two commas are one that does not part (QemuOpts).
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

std::string QemuGuestName(const std::string& proc, uint32_t pid) {
  const std::vector<std::string> arguments =
      Arguments(ReadWhole(fmt::format("{}/{}/cmdline", proc, pid)));
  std::string guest;
  if (arguments.empty() || !IsQemu(arguments[0])) return guest;
  for (size_t i = 1; i + 1 < arguments.size(); i++) {
    if (arguments[i] == "-name" || arguments[i] == "--name") guest = GuestIn(arguments[++i]);
  }
  return Printable(guest);
}

std::string CgroupOfProcess(const std::string& proc, uint32_t pid) {
  for (const std::string& line : Lines(ReadWhole(fmt::format("{}/{}/cgroup", proc, pid)))) {
    if (line.starts_with("0::")) return Printable(After(line, "0::"));
  }
  return {};
}

std::string CgroupRoot(const std::string& sys) {
  const std::string root = sys + "/fs/cgroup";
  // Where both hierarchies are in use, the second is below the folder of the first.
  return InodeOf(root + "/cgroup.controllers") != 0 ? root : root + "/unified";
}

std::string CgroupOfId(const std::string& root, uint64_t id) {
  std::vector<std::string> paths = {""};
  for (size_t i = 0; id != 0 && i < paths.size() && paths.size() < kMaxCgroups; i++) {
    const std::string path = paths[i];
    if (InodeOf(root + path, true) == id) return path.empty() ? "/" : Printable(path);
    for (const std::string& name : ListFolder(root + path)) {
      const std::string below = fmt::format("{}/{}", path, name);
      if (InodeOf(root + below, true) != 0) paths.push_back(below);
    }
  }
  return {};
}

std::string NetworkNamespaceName(const std::string& netns, const std::string& proc,
                                 uint64_t inode) {
  if (inode == 0) return {};
  for (const std::string& name : ListFolder(netns)) {
    if (InodeOf(fmt::format("{}/{}", netns, name)) == inode) return Printable(name);
  }
  uint32_t first = 0;
  for (const std::string& name : ListFolder(proc)) {
    uint32_t pid = 0;
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid == 0 || (first != 0 && pid > first)) continue;
    if (InodeOf(fmt::format("{}/{}/ns/net", proc, name)) == inode) first = pid;
  }
  return first == 0 ? std::string() : fmt::format("pid {}", first);
}

}  // namespace lunscope
