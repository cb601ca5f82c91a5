// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/rings.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "collector/base/record.h"
#include "collector/probe/kernel_error.h"

namespace lunscope {

uint32_t RingCount(const bpf_map* rings) {
  return std::min(std::bit_floor(static_cast<uint32_t>(libbpf_num_possible_cpus())),
                  bpf_map__max_entries(rings));
}

Rings::~Rings() {
  buffer_.reset();
  for (const int fd : fds_) close(fd);
}

Status Rings::Make(const bpf_map* rings, uint32_t ring_bytes) {
  for (uint32_t i = 0; i < RingCount(rings); i++) {
    if (!Add(rings, i, ring_bytes)) return KernelError("making a ring buffer", errno);
  }
  return Nothing{};
}

bool Rings::Add(const bpf_map* rings, uint32_t number, uint32_t bytes) {
  const int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "lunscope_ring", 0, 0, bytes, nullptr);
  if (fd < 0) return false;
  fds_.push_back(fd);
  if (bpf_map_update_elem(bpf_map__fd(rings), &number, &fd, BPF_ANY) != 0) return false;
  if (buffer_) return ring_buffer__add(buffer_.get(), fd, &OnRecord, this) == 0;
  buffer_.reset(ring_buffer__new(fd, &OnRecord, this, nullptr));
  return buffer_ != nullptr;
}

size_t Rings::Drain(const RecordSource::Handler& handler) {
  handler_ = &handler;
  const int records = ring_buffer__consume(buffer_.get());
  handler_ = nullptr;
  return records > 0 ? static_cast<size_t>(records) : 0;
}

int Rings::OnRecord(void* self, void* data, size_t bytes) {
  auto* rings = static_cast<Rings*>(self);
  rings->Hand(data, bytes, *rings->handler_);
  return 0;
}

void Rings::Hand(const void* data, size_t bytes, const RecordSource::Handler& handler) {
  const lunscope_record* record = CheckRecord(data, bytes);
  if (record == nullptr) {
    malformed_records_++;
  } else {
    handler(*record);
  }
}

}  // namespace lunscope
