// SPDX-License-Identifier: Apache-2.0
//
// Random conversations: what an initiator and a target say to each other, what happens to it on the
// way, and the segments that an observer is offered. The same seed, the same conversation.
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
  bool is_opened;  // seen from its first byte on
  uint8_t role;    // of the observed end, as far as its ports tell
  uint32_t received_seq;
  uint32_t sent_seq;
  std::vector<Segment> segments;
};

Conversation RandomConversation(std::mt19937* random);

}  // namespace lunscope
