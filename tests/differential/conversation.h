// SPDX-License-Identifier: Apache-2.0
// Random conversations of an initiator and a target, with losses and reordering on the way, as the
// segments that an observer is offered. The same seed gives the same conversation.
#pragma once

#include <random>
#include <vector>

#include "tests/vectors/bytes.h"

namespace lunscope {

struct Segment {
  uint32_t direction;
  uint32_t seq;
  Bytes bytes;
};

struct Conversation {
  bool is_opened;  // followed from its first byte
  uint8_t role;    // of the observed end; unknown if its ports do not decide it
  uint32_t received_seq;
  uint32_t sent_seq;
  std::vector<Segment> segments;
};

Conversation RandomConversation(std::mt19937* random);

}  // namespace lunscope
