// SPDX-License-Identifier: Apache-2.0
#include "collector/host/lio.h"

#include <fmt/format.h>
#include <lunscope/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>

#include "collector/base/files.h"
#include "collector/host/kernel_lun.h"

namespace lunscope {
namespace {

using DeviceTypes = std::map<uint64_t, int>;

constexpr int kDiskType = 0x00;

// The LUN of a folder like "lun_300".
std::optional<uint64_t> LunOfFolder(const std::string& name) {
  const std::string number = After(name, "lun_");
  return number.empty() ? std::nullopt : std::optional(LunOfKernel(number));
}

// The paths that the links in this folder lead to.
std::vector<std::string> LinksIn(const std::string& folder) {
  std::vector<std::string> links;
  for (const std::string& name : ListFolder(folder)) {
    std::error_code error;
    const std::filesystem::path link =
        std::filesystem::read_symlink(std::filesystem::path(folder) / name, error);
    if (!error) links.push_back(link.string());
  }
  return links;
}

// The text between two others, as far back as the second goes; "" without these.
std::string Between(std::string_view text, std::string_view before, std::string_view behind) {
  const size_t begin = text.find(before);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + before.size());
  const size_t end = text.rfind(behind);
  return end == std::string_view::npos ? std::string() : std::string(text.substr(0, end));
}

// The device or file behind a backstore, core/<plugin>_<n>/<name>/, as its administrator gave it;
// "" if it has none, as memory has none. There are two ways to give it. One shows only in its file
// info:
// "TCM FILEIO ID: 0        File: /srv/disk.img  Size: 1048576  Mode: ...", or
// "iBlock device: sdb  UDEV PATH: /dev/sdb  readonly: 0".
std::string ReadBackingPath(const std::string& backstore) {
  std::string path = ReadLine(backstore + "/udev_path");
  if (!path.empty()) return path;
  const std::string info = ReadWhole(backstore + "/info");
  const std::string file = Between(info, "        File: ", "  Size: ");
  return file.empty() ? Between(info, "  UDEV PATH: ", "  readonly: ") : file;
}

// Facts about the LUNs of a portal group, or about those of one of its entries.
struct LunFacts {
  DeviceTypes types;
  LocalLuns luns;
};

// The LUNs of a portal group. A device that LIO emulates is a disk. A device that LIO passes
// through (pscsi) may be of any type, which configfs does not say. root: the folder of LIO.
LunFacts FactsOfGroup(const std::string& root, const std::string& folder) {
  LunFacts facts;
  for (const std::string& name : ListFolder(folder)) {
    const std::optional<uint64_t> lun = LunOfFolder(name);
    if (!lun) continue;
    for (const std::string& link : LinksIn(fmt::format("{}/{}", folder, name))) {
      const size_t core = link.find("/core/");
      if (core == std::string::npos) continue;
      for (const char* emulated : {"/core/fileio_", "/core/iblock_", "/core/rd_mcp_"})
        if (link.find(emulated) != std::string::npos) facts.types[*lun] = kDiskType;
      LocalLun local;
      local.device = ReadBackingPath(root + link.substr(core));
      if (!local.device.empty()) facts.luns[*lun] = local;
    }
  }
  return facts;
}

// The LUNs of one access control list entry, which gives the group's LUNs numbers of its own.
LunFacts FactsOfEntry(const std::string& folder, const LunFacts& of_group) {
  LunFacts facts;
  for (const std::string& name : ListFolder(folder)) {
    const std::optional<uint64_t> lun = LunOfFolder(name);
    if (!lun) continue;
    for (const std::string& link : LinksIn(fmt::format("{}/{}", folder, name))) {
      const std::optional<uint64_t> mapped = LunOfFolder(link.substr(link.rfind('/') + 1));
      if (!mapped) continue;
      if (of_group.types.contains(*mapped)) facts.types[*lun] = of_group.types.at(*mapped);
      if (of_group.luns.contains(*mapped)) facts.luns[*lun] = of_group.luns.at(*mapped);
    }
  }
  return facts;
}

// Add the sessions of one access control list entry. Its file info has a line
// "   Address 192.0.2.7 TCP ..." for each connection. The line does not have the port.
void AddFromInfo(std::vector<HostSession>& sessions, HostSession session, const std::string& info) {
  for (const std::string& line : Lines(info)) {
    if (const std::string name = After(line, "InitiatorName: "); !name.empty())
      session.initiator = name;
    const std::string rest = After(line, "   Address ");
    if (rest.empty()) continue;
    session.initiator_address = ParseAddress(rest.substr(0, rest.find(' ')));
    sessions.push_back(session);
  }
}

void AddPortalGroup(std::vector<HostSession>& sessions, const std::string& root,
                    const std::string& target, const std::string& folder) {
  HostSession session;
  session.role = LUNSCOPE_ROLE_TARGET;
  session.target = target;
  session.source = "configfs";
  for (const std::string& portal : ListFolder(folder + "/np"))
    session.portals.push_back(ParseAddress(portal));
  const auto know = [&session](const LunFacts& facts) {
    session.device_types = facts.types;
    session.luns = facts.luns;
  };
  const LunFacts of_group = FactsOfGroup(root, folder + "/lun");
  for (const std::string& name : ListFolder(folder + "/acls")) {
    const std::string entry = fmt::format("{}/acls/{}", folder, name);
    know(FactsOfEntry(entry, of_group));
    AddFromInfo(sessions, session, ReadWhole(entry + "/info"));
  }
  // Initiators without an entry. configfs has only their names.
  session.initiator_address = {};
  know(of_group);
  for (const std::string& name : Lines(ReadWhole(folder + "/dynamic_sessions"))) {
    session.initiator = name.substr(0, name.find('\0'));
    if (!session.initiator.empty()) sessions.push_back(session);
  }
}

// Calls visit(name of a target, folder of one of its portal groups).
template <typename Visit>
void ForEachPortalGroup(const std::string& folder, const Visit& visit) {
  const std::string fabric = folder + "/iscsi";
  for (const std::string& name : ListFolder(fabric)) {
    for (const std::string& group : ListFolder(fmt::format("{}/{}", fabric, name))) {
      if (group.starts_with("tpgt_")) visit(name, fmt::format("{}/{}/{}", fabric, name, group));
    }
  }
}

}  // namespace

std::vector<HostSession> ReadLioSessions(const std::string& folder) {
  std::vector<HostSession> sessions;
  ForEachPortalGroup(folder, [&](const std::string& name, const std::string& group) {
    AddPortalGroup(sessions, folder, name, group);
  });
  return sessions;
}

std::vector<Portal> ReadLioPortals(const std::string& folder) {
  std::vector<Portal> portals;
  ForEachPortalGroup(folder, [&](const std::string& /*name*/, const std::string& group) {
    for (const std::string& address : ListFolder(group + "/np")) {
      const bool is_iser = ReadLine(fmt::format("{}/np/{}/iser", group, address)) == "1";
      portals.push_back({address, ParseAddress(address).port, "configfs", is_iser});
    }
  });
  return portals;
}

}  // namespace lunscope
