// SPDX-License-Identifier: Apache-2.0
//
// A file that is there as a whole or not at all. Its text goes into a file beside it, with another
// name, which takes the place of the old one by a rename. Not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "collector/base/result.h"

namespace lunscope {

class WholeFile {
 public:
  explicit WholeFile(std::string path) : path_(std::move(path)) {}
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;
  ~WholeFile();  // what was not finished is removed

  // These return 0, or errno. Create the file beside it, with mode 0640 or what umask leaves of it.
  int Create();
  // The text, then the rename. REQUIRES: Create() returned 0.
  int Finish(std::string_view text);

  // The error (kFailure) with the file's name: what went wrong.
  static Error ErrorOf(const std::string& path, int error);

 private:
  int Fill(std::string_view text) const;

  const std::string path_;
  std::string beside_;  // the name of the file beside it; "": none
  int descriptor_ = -1;
};

// Both steps at once.
Status WriteWhole(const std::string& path, std::string_view text);

}  // namespace lunscope
