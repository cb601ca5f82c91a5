// SPDX-License-Identifier: Apache-2.0
//
// The one writer of JSON (RFC 8259). It appends to a string from front to back, and allocates
// nothing but the memory of that string.
//
//   void FillTarget(json::Members& target, const std::string& name) {
//     target.String("target", name);
//     target.Array("addresses", [](json::Elements& list) { list.String("192.0.2.1:3260"); });
//   }
//   const std::string text = json::Object(FillTarget, "iqn.disk");
//
// The types keep the text well-formed. An object takes values with a key, and an array takes values
// without one. Each is closed when the function that fills it returns. Two rules remain for the
// caller. It uses a key once in an object, and it adds nothing to a value while it fills a value
// within it (asserted).
//
// The text is printable ASCII, so that it is safe on a terminal: every other character is an
// escape. A byte that is not UTF-8 becomes U+FFFD.
//
// Rejected: nlohmann-json, which the tests use to read this writer's text. It builds a tree of
// allocated nodes for each line.
#pragma once

#include <cassert>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lunscope::json {

// Objects and arrays nest at most this deep; the outermost is at depth 1. A value below that is
// null, and the function that would fill it is not called.
inline constexpr int kMaxDepth = 16;

class Members;
class Elements;

// The common part of objects and arrays: values with commas between them.
class Container {
 public:
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

 protected:
  Container(std::string& text, int depth) : text_(text), depth_(depth) {}
  ~Container() = default;

  void Separate();
  void AppendString(std::string_view value);
  template <typename Inner, typename Fill, typename... Arguments>
  void Nest(std::string_view brackets, Fill&& fill, Arguments&&... arguments);

  std::string& text_;

 private:
  const int depth_;
  bool is_empty_ = true;
  bool is_nesting_ = false;
};

// The members of an object: pairs of key and value, in the order of the calls.
class Members : public Container {
 public:
  Members(std::string& text, int depth) : Container(text, depth) {}

  void String(std::string_view key, std::string_view value);
  void Number(std::string_view key, uint64_t value);
  // With exactly this many digits behind the point. Infinity and NaN, which JSON lacks, are null.
  void Decimal(std::string_view key, double value, int digits);
  void Flag(std::string_view key, bool value);
  // A string of two hex digits for each byte, of the bytes and then of the rest.
  void Hex(std::string_view key, std::span<const uint8_t> bytes,
           std::span<const uint8_t> rest = {});
  // fill(Members&, arguments...) writes the members of the object.
  template <typename Fill, typename... Arguments>
  void Object(std::string_view key, Fill&& fill, Arguments&&... arguments);
  // fill(Elements&, arguments...) writes the elements of the array.
  template <typename Fill, typename... Arguments>
  void Array(std::string_view key, Fill&& fill, Arguments&&... arguments);

 private:
  void Key(std::string_view key);
};

// The elements of an array.
class Elements : public Container {
 public:
  Elements(std::string& text, int depth) : Container(text, depth) {}

  void String(std::string_view value);
  // fill(Members&, arguments...) writes the members of the object.
  template <typename Fill, typename... Arguments>
  void Object(Fill&& fill, Arguments&&... arguments);
};

// The text of one object on one line, without a line end. fill(Members&, arguments...) writes its
// members.
template <typename Fill, typename... Arguments>
std::string Object(Fill&& fill, Arguments&&... arguments) {
  std::string text = "{";
  Members members(text, 1);
  std::invoke(std::forward<Fill>(fill), members, std::forward<Arguments>(arguments)...);
  text += '}';
  return text;
}

template <typename Inner, typename Fill, typename... Arguments>
void Container::Nest(std::string_view brackets, Fill&& fill, Arguments&&... arguments) {
  if (depth_ == kMaxDepth) {
    text_ += "null";
    return;
  }
  text_ += brackets.front();
  Inner inner(text_, depth_ + 1);
  is_nesting_ = true;
  std::invoke(std::forward<Fill>(fill), inner, std::forward<Arguments>(arguments)...);
  is_nesting_ = false;
  text_ += brackets.back();
}

template <typename Fill, typename... Arguments>
void Members::Object(std::string_view key, Fill&& fill, Arguments&&... arguments) {
  Key(key);
  Nest<Members>("{}", std::forward<Fill>(fill), std::forward<Arguments>(arguments)...);
}

template <typename Fill, typename... Arguments>
void Members::Array(std::string_view key, Fill&& fill, Arguments&&... arguments) {
  Key(key);
  Nest<Elements>("[]", std::forward<Fill>(fill), std::forward<Arguments>(arguments)...);
}

template <typename Fill, typename... Arguments>
void Elements::Object(Fill&& fill, Arguments&&... arguments) {
  Separate();
  Nest<Members>("{}", std::forward<Fill>(fill), std::forward<Arguments>(arguments)...);
}

}  // namespace lunscope::json
