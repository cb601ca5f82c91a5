// SPDX-License-Identifier: Apache-2.0
#include "collector/run/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include "collector/base/log.h"
#include "collector/probe/capabilities.h"
#include "collector/run/system_calls.h"

namespace lunscope {
namespace {

constexpr const char* kNone = "none";

// LeakSanitizer looks at all threads from a process of its own, at the end of a test.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif
#else
constexpr bool kIsSanitized = false;
#endif

// "CAP_SYS_PTRACE", "cap_sys_ptrace" and "sys_ptrace" are the same capability.
std::optional<int> CapabilityOfName(const std::string& name) {
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!lower.starts_with("cap_")) lower.insert(0, "cap_");
  cap_value_t capability = 0;
  if (cap_from_name(lower.c_str(), &capability) != 0) return std::nullopt;
  return capability;
}

Refusal SetCapabilities(const std::vector<std::string>& names,
                        std::optional<std::vector<int>>& capabilities) {
  std::vector<int> given;
  for (const std::string& name : names) {
    if (name == kNone) continue;
    const std::optional<int> capability = CapabilityOfName(name);
    if (!capability) return "must be the name of a capability, such as CAP_SYS_PTRACE, or none";
    given.push_back(*capability);
  }
  capabilities = std::move(given);
  return std::nullopt;
}

bool IsAmong(const std::vector<int>& capabilities, int capability) {
  return std::ranges::find(capabilities, capability) != capabilities.end();
}

Error Failure(const char* attempted) {
  return {ExitCode::kFailure, fmt::format("{}: {}", attempted, std::strerror(errno))};
}

Error NoSuchUser(const std::string& name) {
  return {ExitCode::kUsage, fmt::format("--user {}: there is no such user", name)};
}

Status BecomeUser(const std::string& name) {
  const passwd* user = getpwnam(name.c_str());
  if (user == nullptr) return NoSuchUser(name);
  // glibc changes the user of every thread.
  if (setgroups(0, nullptr) != 0 || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
      setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
    return Failure("becoming another user");
  return Nothing{};
}

// The capabilities that a program which this process runs could get. Without CAP_SETPCAP they
// stay, and no_new_privs alone forbids it to get them.
void LimitBoundingSet(const std::vector<int>& kept) {
  for (int capability = 0; cap_get_bound(capability) >= 0; capability++) {
    if (!IsAmong(kept, capability)) cap_drop_bound(capability);
  }
}

Status KeepOnly(const std::vector<int>& wanted) {
  const std::unique_ptr<std::remove_pointer_t<cap_t>, decltype(&cap_free)> kept(cap_init(),
                                                                                &cap_free);
  for (const int capability : wanted) {
    if (!HasCapability(capability)) continue;
    for (const cap_flag_t flag : {CAP_PERMITTED, CAP_EFFECTIVE})
      cap_set_flag(kept.get(), flag, 1, &capability, CAP_SET);
  }
  if (!kept || cap_set_proc(kept.get()) != 0) return Failure("giving up capabilities");
  return Nothing{};
}

void WarnOf(int error) {
  if (error != 0)
    LogWarning("the kernel takes no filter of system calls: {}", std::strerror(error));
}

}  // namespace

OptionList PrivilegeOptions::Options() {
  Option keep;
  keep.key = "keep-capability";
  keep.form = Option::Form::kRepeated;
  keep.value = "NAME";
  keep.help =
      "Capability to keep while watching, beside CAP_BPF and CAP_PERFMON, or none; may be given "
      "again";
  keep.default_text = "CAP_SYS_ADMIN if the sources need it";
  keep.set = [this](const auto& texts) { return SetCapabilities(texts, capabilities); };
  return {keep, TextOption("user", "NAME", "User to become once the programs are attached", user),
          SwitchOption("no-syscall-filter", "Do not limit the system calls of this process",
                       filters_system_calls, false)};
}

Status PrivilegeOptions::Prepare() const {
  if (user.empty()) return Nothing{};
  if (getpwnam(user.c_str()) == nullptr) return NoSuchUser(user);
  // A change of the user leaves the capabilities of each thread alone then (capabilities(7)).
  const auto bits = static_cast<unsigned long>(prctl(PR_GET_SECUREBITS));
  if (prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP) == 0) return Nothing{};
  return Error{ExitCode::kPermission,
               fmt::format("--user {}: only root may become another user", user)};
}

Status PrivilegeOptions::GiveUp(const std::string& admin_use, bool removes_files) const {
  std::vector<int> kept = capabilities.value_or(
      admin_use.empty() ? std::vector<int>() : std::vector<int>{CAP_SYS_ADMIN});
  const bool is_admin = IsAmong(kept, CAP_SYS_ADMIN) && HasCapability(CAP_SYS_ADMIN);
  if (!admin_use.empty() && is_admin) LogInfo("keeps CAP_SYS_ADMIN to {}", admin_use);
  if (!admin_use.empty() && !is_admin)
    LogWarning("without CAP_SYS_ADMIN lunscope cannot {}", admin_use);
  kept.insert(kept.end(), {CAP_BPF, CAP_PERFMON});
  if (kIsSanitized) kept.push_back(CAP_SYS_PTRACE);
  LimitBoundingSet(kept);
  cap_reset_ambient();
  if (!user.empty()) {
    Status changed = BecomeUser(user);
    if (!changed.ok()) return changed;
  }
  Status given_up = KeepOnly(kept);
  if (!given_up.ok() || !filters_system_calls || kIsSanitized) return given_up;
  std::vector<std::string> more;
  if (is_admin) more.emplace_back("setns");
  if (removes_files) more.emplace_back("unlink");
  WarnOf(AllowCallsOfAWatcher(more));
  return Nothing{};
}

void PrivilegeOptions::GiveUpPrograms() const {
  if (filters_system_calls && !kIsSanitized) WarnOf(ForbidPrograms());
}

}  // namespace lunscope
