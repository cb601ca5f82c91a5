// SPDX-License-Identifier: Apache-2.0
//
// Tells the service manager that started this process how it is. The protocol is sd_notify(3) of
// systemd: datagrams to the socket that NOTIFY_SOCKET names. Without one, nothing is said. One
// thread at a time.
//
// Rejected: libsystemd. It brings four libraries into a process that runs as root, for 30 lines;
// its manual has these lines, for programs that do without it.
#pragma once

#include <sys/un.h>

#include <cstdint>
#include <string>

namespace lunscope {

class ServiceManager {
 public:
  // Reads NOTIFY_SOCKET and WATCHDOG_USEC, and takes the first out of the environment, so that no
  // program which this process runs speaks for it.
  ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  ~ServiceManager();

  [[nodiscard]] bool is_there() const { return socket_ >= 0; }
  // status: one line for people.
  void Ready(const std::string& status);
  // From here to the next Ready() the configuration is read again.
  void Reloading(uint64_t now_ns);
  void Ready();
  void Stopping();
  // To be called again and again. Says so to the watchdog, not more often than it asks for.
  void Alive(uint64_t now_ns);

 private:
  void Say(const std::string& lines) const;

  int socket_ = -1;  // -1: nobody listens
  sockaddr_un address_{};
  uint32_t address_bytes_ = 0;
  uint64_t watchdog_ns_ = 0;  // 0: none
  uint64_t alive_ns_ = 0;     // when that was said
};

}  // namespace lunscope
