// SPDX-License-Identifier: Apache-2.0
#include "collector/replay/byte_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lunscope {
namespace {

constexpr size_t kBlockBytes = 65536;
constexpr size_t kBeginningBytes = 4;  // a magic number

Error CannotRead(const std::string& path, const char* reason) {
  return {ExitCode::kFailure, fmt::format("cannot read the capture {}: {}", path, reason)};
}

archive* NewArchive() {
  archive* bytes = archive_read_new();
  archive_read_support_filter_gzip(bytes);
  archive_read_support_filter_xz(bytes);
  archive_read_support_filter_zstd(bytes);
  archive_read_support_filter_bzip2(bytes);
  archive_read_support_filter_lz4(bytes);
  archive_read_support_format_raw(bytes);
  archive_read_support_format_empty(bytes);
  return bytes;
}

}  // namespace

Result<std::unique_ptr<ByteStream>> ByteStream::Open(const std::string& path) {
  const int file = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return Error{ExitCode::kFailure,
                 fmt::format("cannot open the capture {}: {}", path, std::strerror(errno))};
  }
  struct stat status {};
  const bool is_known = fstat(file, &status) == 0;
  if (is_known && S_ISDIR(status.st_mode)) {
    close(file);
    return CannotRead(path, std::strerror(EISDIR));
  }
  // Owns the archive from here on; the archive does not close the descriptor.
  std::unique_ptr<ByteStream> stream(
      new ByteStream(NewArchive(), file, is_known && S_ISREG(status.st_mode)));
  archive_entry* entry = nullptr;
  if (archive_read_open_fd(stream->archive_, file, kBlockBytes) != ARCHIVE_OK)
    return CannotRead(path, archive_error_string(stream->archive_));
  const int header = archive_read_next_header(stream->archive_, &entry);
  if (header == ARCHIVE_EOF)
    return Error{ExitCode::kFailure, fmt::format("the capture {} is empty", path)};
  if (header != ARCHIVE_OK) return CannotRead(path, archive_error_string(stream->archive_));
  std::string beginning(kBeginningBytes, '\0');
  const ssize_t bytes = stream->Read(beginning.data(), beginning.size());
  if (bytes < 0) return CannotRead(path, stream->error_.c_str());
  if (bytes == 0) return Error{ExitCode::kFailure, fmt::format("the capture {} is empty", path)};
  beginning.resize(static_cast<size_t>(bytes));
  stream->beginning_ = std::move(beginning);
  return stream;
}

ByteStream::~ByteStream() {
  archive_read_free(archive_);
  close(file_);
}

ssize_t ByteStream::Read(char* to, size_t bytes) {
  if (given_ < beginning_.size()) {
    const size_t count = std::min(bytes, beginning_.size() - given_);
    std::memcpy(to, &beginning_[given_], count);
    given_ += count;
    return static_cast<ssize_t>(count);
  }
  const ssize_t count = archive_read_data(archive_, to, bytes);
  if (count >= 0) return count;
  const char* reason = archive_error_string(archive_);
  error_ = reason != nullptr ? reason : "unknown error";
  return -1;
}

ssize_t ByteStream::ReadCookie(void* stream, char* to, size_t bytes) {
  const ssize_t count = static_cast<ByteStream*>(stream)->Read(to, bytes);
  if (count < 0) errno = EIO;
  return count;
}

std::FILE* ByteStream::OpenFile() {
  cookie_io_functions_t functions{};
  functions.read = &ByteStream::ReadCookie;
  return fopencookie(this, "rb", functions);
}

}  // namespace lunscope
