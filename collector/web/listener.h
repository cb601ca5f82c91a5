// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "collector/base/result.h"
#include "collector/web/listen_address.h"

namespace lunscope {

// A socket that listens: not shared with another process, and it does not block. The file of a Unix
// socket is for its owner and group (mode 0660), and goes with the listener.
class Listener {
 public:
  // The error (kFailure) has the address and the system's message.
  static Result<Listener> Open(const ListenAddress& address);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // The caller closes it.
  int ReleaseSocket();

 private:
  Listener(int socket, std::string path) : socket_(socket), path_(std::move(path)) {}

  int socket_;
  std::string path_;  // "": no file
};

}  // namespace lunscope
