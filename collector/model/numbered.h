// SPDX-License-Identifier: Apache-2.0
//
// A table of values by number, each of which has its number in a member `id`. A value does not move
// while it is in the table. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace lunscope {

// kRecent: how many values are found without a search, by their number modulo kRecent.
template <typename Value, size_t kRecent>
class Numbered {
 public:
  // The value of this number. If it is new, `begin` is called with it first.
  template <typename Begin>
  Value& At(uint64_t id, const Begin& begin) {
    Value*& recent = recent_[id % kRecent];
    if (recent != nullptr && recent->id == id) return *recent;
    const auto [entry, is_new] = values_.try_emplace(id);
    recent = &entry->second;
    if (is_new) {
      recent->id = id;
      begin(*recent);
    }
    return *recent;
  }

  // nullptr if the table has no such number.
  [[nodiscard]] const Value* Find(uint64_t id) const {
    const auto found = values_.find(id);
    return found == values_.end() ? nullptr : &found->second;
  }
  Value* Find(uint64_t id) {
    const auto found = values_.find(id);
    return found == values_.end() ? nullptr : &found->second;
  }

  void Forget(uint64_t id) {
    Value*& recent = recent_[id % kRecent];
    if (recent != nullptr && recent->id == id) recent = nullptr;
    values_.erase(id);
  }

  [[nodiscard]] const std::map<uint64_t, Value>& all() const { return values_; }
  std::map<uint64_t, Value>& all() { return values_; }

 private:
  std::vector<Value*> recent_ = std::vector<Value*>(kRecent);
  std::map<uint64_t, Value> values_;
};

}  // namespace lunscope
