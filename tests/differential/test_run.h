// SPDX-License-Identifier: Apache-2.0
// BPF programs that a test or benchmark runs itself (BPF_PROG_TEST_RUN). Their input is the only
// value of an array map. Every failure throws std::runtime_error.
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace lunscope {

// attempted names the last call, for the message, which also has errno.
inline void Check(bool is_fine, const char* attempted) {
  if (!is_fine) throw std::runtime_error(fmt::format("{}: {}", attempted, std::strerror(errno)));
}

// REQUIRES: the program is of SEC("syscall"). It returns 0 if all went well.
inline void TestRun(const bpf_program* program) {
  LIBBPF_OPTS(bpf_test_run_opts, options);
  Check(bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0 && options.retval == 0,
        "running the program");
}

// The value of an array map with one entry, shared with the kernel.
template <typename Value>
class MappedValue {
 public:
  MappedValue() = default;
  MappedValue(const MappedValue&) = delete;
  MappedValue& operator=(const MappedValue&) = delete;
  ~MappedValue() {
    if (value_ != nullptr) munmap(value_, Bytes());
  }

  // REQUIRES: the map was made with BPF_F_MMAPABLE.
  void Map(const bpf_map* map) {
    void* memory = mmap(nullptr, Bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    Check(memory != MAP_FAILED, "mapping the input");
    value_ = static_cast<Value*>(memory);
  }

  Value& operator*() { return *value_; }
  Value* operator->() { return value_; }

 private:
  // Memory is shared in whole pages.
  static size_t Bytes() {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return (sizeof(Value) + page - 1) / page * page;
  }

  Value* value_ = nullptr;
};

}  // namespace lunscope
