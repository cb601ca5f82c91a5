// SPDX-License-Identifier: Apache-2.0
//
// Names of targets for the narrow column of a table. The end of a name says more than its
// beginning: "..storage.disk1". Each short form stands for one name for good, and whoever shows it
// for the first time says which. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace lunscope {

class ShortNames {
 public:
  // Names of up to so many characters are not cut.
  explicit ShortNames(size_t columns) : columns_(columns) {}

  // A name that is too long has its end behind "..", and a number behind that if another name ends
  // alike: "..disk1#2".
  const std::string& Of(const std::string& name);
  // "..storage.disk1 is iqn.2024-01.org.example:storage.disk1" for each that is new since the last
  // call.
  std::vector<std::string> TakeNew();

 private:
  const size_t columns_;
  std::map<std::string, std::string> shorts_;  // by name; only of names that are cut
  std::set<std::string> taken_;                // short forms
  std::map<std::string, size_t> numbers_;      // the last one, by the end of a name
  std::vector<std::string> new_;
};

}  // namespace lunscope
