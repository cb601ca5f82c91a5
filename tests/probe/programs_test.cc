// SPDX-License-Identifier: Apache-2.0
//
// The programs of both objects: what they hook, and which of them are loaded with the object.
// Opening an object needs no privilege.
#include "collector/probe/programs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/probe/scsi_programs.h"
#include "collector/probe/skeleton.h"

namespace lunscope {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "name: hook"
std::vector<std::string> Written(const std::vector<bpf_program*>& programs) {
  std::vector<std::string> lines;
  for (const bpf_program* program : programs)
    lines.push_back(fmt::format("{}: {}", bpf_program__name(program), HookName(program)));
  return lines;
}

TEST(Programs, OfEveryHostAreLoadedWithTheObject) {
  const Skeleton skeleton(lunscope_bpf::open());
  ASSERT_TRUE(skeleton);
  EXPECT_THAT(Written(SelectPrograms(skeleton->obj, IsLoaded)),
              ElementsAre("arrival: tracepoint tcp_probe",
                          "consumption: tracepoint skb_copy_datagram_iovec",
                          "transmit: tracepoint net_dev_queue",
                          "connection: tracepoint inet_sock_set_state",
                          "retransmit: tracepoint tcp_retransmit_skb"));
  EXPECT_EQ(Written(SelectPrograms(skeleton->obj, IsLoadedHook)),
            Written(SelectPrograms(skeleton->obj, IsLoaded)));
}

TEST(Programs, OfSomeHostsAreLoadedOnDemand) {
  const Skeleton skeleton(lunscope_bpf::open());
  ASSERT_TRUE(skeleton);
  EXPECT_THAT(Written(SelectPrograms(
                  skeleton->obj, [](const bpf_program* program) { return !IsLoaded(program); })),
              ElementsAre("kernel_consumption: fentry/skb_prepare_seq_read",
                          "out_of_order: tracepoint tcp_probe", "heal: tracepoint net_dev_queue",
                          "connection_walk: iter/bpf_sk_storage_map", "socket_walk: iter/tcp"));
  EXPECT_THAT(Written(SelectPrograms(skeleton->obj, IsWalk)),
              ElementsAre("connection_walk: iter/bpf_sk_storage_map", "socket_walk: iter/tcp"));
}

TEST(Programs, OfTheScsiLayersBelongToOneLayer) {
  const ScsiSkeleton skeleton(scsi_bpf::open());
  ASSERT_TRUE(skeleton);
  EXPECT_THAT(Written(SelectPrograms(skeleton->obj, IsLoaded)), IsEmpty());
  for (const bpf_program* program :
       SelectPrograms(skeleton->obj, [](const bpf_program*) { return true; })) {
    const std::string tracepoint = TracepointOf(program);
    EXPECT_NE(tracepoint.starts_with(kMidlayer.tracepoints),
              tracepoint.starts_with(kTargetCore.tracepoints))
        << tracepoint;
  }
}

TEST(Programs, ThatAreNotLoadedHaveNoState) {
  const Skeleton skeleton(lunscope_bpf::open());
  ASSERT_TRUE(skeleton);
  const ProgramState state = StateOf(skeleton->progs.arrival);
  EXPECT_EQ(state.name, "arrival");
  EXPECT_FALSE(state.attached);
  EXPECT_EQ(state.verified_instructions, 0u);
}

TEST(Tracepoints, AreNotThereWithoutTypes) { EXPECT_FALSE(HasTracepoint(nullptr, "tcp_probe")); }

}  // namespace
}  // namespace lunscope
