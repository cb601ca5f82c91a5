// SPDX-License-Identifier: Apache-2.0
//
// An endpoint without programs in the kernel, for attacks_test.py: a page of so many bytes at
// /metrics, until SIGTERM.
//
//   endpoint_server PORT BYTES
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

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

int Serve(uint16_t port, size_t bytes) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  signal(SIGPIPE, SIG_IGN);
  auto endpoint =
      Endpoint::Start({"127.0.0.1", port}, {.metrics_path = "/metrics",
                                            .metrics = [bytes] { return PageOf(bytes); },
                                            .pages = {},
                                            .allowed_hosts = {},
                                            .cut_clients = nullptr});
  if (!endpoint.ok()) {
    std::fprintf(stderr, "%s\n", endpoint.error().message.c_str());
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return 0;
}

}  // namespace
}  // namespace lunscope

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return lunscope::Serve(static_cast<uint16_t>(std::atoi(argv[1])),
                         static_cast<size_t>(std::atoll(argv[2])));
}
