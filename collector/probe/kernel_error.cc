// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/kernel_error.h"

#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "collector/base/printable.h"

namespace lunscope {
namespace {

// libbpf's warning says more than its error number.
thread_local std::string last_warning;

int KeepWarning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[512];
  vsnprintf(line, sizeof(line), format, arguments);
  last_warning = line;
  while (!last_warning.empty() && last_warning.back() == '\n') last_warning.pop_back();
  return 0;
}

}  // namespace

void SetUpLibbpf() {
  libbpf_set_print(&KeepWarning);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
}

std::string KernelReason(int error) {
  return fmt::format("{} ({})", std::strerror(error), Printable(last_warning));
}

Error KernelError(const char* attempted, int error, bool is_refusal) {
  const bool is_permission = error == EPERM || (error == EACCES && !is_refusal);
  return {is_permission ? ExitCode::kPermission : ExitCode::kUnsupported,
          fmt::format("{}: {}{}", attempted, KernelReason(error), kCheckHint)};
}

}  // namespace lunscope
