// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value, or the error that prevented it. A failure of the environment is a value, for
// exceptions do not cross our functions. A broken invariant of our own is an assert.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace lunscope {

enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,      // an address in use, an output that cannot be written
  kUsage = 2,        // options that do not make sense
  kUnsupported = 3,  // the kernel lacks a feature
  kPermission = 4,   // the process lacks a right
  kFindings = 10,    // `diagnose` found a warning, or worse
};

struct Error {
  ExitCode code;        // with which this kind of error ends the program
  std::string message;  // one line: what was attempted, what went wrong, what to do about it
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
