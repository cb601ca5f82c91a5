// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/programs.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/capability.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "collector/probe/capabilities.h"
#include "collector/probe/kernel_error.h"

namespace lunscope {

std::vector<bpf_program*> SelectPrograms(const bpf_object* object, const ProgramFilter& accepts) {
  std::vector<bpf_program*> programs;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    if (accepts(program)) programs.push_back(program);
  }
  return programs;
}

ProgramFilter IsNamedLike(const bpf_program* wanted) {
  const std::string_view name = bpf_program__name(wanted);
  return [name](const bpf_program* program) { return bpf_program__name(program) == name; };
}

void LeaveOutModules(bpf_object* object) {
  if (HasCapability(CAP_SYS_ADMIN)) return;
  bpf_program* any = bpf_object__next_program(object, nullptr);
  bpf_program__set_attach_target(any, 0, "lunscope_is_in_no_module");
}

bool IsLoaded(const bpf_program* program) { return bpf_program__autoload(program); }

bool IsWalk(const bpf_program* program) {
  return bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

bool IsLoadedHook(const bpf_program* program) { return IsLoaded(program) && !IsWalk(program); }

std::string TracepointOf(const bpf_program* program) {
  constexpr std::string_view kTypedTracepoint = "tp_btf/";
  const std::string_view section = bpf_program__section_name(program);
  return std::string(section.starts_with(kTypedTracepoint) ? section.substr(kTypedTracepoint.size())
                                                           : "");
}

std::string HookName(const bpf_program* program) {
  const std::string tracepoint = TracepointOf(program);
  return tracepoint.empty() ? bpf_program__section_name(program) : "tracepoint " + tracepoint;
}

bool HasTracepoint(const btf* types, const std::string& tracepoint) {
  const std::string type = fmt::format("btf_trace_{}", tracepoint);
  return types != nullptr && btf__find_by_name_kind(types, type.c_str(), BTF_KIND_TYPEDEF) > 0;
}

ProgramState StateOf(const bpf_program* program) {
  bpf_prog_info info{};
  uint32_t bytes = sizeof(info);
  const bool attached = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes) == 0;
  return {bpf_program__name(program), attached,           info.recursion_misses, info.run_cnt,
          info.run_time_ns,           info.verified_insns};
}

Result<std::vector<Link>> AttachPrograms(const std::vector<bpf_program*>& programs) {
  std::vector<Link> links;
  for (const bpf_program* program : programs) {
    Link link(bpf_program__attach(program));
    if (!link) return KernelError(bpf_program__section_name(program), errno);
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace lunscope
