// SPDX-License-Identifier: Apache-2.0
//
// A pointer that owns one value, or holds none. Copying the pointer copies the value, so a struct
// with such members needs no copy constructor of its own. Not for concurrent use.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace lunscope {

template <typename Value>
class DeepPtr {
 public:
  DeepPtr() = default;
  DeepPtr(const DeepPtr& other)
      : value_(other.value_ ? std::make_unique<Value>(*other.value_) : nullptr) {}
  DeepPtr(DeepPtr&& other) noexcept = default;
  DeepPtr& operator=(DeepPtr other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~DeepPtr() = default;

  // The value. It is made first if it does not exist yet.
  Value& Ensure() {
    if (!value_) value_ = std::make_unique<Value>();
    return *value_;
  }

  explicit operator bool() const { return value_ != nullptr; }
  bool operator==(std::nullptr_t) const { return value_ == nullptr; }
  // REQUIRES: there is a value.
  Value& operator*() { return *value_; }
  const Value& operator*() const { return *value_; }
  const Value* operator->() const { return value_.get(); }

 private:
  std::unique_ptr<Value> value_;
};

}  // namespace lunscope
