// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "collector/base/result.h"
#include "collector/web/listen_address.h"

namespace lunscope {

// A socket that listens: not shared with another process, and it does not block. The file of a Unix
// socket is for its owner and group (mode 0660), and goes with the listener.
class Listener {
 public:
  // The error (kFailure) has the address and the system's message.
  static Result<Listener> Open(const ListenAddress& address);
  static Result<std::vector<Listener>> OpenAll(const std::vector<ListenAddress>& addresses);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  [[nodiscard]] const ListenAddress& address() const { return address_; }
  // The caller closes it.
  int ReleaseSocket();

 private:
  Listener(int socket, ListenAddress address) : socket_(socket), address_(std::move(address)) {}

  int socket_;
  ListenAddress address_;
};

}  // namespace lunscope
