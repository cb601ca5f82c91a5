// SPDX-License-Identifier: Apache-2.0
#include "collector/probe/walk.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>

#include "collector/base/record.h"
#include "collector/probe/kernel_error.h"

namespace lunscope {

Link AttachWalk(const lunscope_bpf& skeleton, const bpf_program* program) {
  if (program == skeleton.progs.socket_walk) return Link(bpf_program__attach(program));
  bpf_iter_link_info info{};
  info.map.map_fd = static_cast<uint32_t>(bpf_map__fd(skeleton.maps.connections));
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
  return Link(bpf_program__attach_iter(program, &options));
}

Status ConnectionWalk::Attach(const lunscope_bpf& skeleton) {
  is_of_sockets_ = IsLoaded(skeleton.progs.socket_walk);
  link_ = AttachWalk(skeleton,
                     is_of_sockets_ ? skeleton.progs.socket_walk : skeleton.progs.connection_walk);
  if (!link_) return KernelError("attaching the walk over connections", errno);
  return Nothing{};
}

void ConnectionWalk::Learn(const lunscope_record& record) {
  if (!is_of_sockets_) return;
  const auto* connection = RecordAs<lunscope_connection_record>(record);
  if (connection != nullptr) namespaces_.Learn(connection->network_namespace, connection->process);
}

Status ConnectionWalk::Run(const RecordStream::Take& take) {
  // The kernel takes the namespace to walk from the thread that opens the iterator
  // (bpf_iter_init_seq_net()). Reading and take() need not be there.
  const auto open = [this] { return Open(); };
  const auto read = [&](int fd) { return Read(fd, take); };
  if (is_of_sockets_) return namespaces_.ForEach(open, read);
  Result<int> fd = open();
  if (!fd.ok()) return fd.error();
  Result<bool> walked = read(fd.value());
  if (!walked.ok()) return walked.error();
  return Nothing{};
}

Result<int> ConnectionWalk::Open() const {
  const int fd = bpf_iter_create(bpf_link__fd(link_.get()));
  if (fd < 0) return KernelError("walking the connections", errno);
  return fd;
}

Result<bool> ConnectionWalk::Read(int fd, const RecordStream::Take& take) {
  stream_.Begin();
  ssize_t got = 0;
  bool has_any = false;
  while ((got = read(fd, stream_.room().data(), stream_.room().size())) > 0) {
    has_any = true;
    stream_.Advance(static_cast<size_t>(got), take);
  }
  const int error = errno;
  close(fd);
  if (got < 0) return KernelError("reading the walk over the connections", error);
  stream_.End(take);
  return has_any;
}

}  // namespace lunscope
