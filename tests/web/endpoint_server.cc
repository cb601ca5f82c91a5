// SPDX-License-Identifier: Apache-2.0
//
// An endpoint without programs in the kernel, for tests in Python: a page of so many bytes at
// /metrics and another one at /events, until SIGTERM. CONFIG is a web configuration file, which
// SIGHUP reads again, or "".
//
//   endpoint_server BYTES CONFIG ADDRESS...
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "collector/web/endpoint.h"

namespace lunscope {
namespace {

// Lines like those of a real page, of which no two are the same.
std::string PageOf(size_t bytes) {
  std::string page;
  page.reserve(bytes);
  for (size_t line = 0; page.size() < bytes; line++)
    page += "lunscope_commands_total{lun=\"" + std::to_string(line) + "\"} " +
            std::to_string(line * line) + "\n";
  return page;
}

// The signals that this process waits for.
sigset_t BlockSignals() {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return awaited;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  return static_cast<int>(error.code);
}

void Tell(const char* text) {
  std::puts(text);
  std::fflush(stdout);
}

int Serve(size_t bytes, const std::string& config, const std::vector<std::string>& texts) {
  const sigset_t awaited = BlockSignals();
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    Result<ListenAddress> address = ListenAddress::Parse(text);
    if (!address.ok()) return Fail(address.error());
    addresses.push_back(address.value());
  }
  Result<std::shared_ptr<Access>> access = Access::Load(config);
  if (!access.ok()) return Fail(access.error());
  Result<std::vector<Listener>> listeners = Listener::OpenAll(addresses);
  if (!listeners.ok()) return Fail(listeners.error());
  auto endpoint = Endpoint::Start(
      {.listeners = std::move(listeners.value()),
       .metrics_path = "/metrics",
       .metrics = [bytes] { return PageOf(bytes); },
       .pages = {{kEventsPath, "text/plain; charset=utf-8", [bytes] { return PageOf(bytes); }}},
       .allowed_hosts = {},
       .access = access.value(),
       .counts = nullptr});
  if (!endpoint.ok()) return Fail(endpoint.error());
  Tell("ready");
  for (int signal = 0; sigwait(&awaited, &signal) == 0 && signal == SIGHUP;) {
    Status reloaded = access.value()->Reload();
    Tell(reloaded.ok() ? "reloaded" : reloaded.error().message.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace lunscope

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  return lunscope::Serve(static_cast<size_t>(std::atoll(argv[1])), argv[2],
                         std::vector<std::string>(argv + 3, argv + argc));
}
