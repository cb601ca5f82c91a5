// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ring_producer.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace lunscope {
namespace {

void Check(bool is_fine, const char* attempted) {
  if (!is_fine) throw std::runtime_error(fmt::format("{}: {}", attempted, std::strerror(errno)));
}

}  // namespace

RingProducer::RingProducer(const Tape& tape, uint32_t ring_bytes) {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  skeleton_ = producer_bpf__open();
  Check(skeleton_ != nullptr, "opening the producer");
  Check(producer_bpf__load(skeleton_) == 0, "loading the producer (root?)");
  Check(rings_.Make(skeleton_->maps.rings, ring_bytes).ok(), "making the rings");
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  input_bytes_ = (sizeof(producer) + page - 1) / page * page;
  void* memory = mmap(nullptr, input_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED,
                      bpf_map__fd(skeleton_->maps.producers), 0);
  Check(memory != MAP_FAILED, "mapping the producer's input");
  input_ = static_cast<producer*>(memory);
  input_->ring_mask = RingCount(skeleton_->maps.rings) - 1;
  Check(tape.records() == PRODUCER_RECORDS, "a tape of another length");
  size_t at = 0;
  tape.Play([&](const lunscope_event& event) {
    input_->records[at++] = reinterpret_cast<const lunscope_command_event&>(event);
  });
}

RingProducer::~RingProducer() {
  if (input_ != nullptr) munmap(input_, input_bytes_);
  producer_bpf__destroy(skeleton_);
}

void RingProducer::Produce(uint32_t records) {
  input_->count = records;
  LIBBPF_OPTS(bpf_test_run_opts, options);
  Check(bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.produce), &options) == 0 &&
            options.retval == 0,
        "running the producer");
  if (input_->refused != 0) throw std::runtime_error("the rings were full");
}

}  // namespace lunscope
