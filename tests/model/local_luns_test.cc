// SPDX-License-Identifier: Apache-2.0
//
// The LUNs of this host: to which sessions they belong, and which of them a scrape has.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The kernel's initiator has this disk through the connection with this id (see Conversation).
HostSession SessionWith(uint64_t id, uint64_t lun, const LocalLun& local,
                        const std::string& target = kDisk) {
  HostSession session{kInitiator,
                      target,
                      kHost,
                      {{"192.0.2.2", ISCSI_DEFAULT_PORT}},
                      {"", static_cast<uint16_t>(40000 + id)},
                      "sysfs"};
  session.luns[lun] = local;
  return session;
}

LocalLun DiskNamed(const std::string& device) { return {.device = device}; }

// "lun device multipath mount,mount" of each that a scrape has.
std::vector<std::string> Scraped(const Host& host) {
  std::vector<std::string> lines;
  for (const auto& [target, luns] : host.See().local_luns) {
    for (const auto& [lun, local] : luns)
      lines.push_back(fmt::format("{} {} {} {} {}", target.name, FormatLun(lun), local.device,
                                  local.multipath, fmt::join(local.mounts, ",")));
  }
  return lines;
}

std::vector<std::string> DisksOf(const Host& host, uint64_t id, const std::string& target = kDisk) {
  std::vector<std::string> disks;
  for (const auto& [lun, local] :
       host.model().local_luns().Of(*host.model().FindConnection(id), target))
    disks.push_back(FormatLun(lun) + " " + local.device);
  return disks;
}

TEST(LocalLuns, AreThoseOfTheirSession) {
  Host host;
  host.Opens(1).LogsIn();
  host.Opens(2).LogsIn({.isid = 2});
  host.Opens(3, LUNSCOPE_ROLE_TARGET).LogsIn({.isid = 3});
  host.HasLuns({SessionWith(1, Lun(5), DiskNamed("sdb")), SessionWith(2, Lun(5), DiskNamed("sdc")),
                SessionWith(3, Lun(5), DiskNamed("sdd"))});
  EXPECT_THAT(DisksOf(host, 1), ElementsAre("5 sdb"));
  EXPECT_THAT(DisksOf(host, 2), ElementsAre("5 sdc"));
  EXPECT_THAT(DisksOf(host, 1, "iqn.tape"), IsEmpty());
  // The initiator's disk is not behind the target's LUN.
  EXPECT_THAT(DisksOf(host, 3), IsEmpty());
}

TEST(LocalLuns, AreNotGuessed) {
  Host host;
  host.Opens(1).LogsIn();
  HostSession one = SessionWith(1, Lun(5), DiskNamed("sdb"));
  HostSession other = SessionWith(1, Lun(5), DiskNamed("sdc"));
  one.initiator_address = other.initiator_address = {};  // as older kernels have it
  host.HasLuns({one, other});
  EXPECT_THAT(DisksOf(host, 1), IsEmpty());
  other.luns = one.luns;
  host.HasLuns({one, other});
  EXPECT_THAT(DisksOf(host, 1), ElementsAre("5 sdb"));
}

TEST(LocalLuns, AreScrapedIfTheLunHasSeries) {
  Host host;
  host.Opens(1).LogsIn().Completes(Read16(0, 8).OnLun(Lun(5)));
  host.HasLuns({SessionWith(1, Lun(5), DiskNamed("sdb")), SessionWith(2, Lun(5), DiskNamed("sdc")),
                SessionWith(3, Lun(5), DiskNamed("sdc")), SessionWith(1, Lun(6), DiskNamed("sdd")),
                SessionWith(1, Lun(5), DiskNamed("sde"), "iqn.tape")});
  EXPECT_THAT(Scraped(host), ElementsAre("iqn.disk 5 sdb  ", "iqn.disk 5 sdc  "));
  host.HasLuns({});
  EXPECT_THAT(Scraped(host), IsEmpty());
}

// Flat space addressing and the peripheral one have the same LUN 5.
TEST(LocalLuns, AreFoundByTheNumberOfTheLun) {
  Host host;
  host.Opens(1).LogsIn().Completes(Read16(0, 8).OnLun(0x4005000000000000));
  host.HasLuns({SessionWith(1, Lun(5), DiskNamed("sdb"))});
  EXPECT_THAT(Scraped(host), ElementsAre("iqn.disk 5 sdb  "));
}

TEST(LocalLuns, HavePrintableNames) {
  Host host;
  host.Opens(1).LogsIn({.target = "iqn.\x1b"}).Completes(Read16(0, 8));
  host.HasLuns(
      {SessionWith(1, 0, {.device = "s\x1b[2J", .multipath = "m\xff", .mounts = {"/a\nb", "/c\\"}},
                   "iqn.\x1b")});
  EXPECT_THAT(Scraped(host), ElementsAre("iqn.\\x1b 0 s\\x1b[2J m\\xff /a\\x0ab,/c\\x5c"));
}

}  // namespace
}  // namespace lunscope
