// SPDX-License-Identifier: Apache-2.0
//
// A process of its own that writes one file at the end of a run. It begins before this process
// gives up its rights (privileges.h), and keeps those that it needs: to write into a folder of
// another user, and to rename. It reads nothing but the text from this process, and knows its one
// path.
//
// Rejected: to keep CAP_DAC_OVERRIDE and rename() in this process, which reads what peers send.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "collector/base/result.h"

namespace lunscope {

class FileWriter {
 public:
  // The error (kFailure) says why there can be no such file. REQUIRES: this process has one thread.
  static Result<std::unique_ptr<FileWriter>> Start(const std::string& path);
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  ~FileWriter();  // without Write() there is no file

  // All of the text, once. The error (kFailure) names the file.
  Status Write(std::string_view text);

 private:
  FileWriter(std::string path, pid_t process, int socket)
      : path_(std::move(path)), process_(process), socket_(socket) {}

  // The answer of the process: 0, or errno.
  [[nodiscard]] int ReadAnswer() const;

  const std::string path_;
  const pid_t process_;
  const int socket_;
};

}  // namespace lunscope
