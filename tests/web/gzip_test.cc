// SPDX-License-Identifier: Apache-2.0
//
// Accept-Encoding headers, a row each. Python unpacks the output of Gzip() in attacks_test.py.
#include "collector/web/gzip.h"

#include <gtest/gtest.h>

namespace lunscope {
namespace {

TEST(AcceptsGzip, AsRfc9110Says) {
  const struct {
    const char* header;
    bool accepts;
  } kRows[] = {
      {nullptr, false},         {"", false},
      {"gzip", true},           {"GZip", true},
      {"br, gzip", true},       {"br,gzip ;q=0.5", true},
      {" gzip\t", true},        {"gzip;q=0", false},
      {"gzip; q=0.000", false}, {"gzip;q=0.001", true},
      {"x-gzip", false},        {"gzipped", false},
      {"br;q=0, gzip", true},   {"identity", false},
      {",,,", false},           {"gzip;q=", true},
      {"deflate;gzip", false},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(AcceptsGzip(row.header), row.accepts) << (row.header ? row.header : "no header");
}

TEST(Gzip, IsMuchSmallerThanAPage) {
  std::string page;
  for (int i = 0; i < 10'000; i++) page += "lunscope_commands_total{lun=\"1\"} 12345\n";
  const std::string packed = Gzip(page);
  EXPECT_GT(packed.size(), 0u);
  EXPECT_LT(packed.size(), page.size() / 10);
}

}  // namespace
}  // namespace lunscope
