// SPDX-License-Identifier: Apache-2.0
#include "collector/web/host_header.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <iterator>
#include <sstream>
#include <utility>

#include "collector/base/files.h"

namespace lunscope {
namespace {

bool IsAddress(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(family, text.c_str(), address.data()) == 1;
}

// A name in lower case, without the dot that may end it.
std::string Plain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string plain(name);
  std::ranges::transform(plain, plain.begin(), [](unsigned char c) { return std::tolower(c); });
  return plain;
}

// Each line is an address and its names (hosts(5)). Debian writes the name with the domain there.
void AddNamesBeside(const std::string& name, const std::string& hosts,
                    std::vector<std::string>* names) {
  for (const std::string& line : Lines(ReadWhole(hosts))) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address;
    words >> address;
    const std::vector<std::string> of_line{std::istream_iterator<std::string>(words), {}};
    if (std::ranges::find(of_line, name) != of_line.end())
      names->insert(names->end(), of_line.begin(), of_line.end());
  }
}

}  // namespace

std::vector<std::string> HostNames(std::vector<std::string> allowed, const std::string& hosts) {
  std::vector<std::string> names = std::move(allowed);
  std::array<char, HOST_NAME_MAX + 1> own{};
  if (gethostname(own.data(), own.size() - 1) == 0) {
    names.emplace_back(own.data());
    AddNamesBeside(own.data(), hosts, &names);
  }
  names.emplace_back("localhost");
  std::ranges::transform(names, names.begin(), Plain);
  return names;
}

bool IsOwnHost(std::string_view header, const std::vector<std::string>& names) {
  if (header.starts_with('[')) {
    const size_t end = header.find(']');
    return end != std::string_view::npos &&
           IsAddress(AF_INET6, std::string(header.substr(1, end - 1)));
  }
  const std::string host = Plain(header.substr(0, header.find(':')));
  return IsAddress(AF_INET, host) || std::ranges::find(names, host) != names.end();
}

}  // namespace lunscope
