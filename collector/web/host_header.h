// SPDX-License-Identifier: Apache-2.0
//
// A web page of somebody else can have its name resolve to 127.0.0.1, and then read what listens
// there through the visitor's browser (DNS rebinding). Such a request has that name in its Host
// header. So only names of this host are answered.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lunscope {

// The names under which this host is reached: its own one with the other names that /etc/hosts has
// beside it, localhost, and those in `allowed`.
std::vector<std::string> HostNames(std::vector<std::string> allowed,
                                   const std::string& hosts = "/etc/hosts");

// Whether a Host header (RFC 9110 section 7.2) is an address, localhost or one of the names. No
// name resolves to an address literal, so every literal will do.
bool IsOwnHost(std::string_view header, const std::vector<std::string>& names);

}  // namespace lunscope
