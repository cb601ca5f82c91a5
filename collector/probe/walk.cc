// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/walk.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "collector/base/record.h"

namespace lunscope {

Status ConnectionWalk::Attach(const lunscope_bpf& skeleton) {
  is_of_sockets_ = !bpf_program__autoload(skeleton.progs.connection_walk);
  link_ = AttachProgram(
      skeleton, is_of_sockets_ ? skeleton.progs.socket_walk : skeleton.progs.connection_walk);
  if (!link_) return KernelError("attaching the walk over connections", errno);
  return Nothing{};
}

void ConnectionWalk::Learn(const lunscope_record& record) {
  if (!is_of_sockets_) return;
  const auto* connection = RecordAs<lunscope_connection_record>(record);
  if (connection != nullptr) namespaces_.Learn(connection->network_namespace, connection->process);
}

Status ConnectionWalk::Run(const Take& take) {
  if (is_of_sockets_) return namespaces_.ForEach([&] { return RunHere(take); });
  Result<bool> walked = RunHere(take);
  if (!walked.ok()) return walked.error();
  return Nothing{};
}

Result<bool> ConnectionWalk::RunHere(const Take& take) {
  const int fd = bpf_iter_create(bpf_link__fd(link_.get()));
  if (fd < 0) return KernelError("walking the connections", errno);
  // A read ends between two records or within one; what is left over waits for its rest.
  size_t have = 0;
  ssize_t got = 0;
  bool has_any = false;
  while ((got = read(fd, buffer_.data() + have, buffer_.size() - have)) > 0) {
    has_any = true;
    have = HandWhole(have + static_cast<size_t>(got), take);
  }
  const int error = errno;
  close(fd);
  if (got < 0) return KernelError("reading the walk over the connections", error);
  return has_any;
}

size_t ConnectionWalk::HandWhole(size_t have, const Take& take) {
  size_t at = 0;
  while (have - at >= sizeof(lunscope_record)) {
    lunscope_record header;
    std::memcpy(&header, buffer_.data() + at, sizeof(header));
    if (header.bytes < sizeof(header) || header.bytes > have - at) break;
    take(buffer_.data() + at, header.bytes);
    at += header.bytes;
  }
  std::memmove(buffer_.data(), buffer_.data() + at, have - at);
  return have - at;
}

}  // namespace lunscope
