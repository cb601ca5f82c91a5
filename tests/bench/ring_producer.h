// SPDX-License-Identifier: Apache-2.0
//
// Real rings that a BPF program fills and that collector/probe/rings drains: what lies between the
// hooks and the model.
#pragma once

#include <cstdint>

#include "collector/probe/rings.h"
#include "producer.skel.h"
#include "tests/bench/producer.h"
#include "tests/differential/test_run.h"
#include "tests/model/tape.h"

namespace lunscope {

class RingProducer {
 public:
  // REQUIRES: CAP_BPF; the tape is command records without sense.
  RingProducer(const Tape& tape, uint32_t ring_bytes);
  RingProducer(const RingProducer&) = delete;
  RingProducer& operator=(const RingProducer&) = delete;
  ~RingProducer();

  // Put the next so many records into the rings, in the kernel.
  void Produce(uint32_t records);
  Rings& rings() { return rings_; }

 private:
  producer_bpf* skeleton_ = nullptr;
  MappedValue<producer> input_;
  Rings rings_;
};

}  // namespace lunscope
