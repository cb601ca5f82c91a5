// SPDX-License-Identifier: Apache-2.0
#include "collector/run/file_writer.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "collector/base/whole_file.h"

namespace lunscope {
namespace {

// Returns 0, or errno.
int SendAll(int socket, const void* bytes, size_t count) {
  const auto* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t sent = send(socket, at, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno;
    at += sent;
    count -= static_cast<size_t>(sent);
  }
  return 0;
}

// How many bytes came before the end.
size_t ReceiveAll(int socket, void* bytes, size_t count) {
  auto* const at = static_cast<char*>(bytes);
  size_t done = 0;
  while (done < count) {
    const ssize_t received = recv(socket, at + done, count - done, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) break;
    done += static_cast<size_t>(received);
  }
  return done;
}

void Answer(int socket, int error) {
  const auto answer = static_cast<int32_t>(error);
  SendAll(socket, &answer, sizeof(answer));
}

// The life of the process: a file beside, the length and the text, the rename. If the text is not
// whole, the other process has ended, and there is no file.
void Serve(int socket, const std::string& path) {
  WholeFile file(path);
  const int error = file.Create();
  Answer(socket, error);
  uint64_t bytes = 0;
  if (error != 0 || ReceiveAll(socket, &bytes, sizeof(bytes)) != sizeof(bytes)) return;
  std::string text(bytes, '\0');
  if (ReceiveAll(socket, text.data(), text.size()) != text.size()) return;
  Answer(socket, file.Finish(text));
}

}  // namespace

Result<std::unique_ptr<FileWriter>> FileWriter::Start(const std::string& path) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return WholeFile::ErrorOf(path, errno);
  const pid_t process = fork();
  if (process < 0) {
    const int error = errno;
    for (const int end : ends) close(end);
    return WholeFile::ErrorOf(path, error);
  }
  if (process == 0) {
    close(ends[0]);
    // These are for the other process, whose end is seen at the socket.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1})
      std::signal(signal, SIG_IGN);
    Serve(ends[1], path);
    _exit(0);
  }
  close(ends[1]);
  std::unique_ptr<FileWriter> writer(new FileWriter(path, process, ends[0]));
  if (const int error = writer->ReadAnswer(); error != 0) return WholeFile::ErrorOf(path, error);
  return writer;
}

FileWriter::~FileWriter() {
  close(socket_);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

int FileWriter::ReadAnswer() const {
  int32_t answer = 0;
  return ReceiveAll(socket_, &answer, sizeof(answer)) == sizeof(answer) ? answer : EPIPE;
}

Status FileWriter::Write(std::string_view text) {
  const uint64_t bytes = text.size();
  int error = SendAll(socket_, &bytes, sizeof(bytes));
  if (error == 0) error = SendAll(socket_, text.data(), text.size());
  if (error == 0) error = ReadAnswer();
  if (error != 0) return WholeFile::ErrorOf(path_, error);
  return Nothing{};
}

}  // namespace lunscope
