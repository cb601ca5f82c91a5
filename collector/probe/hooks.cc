// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/capability.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "collector/probe/kernel_symbols.h"
#include "collector/probe/preflight.h"
#include "collector/probe/skeleton.h"

namespace lunscope {
namespace {

constexpr const char* kGroup = "hooks";

// "tp_btf/tcp_probe" -> "tracepoint tcp_probe", as preflight.cc calls it.
std::string NameOf(const bpf_program* program) {
  const std::string section = bpf_program__section_name(program);
  const std::string function = section.substr(section.find('/') + 1);
  return section.starts_with("tp_btf/") ? "tracepoint " + function : section;
}

uint64_t VerifiedInstructions(const bpf_program* program) {
  bpf_prog_info info{};
  uint32_t bytes = sizeof(info);
  return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes) == 0 ? info.verified_insns
                                                                              : 0;
}

Finding TryHook(const lunscope_bpf& skeleton, const bpf_program* program) {
  const bool attached = AttachProgram(skeleton, program) != nullptr;
  const int error = errno;
  const uint64_t verified = VerifiedInstructions(program);
  return {
      kGroup,
      NameOf(program),
      attached ? FindingState::kOk : FindingState::kFailure,
      attached ? fmt::format("attached, {} instructions verified", verified) : KernelReason(error),
      {{"attached", attached}, {"verified_instructions", verified}},
      attached ? ExitCode::kOk : ExitCode::kUnsupported};
}

struct BtfDeleter {
  void operator()(btf* types) const { btf__free(types); }
};
using Btf = std::unique_ptr<btf, BtfDeleter>;

// A module's type information in the kernel; closed with the object. fd() < 0: errno tells why.
class ModuleTypes {
 public:
  explicit ModuleTypes(const std::string& module) {
    while (bpf_btf_get_next_id(id_, &id_) == 0) {
      fd_ = bpf_btf_get_fd_by_id(id_);
      if (fd_ < 0 || Name() == module) return;
      close(std::exchange(fd_, -1));
    }
  }
  ~ModuleTypes() {
    if (fd_ >= 0) close(fd_);
  }
  ModuleTypes(const ModuleTypes&) = delete;
  ModuleTypes& operator=(const ModuleTypes&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] uint32_t id() const { return id_; }

 private:
  [[nodiscard]] std::string Name() const {
    std::array<char, 64> name{};
    bpf_btf_info info{};
    info.name = reinterpret_cast<uint64_t>(name.data());
    info.name_len = name.size();
    uint32_t bytes = sizeof(info);
    return bpf_obj_get_info_by_fd(fd_, &info, &bytes) == 0 ? name.data() : "";
  }

  uint32_t id_ = 0;
  int fd_ = -1;
};

// Load a program that does nothing at the entry of something with type information, and attach it
// for a moment. module_fd 0: it is of the kernel itself. 0, or an error number.
int TryProgram(uint32_t type_id, uint32_t module_fd) {
  // return 0;
  const std::array<bpf_insn, 2> program = {bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
                                           bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
              .attach_btf_id = type_id, .attach_btf_obj_fd = module_fd);
  const int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "lunscope_trial", "GPL", program.data(),
                               program.size(), &options);
  if (fd < 0) return errno;
  const int link = bpf_raw_tracepoint_open(nullptr, fd);
  const int error = link < 0 ? errno : 0;
  if (link >= 0) close(link);
  close(fd);
  return error;
}

// Can this function be hooked? 0, or an error number. It is tried with a program that calls no
// helper: kernels have been seen to crash while they load one that hooks a module's function and
// asks for a socket's storage (bpf_sk_storage_tracing_allowed()).
int TryFentry(const KernelFunction& function) {
  const Btf kernel(btf__load_vmlinux_btf());
  if (!kernel) return errno;
  std::optional<ModuleTypes> module;
  Btf types;
  if (!function.module.empty()) {
    module.emplace(function.module);
    if (module->fd() < 0) return errno;
    types.reset(btf__load_from_kernel_by_id_split(module->id(), kernel.get()));
    if (!types) return errno;
  }
  const int id = btf__find_by_name_kind(types ? types.get() : kernel.get(), function.name.c_str(),
                                        BTF_KIND_FUNC);
  if (id < 0) return -id;
  return TryProgram(static_cast<uint32_t>(id), static_cast<uint32_t>(module ? module->fd() : 0));
}

// Without this hook the kernel's initiator is followed by arrivals, and nothing worse.
Finding TryKernelInitiator() {
  const Skeleton skeleton(lunscope_bpf__open());
  const std::string name = NameOf(skeleton->progs.kernel_consumption);
  const auto function = FindKernelFunction(name.substr(name.find('/') + 1));
  // Without such a module any function tells whether the kernel allows it.
  const int error = TryFentry(function ? *function : KernelFunction{"tcp_recvmsg", ""});
  const std::string reason = error == 0 ? "" : fmt::format(" ({})", std::strerror(error));
  Finding finding{kGroup, name, FindingState::kOk, "", {{"allowed", error == 0}}};
  if (!function) {
    finding.state = FindingState::kNote;
    finding.detail = fmt::format("no libiscsi_tcp loaded; programs may {}hook functions here{}",
                                 error == 0 ? "" : "not ", reason);
    return finding;
  }
  finding.facts.emplace_back("function", function->name);
  finding.facts.emplace_back("module", function->module);
  finding.detail = fmt::format("{} of {} can {}be hooked{}", function->name,
                               function->module.empty() ? "the kernel" : function->module,
                               error == 0 ? "" : "not ", reason);
  if (error != 0) {
    finding.state = FindingState::kWarning;
    finding.detail += ": lost packets of the kernel's initiator are gaps, counted";
  }
  return finding;
}

Finding Reader(const char* reader, FindingState state, const std::string& detail) {
  return {kGroup, "skb reader", state, detail, {{"reader", std::string(reader)}}};
}

Finding LoadFailure(const Error& error, bool is_confidential) {
  std::string detail = error.message;
  const size_t hint = detail.find(kCheckHint);
  if (hint != std::string::npos) detail.erase(hint, kCheckHint.size());
  if (is_confidential) {
    detail += ": lockdown forbids it; boot with lockdown=integrity";
  } else if (error.code == ExitCode::kPermission) {
    detail += HasCapability(CAP_SYS_ADMIN)
                  ? ": look for seccomp or a security module that forbids it"
                  : ": try with CAP_SYS_ADMIN";
  } else {
    detail += ": run Linux 6.12 or later";
  }
  return {kGroup, "load", FindingState::kFailure, detail, {}, error.code};
}

}  // namespace

std::vector<Finding> TryHooks(bool is_confidential) {
  Result<Skeleton> loaded = LoadSkeleton(ProbeOptions{});
  if (!loaded.ok())
    return {LoadFailure(loaded.error(), is_confidential), TryKernelInitiator(),
            Reader("none", FindingState::kNote, "none: the programs are not loaded")};
  const lunscope_bpf& skeleton = *loaded.value();
  std::vector<Finding> findings;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton.obj, const_cast<bpf_program*>(program))) !=
         nullptr) {
    if (!IsOfModule(program)) findings.push_back(TryHook(skeleton, program));
  }
  findings.push_back(TryKernelInitiator());
  findings.push_back(
      skeleton.rodata->walks_skbs
          ? Reader("walk", FindingState::kOk, "walk over linear part, frags and frag list")
          : Reader("dynptr", FindingState::kOk, "bpf_dynptr_from_skb"));
  return findings;
}

}  // namespace lunscope
