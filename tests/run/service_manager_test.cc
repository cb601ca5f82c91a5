// SPDX-License-Identifier: Apache-2.0
//
// The words of lunscope to a service manager: a socket of the test's own stands for systemd's.
#include "collector/run/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace lunscope {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

// A datagram socket in the abstract namespace.
class Manager {
 public:
  Manager() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path + 1, name_.size());
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    const int bound = bind(socket_, reinterpret_cast<const sockaddr*>(&address), bytes);
    EXPECT_EQ(bound, 0);
    setenv("NOTIFY_SOCKET", ("@" + name_).c_str(), 1);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    close(socket_);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }

  // The next datagram; "": no further one came.
  std::string Heard() const {
    std::array<char, 512> room{};
    const ssize_t bytes = recv(socket_, room.data(), room.size(), MSG_DONTWAIT);
    return bytes <= 0 ? "" : std::string(room.data(), static_cast<size_t>(bytes));
  }

 private:
  const std::string name_ = "lunscope-test-" + std::to_string(getpid());
  const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST(ServiceManager, HearsEachStep) {
  const Manager systemd;
  ServiceManager manager;
  EXPECT_TRUE(manager.is_there());
  manager.Ready("serving http://127.0.0.1:13260/metrics");
  EXPECT_EQ(systemd.Heard(), "READY=1\nSTATUS=serving http://127.0.0.1:13260/metrics");
  manager.Reloading(5'000'000);
  EXPECT_EQ(systemd.Heard(), "RELOADING=1\nMONOTONIC_USEC=5000");
  manager.Ready();
  EXPECT_EQ(systemd.Heard(), "READY=1");
  manager.Stopping();
  EXPECT_EQ(systemd.Heard(), "STOPPING=1");
  EXPECT_EQ(systemd.Heard(), "");
}

TEST(ServiceManager, TheWatchdogHearsAtHalfItsTime) {
  const Manager systemd;
  setenv("WATCHDOG_USEC", "30000000", 1);
  ServiceManager manager;
  uint64_t heard = 0;
  for (uint64_t second = 100; second < 200; second++) {
    manager.Alive(second * kSecondNs);
    if (systemd.Heard() == "WATCHDOG=1") heard++;
  }
  EXPECT_EQ(heard, 7U);  // every 15 s of 100
}

TEST(ServiceManager, WithoutAWatchdogNothing) {
  const Manager systemd;
  ServiceManager manager;
  manager.Alive(100 * kSecondNs);
  EXPECT_EQ(systemd.Heard(), "");
}

TEST(ServiceManager, ProgramsThatItRunsDoNotSpeakForIt) {
  const Manager systemd;
  const ServiceManager manager;
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
}

// No such variable, one without a name, one that is too long, and a socket where nobody listens.
TEST(ServiceManager, NobodyListens) {
  for (const std::string& path :
       {std::string(), std::string(200, 'a'), std::string("/nonexistent")}) {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ServiceManager manager;
    manager.Ready("");
    manager.Alive(kSecondNs);
    manager.Stopping();
  }
  EXPECT_FALSE(ServiceManager().is_there());
}

}  // namespace
}  // namespace lunscope
