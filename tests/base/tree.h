// SPDX-License-Identifier: Apache-2.0
//
// Files and folders laid out like those of /sys and /proc, in a folder that the test makes and
// removes.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace lunscope {

// The folder is removed when the test ends.
class Tree : public ::testing::Test {
 protected:
  Tree() {
    std::string name = ::testing::TempDir() + "lunscope-host-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~Tree() override { std::filesystem::remove_all(root_); }

  void Put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = std::filesystem::path(root_) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  void PutLink(const std::string& path, const std::string& to) {
    const std::filesystem::path link = std::filesystem::path(root_) / path;
    std::filesystem::create_directories(link.parent_path());
    std::filesystem::create_symlink(to, link);
  }
  void PutFolder(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(root_) / path);
  }

  std::string root_;
};

}  // namespace lunscope
