// SPDX-License-Identifier: Apache-2.0
// A copy of some bytes, right in front of a page without permissions. A parser that reads one byte
// too far ends the test that caused the read.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "tests/vectors/bytes.h"

namespace lunscope {

class GuardedBytes {
 public:
  explicit GuardedBytes(const Bytes& bytes) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t readable = (bytes.size() + page - 1) / page * page;
    mapped_bytes_ = readable + page;
    void* mapping =
        mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) std::abort();
    mapping_ = static_cast<uint8_t*>(mapping);
    if (mprotect(mapping_ + readable, page, PROT_NONE) != 0) std::abort();
    data_ = mapping_ + readable - bytes.size();
    if (!bytes.empty()) std::memcpy(data_, bytes.data(), bytes.size());
  }
  ~GuardedBytes() { munmap(mapping_, mapped_bytes_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  const uint8_t* data() const { return data_; }

 private:
  uint8_t* mapping_;
  uint8_t* data_;
  size_t mapped_bytes_;
};

}  // namespace lunscope
