// SPDX-License-Identifier: Apache-2.0
//
// A program of the tests at the hook of lunscope's `transmit`, held until SIGTERM. Then a line for
// each stream in which the kernel did not run it: local port, remote port, holes, bytes in them;
// and a last line with the streams and bytes that it saw. harness/witness.py says what for.
//
//   witness BLIND_EVERY PORT...
//
// BLIND_EVERY: 0, or look away from every so many segments of a stream.
#include <bpf/bpf.h>
#include <fmt/format.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "witness.skel.h"

namespace {

// As in witness.bpf.c.
struct Stream {
  uint16_t local_port;
  uint16_t remote_port;
};

struct Seen {
  uint64_t bytes;
  uint64_t segments;
  uint32_t next;
  uint32_t holes;
  uint64_t hole_bytes;
};

struct Deleter {
  void operator()(witness_bpf* skeleton) const { witness_bpf__destroy(skeleton); }
};

void Say(int streams) {
  uint64_t bytes = 0, count = 0;
  Stream stream{};
  const Stream* previous = nullptr;
  for (Stream next{}; bpf_map_get_next_key(streams, previous, &next) == 0;
       stream = next, previous = &stream) {
    Seen seen{};
    if (bpf_map_lookup_elem(streams, &next, &seen) != 0) continue;
    count++;
    bytes += seen.bytes;
    if (seen.holes != 0)
      fmt::print("{} {} {} {}\n", next.local_port, next.remote_port, seen.holes, seen.hole_bytes);
  }
  fmt::print("{} streams {} bytes\n", count, bytes);
}

}  // namespace

int main(int argc, char** argv) {
  const std::unique_ptr<witness_bpf, Deleter> skeleton(witness_bpf__open());
  const auto ports = argc - 2;
  if (!skeleton || ports < 1 || ports > static_cast<int>(std::size(skeleton->rodata->ports)))
    return 2;
  skeleton->rodata->blind_every = static_cast<uint32_t>(std::atoi(argv[1]));
  for (int i = 0; i < ports; i++)
    skeleton->rodata->ports[i] = static_cast<uint16_t>(std::atoi(argv[i + 2]));
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigprocmask(SIG_BLOCK, &ending, nullptr);
  if (witness_bpf__load(skeleton.get()) != 0 || witness_bpf__attach(skeleton.get()) != 0) return 1;
  fmt::print("attached\n");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ending, &signal);
  Say(bpf_map__fd(skeleton->maps.streams));
  return 0;
}
