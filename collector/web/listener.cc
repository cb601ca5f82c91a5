// SPDX-License-Identifier: Apache-2.0
#include "collector/web/listener.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace lunscope {
namespace {

constexpr int kBacklog = 1024;
constexpr mode_t kSocketMode = 0660;

Error CannotListen(const ListenAddress& address, const char* cause) {
  return Error{ExitCode::kFailure,
               fmt::format("cannot listen on {}: {}; choose another address with "
                           "--web.listen-address",
                           address.Text(), cause)};
}

int CloseAndFail(int socket) {
  const int error = errno;
  close(socket);
  errno = error;
  return -1;
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
  return CloseAndFail(socket);
}

// A process that was killed leaves its socket's file, where nobody listens any more. connect() says
// the same of a file that is no socket.
void RemoveStale(const sockaddr_un& address) {
  struct stat file {};
  if (lstat(address.sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (connect(socket, generic, sizeof(address)) != 0 && errno == ECONNREFUSED)
    unlink(address.sun_path);
  close(socket);
}

// Returns -1 and sets errno if the system refuses.
int ListenOnPath(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  RemoveStale(address);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -1;
  if (bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return CloseAndFail(socket);
  // Nobody can connect before listen().
  if (chmod(path.c_str(), kSocketMode) == 0 && listen(socket, kBacklog) == 0) return socket;
  unlink(path.c_str());
  return CloseAndFail(socket);
}

}  // namespace

Result<Listener> Listener::Open(const ListenAddress& address) {
  if (address.is_unix()) {
    const int socket = ListenOnPath(address.path);
    if (socket < 0) return CannotListen(address, std::strerror(errno));
    return Listener(socket, address);
  }
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
    if (const int socket = ListenOn(*each); socket >= 0) return Listener(socket, address);
  }
  return CannotListen(address, std::strerror(errno));
}

Result<std::vector<Listener>> Listener::OpenAll(const std::vector<ListenAddress>& addresses) {
  std::vector<Listener> listeners;
  for (const ListenAddress& address : addresses) {
    Result<Listener> listener = Open(address);
    if (!listener.ok()) return listener.error();
    listeners.push_back(std::move(listener.value()));
  }
  return listeners;
}

Listener::Listener(Listener&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), address_(std::exchange(other.address_, {})) {}

Listener::~Listener() {
  if (socket_ >= 0) close(socket_);
  if (address_.is_unix()) unlink(address_.path.c_str());
}

int Listener::ReleaseSocket() { return std::exchange(socket_, -1); }

}  // namespace lunscope
