// SPDX-License-Identifier: Apache-2.0
#include "collector/web/listener.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace lunscope {
namespace {

constexpr int kBacklog = 1024;

Error CannotListen(const ListenAddress& address, const char* cause) {
  return Error{ExitCode::kFailure,
               fmt::format("cannot listen on {}: {}; choose another address with "
                           "--web.listen-address",
                           address.Authority(), cause)};
}

// Returns -1 and sets errno if the system refuses.
int ListenOn(const addrinfo& found) {
  const int socket = ::socket(found.ai_family, found.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  const int yes = 1;
  const int no = 0;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (found.ai_family == AF_INET6)  // "" stands for IPv4 as well
    setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
  if (bind(socket, found.ai_addr, found.ai_addrlen) == 0 && listen(socket, kBacklog) == 0)
    return socket;
  const int error = errno;
  close(socket);
  errno = error;
  return -1;
}

}  // namespace

Result<int> Listen(const ListenAddress& address) {
  const std::string host = address.host.empty() ? "::" : address.host;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int unresolved =
      getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &wanted, &found);
  if (unresolved != 0) return CannotListen(address, gai_strerror(unresolved));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (const int socket = ListenOn(*each); socket >= 0) return socket;
  }
  return CannotListen(address, std::strerror(errno));
}

}  // namespace lunscope
