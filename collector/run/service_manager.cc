// SPDX-License-Identifier: Apache-2.0
#include "collector/run/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

namespace lunscope {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

ServiceManager::ServiceManager() {
  const std::string path = Variable("NOTIFY_SOCKET");
  unsetenv("NOTIFY_SOCKET");
  if (path.empty() || path.size() >= sizeof(address_.sun_path)) return;
  address_.sun_family = AF_UNIX;
  path.copy(address_.sun_path, path.size());
  if (path.front() == '@') address_.sun_path[0] = '\0';
  address_bytes_ = static_cast<uint32_t>(offsetof(sockaddr_un, sun_path) + path.size());
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // Half of what the watchdog allows, as sd_watchdog_enabled(3) advises.
  watchdog_ns_ = std::strtoull(Variable("WATCHDOG_USEC").c_str(), nullptr, 10) * 1000 / 2;
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

void ServiceManager::Ready(const std::string& status) {
  Say(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::Ready() { Say("READY=1"); }

void ServiceManager::Reloading(uint64_t now_ns) {
  Say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now_ns / 1000));
}

void ServiceManager::Stopping() { Say("STOPPING=1"); }

void ServiceManager::Alive(uint64_t now_ns) {
  if (watchdog_ns_ == 0 || now_ns - alive_ns_ < watchdog_ns_) return;
  alive_ns_ = now_ns;
  Say("WATCHDOG=1");
}

void ServiceManager::Say(const std::string& lines) const {
  if (socket_ < 0) return;
  // A manager that does not read must not stop the program.
  [[maybe_unused]] const auto sent =
      sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address_), address_bytes_);
}

}  // namespace lunscope
