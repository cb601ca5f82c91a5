// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value, or why there is none. Environment failures travel as values; exceptions do
// not cross our functions. An Error carries the exit code that its kind ends the program with.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace lunscope {

enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,      // an address in use, an output that cannot be written
  kUsage = 2,        // options that make no sense
  kUnsupported = 3,  // the kernel lacks something
  kPermission = 4,   // this process may not
};

// What was attempted, what went wrong, and what to do about it, in one line.
struct Error {
  ExitCode code;
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : value_(std::move(error)) {}

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(value_); }
  // REQUIRES: ok().
  T& value() { return std::get<T>(value_); }
  // REQUIRES: !ok().
  [[nodiscard]] const Error& error() const { return std::get<Error>(value_); }

 private:
  std::variant<T, Error> value_;
};

struct Nothing {};
using Status = Result<Nothing>;

}  // namespace lunscope
