// SPDX-License-Identifier: Apache-2.0
//
// Holds empty programs at the hooks of lunscope's until it is killed.
#include <unistd.h>

#include <cstdio>

#include "floor.skel.h"

int main() {
  floor_bpf* skeleton = floor_bpf__open_and_load();
  if (skeleton == nullptr || floor_bpf__attach(skeleton) != 0) return 1;
  std::puts("attached");
  std::fflush(stdout);
  for (;;) pause();
}
