// SPDX-License-Identifier: Apache-2.0
//
// The functions that the BPF verifier checks by themselves know nothing of their arguments: a
// pointer that is NULL and an index that is too large do no harm, and change nothing.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "tests/engine/follower.h"

namespace lunscope {
namespace {

class Subprogram : public testing::Test {
 protected:
  const std::unique_ptr<lunscope_connection> connection_ = std::make_unique<lunscope_connection>();
  lunscope_totals totals_ = {};
};

TEST_F(Subprogram, RefusesNull) {
  lunscope_task_request request = {};
  EXPECT_EQ(lunscope_abort_tasks(nullptr, &request), 0u);
  EXPECT_EQ(lunscope_abort_tasks(&connection_->inflight, nullptr), 0u);
  EXPECT_EQ(lunscope_arrivals_time(nullptr, 0), 0u);
  EXPECT_EQ(lunscope_inflight_probe(nullptr, 0, 1), uint32_t{LUNSCOPE_NO_TASK});
  EXPECT_EQ(lunscope_stream_digest_fits(nullptr), 0);
  EXPECT_EQ(lunscope_text_take(nullptr, 'a'), 0);
  for (lunscope_connection* connection :
       {static_cast<lunscope_connection*>(nullptr), connection_.get()}) {
    lunscope_totals* totals = connection == nullptr ? &totals_ : nullptr;
    EXPECT_EQ(lunscope_connection_lose(connection, 0, 0, 0, totals), 0);
    EXPECT_EQ(lunscope_connection_manage(connection, 0, totals), 0);
    EXPECT_EQ(lunscope_connection_header(connection, 0, 0, totals), LUNSCOPE_HEADER_SKIP);
  }
  const lunscope_totals untouched = {};
  EXPECT_EQ(std::memcmp(&totals_, &untouched, sizeof(totals_)), 0);
}

TEST_F(Subprogram, RefusesAHomeBehindTheTable) {
  for (const uint32_t home : {uint32_t{LUNSCOPE_HOMES}, uint32_t{LUNSCOPE_TASKS}, ~uint32_t{0}})
    EXPECT_EQ(lunscope_inflight_probe(&connection_->inflight, home, 0), uint32_t{LUNSCOPE_NO_TASK});
  EXPECT_EQ(lunscope_inflight_probe(&connection_->inflight, LUNSCOPE_HOMES - 1, 0),
            uint32_t{LUNSCOPE_HOMES});
}

// The boundaries are lost, and no byte with them: a gap is counted all the same.
TEST_F(Subprogram, LosesNoBytesWhereThereAreNone) {
  lunscope_connection_open(connection_.get(), 1000, 2000);
  lunscope_connection_lose(connection_.get(), LUNSCOPE_RECEIVED, 1000,
                           LUNSCOPE_REASON_MISSING_BYTES, &totals_);
  EXPECT_EQ(totals_.gaps[LUNSCOPE_REASON_MISSING_BYTES], 1u);
  EXPECT_EQ(totals_.unparsed_bytes[LUNSCOPE_REASON_MISSING_BYTES], 0u);
  EXPECT_EQ(connection_->report.followed[LUNSCOPE_RECEIVED], 0);
  EXPECT_EQ(connection_->report.followed[LUNSCOPE_SENT], 1);
}

}  // namespace
}  // namespace lunscope
