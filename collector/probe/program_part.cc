// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/program_part.h"

namespace lunscope {

Status PreparePart(bpf_object* object, const bpf_object& maps, const ProgramFilter& is_wanted) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object)
      bpf_program__set_autoload(program, is_wanted(program));
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const bpf_map* shared = bpf_object__find_map_by_name(&maps, bpf_map__name(map));
    if (shared == nullptr || bpf_map__reuse_fd(map, bpf_map__fd(shared)) != 0)
      return KernelError("sharing the maps", errno);
  }
  return Nothing{};
}

}  // namespace lunscope
