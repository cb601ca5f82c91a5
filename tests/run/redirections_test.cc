// SPDX-License-Identifier: Apache-2.0
//
// The ports of addresses that logins are sent to.
#include "collector/run/redirections.h"

#include <gtest/gtest.h>

namespace lunscope {
namespace {

struct AddressRow {
  const char* address;
  uint16_t port;
};

TEST(Redirections, PortOfAnAddress) {
  const AddressRow rows[] = {
      {"192.0.2.1:3261,1", 3261},   {"192.0.2.1:3261", 3261},  {"192.0.2.1", 3260},
      {"[2001:db8::1]:3262", 3262}, {"[2001:db8::1]", 3260},   {"[2001:db8::1],1", 3260},
      {"disk.example:860", 860},    {"disk.example", 3260},    {"", 3260},
      {"192.0.2.1:", 3260},         {"192.0.2.1:70000", 3260}, {"192.0.2.1:0", 3260},
  };
  for (const AddressRow& row : rows) EXPECT_EQ(PortOfAddress(row.address), row.port) << row.address;
}

}  // namespace
}  // namespace lunscope
