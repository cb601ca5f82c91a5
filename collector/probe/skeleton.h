// SPDX-License-Identifier: Apache-2.0
//
// The programs and their maps, loaded into the kernel, and what libbpf said if they were not.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collector/base/result.h"
#include "collector/probe/probe.h"
#include "lunscope.skel.h"

namespace lunscope {

struct SkeletonDeleter {
  void operator()(lunscope_bpf* skeleton) const { lunscope_bpf__destroy(skeleton); }
};
struct LinkDeleter {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Skeleton = std::unique_ptr<lunscope_bpf, SkeletonDeleter>;
using Link = std::unique_ptr<bpf_link, LinkDeleter>;

// What libbpf has to say is kept for an Error and not printed. Before any other call of libbpf.
void SetUpLibbpf();

// An error number of the kernel, with libbpf's last warning on this thread.
std::string KernelReason(int error);
// The same as an Error, with a hint.
Error KernelError(const char* attempted, int error);
inline constexpr std::string_view kCheckHint = "; 'lunscope check' tells what is missing";

// Attach a program to its hook, or the walk to the map of connections. nullptr: errno tells why.
Link AttachProgram(const lunscope_bpf& skeleton, const bpf_program* program);

// Is it the walk over a map, which is run by who reads it and not by a hook?
bool IsWalk(const bpf_program* program);
// Is it for the kernel's initiator alone? Such a program is loaded apart: kernel_initiator.h.
bool IsLoadedApart(const bpf_program* program);

// A loaded program, as the kernel sees it.
ProgramState StateOf(const bpf_program* program);

// Tell the programs what bpf/skb_walk.bpf.h has to know of the kernel. False: it does not say.
bool KnowPages(lunscope_bpf* skeleton);

// Load the maps and every program but those that are loaded apart.
Result<Skeleton> LoadSkeleton(const ProbeOptions& options);

}  // namespace lunscope
