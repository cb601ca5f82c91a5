// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/ring_producer.h"

#include <stdexcept>

#include "collector/base/record.h"

namespace lunscope {

RingProducer::RingProducer(const Tape& tape, uint32_t ring_bytes) {
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  skeleton_ = producer_bpf__open();
  Check(skeleton_ != nullptr, "opening the producer");
  Check(producer_bpf__load(skeleton_) == 0, "loading the producer (root?)");
  Check(rings_.Make(skeleton_->maps.rings, ring_bytes).ok(), "making the rings");
  input_.Map(skeleton_->maps.producers);
  input_->ring_mask = RingCount(skeleton_->maps.rings) - 1;
  Check(tape.records() == PRODUCER_RECORDS, "a tape of another length");
  size_t at = 0;
  tape.Play([&](const lunscope_record& record) {
    input_->records[at++] = *RecordAs<lunscope_command_record>(record);
  });
}

RingProducer::~RingProducer() { producer_bpf__destroy(skeleton_); }

void RingProducer::Produce(uint32_t records) {
  input_->count = records;
  TestRun(skeleton_->progs.produce);
  if (input_->refused != 0) throw std::runtime_error("the rings were full");
}

}  // namespace lunscope
