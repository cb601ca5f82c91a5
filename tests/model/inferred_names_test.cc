// SPDX-License-Identifier: Apache-2.0
// Names of connections that were open before lunscope started. They come from the host, and are
// marked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/host.h"

namespace lunscope {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

// The kernel's initiator describes the connection with this id (see Conversation).
HostSession SessionOf(uint64_t id, const std::string& target = kDisk) {
  return {kInitiator,
          target,
          kHost,
          {{"192.0.2.2", ISCSI_DEFAULT_PORT}},
          {"", static_cast<uint16_t>(40000 + id)},
          "sysfs"};
}

std::string NamesOf(const Host& host, uint64_t id) {
  const Connection& connection = *host.model().FindConnection(id);
  return connection.target->first.name + " " + connection.initiator + " " + connection.names_from;
}

TEST(InferredNames, AreTheHostsWhereTheLoginWasNotSeen) {
  Host host;
  host.Knows({SessionOf(1)});
  host.Meets(1).IsFound().Completes(Read16(0, 1));
  EXPECT_EQ(NamesOf(host, 1), "iqn.disk iqn.host sysfs");
  const Snapshot snapshot = host.See();
  EXPECT_EQ(snapshot.targets.at({kInitiator, kDisk}).luns.at(0).read_bytes, 512u);
  EXPECT_EQ(snapshot.inferred_connections.at({{kInitiator, kDisk}, "sysfs"}), 1u);
  EXPECT_THAT(host.Sessions(), IsEmpty());
}

// A session that is open for long has no INQUIRY. The answer to a later one counts more than the
// host's type.
TEST(InferredNames, ComeWithTheTypesOfDevices) {
  Host host;
  HostSession session = SessionOf(1);
  session.device_types = {{Lun(1), 0x01}, {0x412c000000000000, 0x08}};
  host.Knows({session});
  host.Meets(1).IsFound().Completes(Read16(0, 1));
  const auto type = [&](uint64_t lun) {
    return host.model().DeviceType(*host.model().FindConnection(1), lun);
  };
  EXPECT_EQ(type(Lun(1)), 0x01);
  EXPECT_EQ(type(0x412c000000000000), 0x08);
  EXPECT_EQ(type(Lun(2)), kUnknownDeviceType);
  host.On(1).Reads({SCSI_INQUIRY}, {0x05}, Lun(1));
  EXPECT_EQ(type(Lun(1)), 0x05);
}

// The host's answer may come after many records of the connection.
TEST(InferredNames, MayComeLate) {
  Host host;
  host.Meets(1).IsFound().Completes(Read16(0, 1));
  EXPECT_EQ(NamesOf(host, 1), "unknown  ");
  host.Knows({SessionOf(1)});
  host.On(1).Completes(Read16(0, 1));
  EXPECT_EQ(NamesOf(host, 1), "iqn.disk iqn.host sysfs");
  const Snapshot snapshot = host.See();
  EXPECT_EQ(snapshot.targets.at({kInitiator, kUnknownName}).luns.at(0).read_bytes, 512u);
  EXPECT_EQ(snapshot.targets.at({kInitiator, kDisk}).luns.at(0).read_bytes, 512u);
}

// The first record of an accepted socket comes before any PDU shows the role.
TEST(InferredNames, WaitForTheRole) {
  Host host;
  host.Knows({SessionOf(1)});
  lunscope_connection_record found = host.Meets(1).Record(LUNSCOPE_FLAG_MIDSTREAM);
  found.header.role = LUNSCOPE_ROLE_UNKNOWN;
  host.Apply(found);
  EXPECT_EQ(NamesOf(host, 1), "unknown  ");
  host.On(1).Completes(Read16(0, 1));
  EXPECT_EQ(NamesOf(host, 1), "iqn.disk iqn.host sysfs");
}

TEST(InferredNames, AreNoneOfAConnectionThatBeganSince) {
  Host host;
  host.Knows({SessionOf(1), SessionOf(2)});
  host.Opens(1).Completes(Read16(0, 1));
  EXPECT_EQ(NamesOf(host, 1), "unknown  ");
  host.Opens(2).LogsIn({.target = "iqn.other"});
  EXPECT_EQ(NamesOf(host, 2), "iqn.other iqn.host login");
  EXPECT_THAT(host.See().inferred_connections, IsEmpty());
}

TEST(InferredNames, GiveWayToALogin) {
  Host host;
  HostSession session = SessionOf(1);
  session.device_types = {{Lun(1), 0x01}};
  host.Knows({session});
  host.Meets(1).IsFound().LogsIn({.initiator = "iqn.me", .target = "iqn.other"});
  EXPECT_EQ(NamesOf(host, 1), "iqn.other iqn.me login");
  EXPECT_EQ(host.model().DeviceType(*host.model().FindConnection(1), Lun(1)), kUnknownDeviceType);
}

TEST(InferredNames, StayUnknownWhereTheHostIsNotSure) {
  Host host;
  HostSession either = SessionOf(1, "iqn.either");
  either.initiator_address = {};
  HostSession other = SessionOf(1, "iqn.other");
  host.Knows({either, other});
  host.Meets(1).IsFound();
  EXPECT_EQ(NamesOf(host, 1), "unknown iqn.host sysfs");
}

TEST(InferredNames, AreHostile) {
  Host host;
  host.Knows({SessionOf(1, "iqn.\x1b[2J")});
  host.Meets(1).IsFound();
  EXPECT_EQ(NamesOf(host, 1), R"(iqn.\x1b[2J iqn.host sysfs)");
}

TEST(InferredNames, EndWithTheConnection) {
  Host host;
  host.Knows({SessionOf(1)});
  host.Meets(1).IsFound().Closes();
  EXPECT_THAT(host.See().inferred_connections, IsEmpty());
  EXPECT_THAT(host.Targets(), Contains("initiator/iqn.disk"));
}

}  // namespace
}  // namespace lunscope
