// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a file or of standard input, without their compression (gzip, xz, zstd, bzip2, lz4).
// Only libarchive's own decoders run: it starts no program. One thread.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "collector/base/result.h"

struct archive;

namespace lunscope {

class ByteStream {
 public:
  // path: "-" is standard input.
  static Result<std::unique_ptr<ByteStream>> Open(const std::string& path);

  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // The bytes as a C stream, which belongs to the caller. It must be closed before this object
  // ends. REQUIRES: called once.
  std::FILE* OpenFile();
  // The first bytes, without reading past them; shorter at the end.
  [[nodiscard]] const std::string& beginning() const { return beginning_; }
  // Can the same bytes be read again? Else somebody may be writing them just now.
  [[nodiscard]] bool is_regular() const { return is_regular_; }
  // The reason why reading failed; "": it did not.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  ByteStream(archive* bytes, int file, bool is_regular)
      : archive_(bytes), file_(file), is_regular_(is_regular) {}

  static ssize_t ReadCookie(void* stream, char* to, size_t bytes);
  ssize_t Read(char* to, size_t bytes);

  archive* const archive_;
  const int file_;
  const bool is_regular_;
  std::string beginning_;
  size_t given_ = 0;  // of beginning_
  std::string error_;
};

}  // namespace lunscope
