// SPDX-License-Identifier: Apache-2.0
//
// Host headers, a row each.
#include "collector/web/host_header.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace lunscope {
namespace {

TEST(HostHeader, IsOfThisHostIfItIsAnAddressOrOneOfItsNames) {
  const std::vector<std::string> names = HostNames({"Storage1.example.org", "metrics"});
  const struct {
    const char* header;
    bool is_own;
  } kRows[] = {
      {"localhost", true},
      {"LOCALHOST:13260", true},
      {"localhost.", true},
      {"127.0.0.1", true},
      {"127.0.0.1:13260", true},
      {"192.0.2.7:80", true},  // no name resolves to a literal
      {"[::1]", true},
      {"[2001:db8::1]:13260", true},
      {"storage1.example.org:13260", true},
      {"STORAGE1.example.ORG.", true},
      {"metrics", true},
      {"", false},
      {"evil.example", false},
      {"127.0.0.1.evil.example", false},
      {"localhost.evil.example", false},
      {"storage1.example.org.evil.example", false},
      {"storage1", false},
      {"[::1", false},
      {"[evil.example]", false},
      {"::1", false},
      {"127.1", false},  // an address to some resolvers, a name to others
      {"2130706433", false},
  };
  for (const auto& row : kRows) EXPECT_EQ(IsOwnHost(row.header, names), row.is_own) << row.header;
}

TEST(HostHeader, MayHaveTheNamesThatTheSystemHas) {
  std::array<char, 256> own{};
  ASSERT_EQ(gethostname(own.data(), own.size() - 1), 0);
  const std::string path = testing::TempDir() + "lunscope-hosts";
  std::ofstream(path) << "127.0.0.1 localhost\n127.0.1.1 " << own.data() << ".example.org "
                      << own.data() << " # evil.example\n192.0.2.1 other\n";
  const std::vector<std::string> names = HostNames({}, path);
  std::filesystem::remove(path);
  EXPECT_TRUE(IsOwnHost(own.data(), names));
  EXPECT_TRUE(IsOwnHost(own.data() + std::string(".example.org:13260"), names));
  EXPECT_FALSE(IsOwnHost("other", names));
  EXPECT_FALSE(IsOwnHost("evil.example", names));
}

}  // namespace
}  // namespace lunscope
