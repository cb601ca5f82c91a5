// SPDX-License-Identifier: Apache-2.0
//
// Stand-ins for names and addresses, for a report that leaves the house: "initiator-1", "host-2".
// The same name has the same stand-in as long as this lives, in a cell of its own and in the middle
// of a sentence. A value: one thread.
//
// A sentence is read from left to right. Where a word begins, the longest of these counts: a name
// that was given a stand-in, a name of the RFC's forms (iqn., eui., naa.), an IP address. So a name
// that nobody announced has a stand-in, too, if it has one of these forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lunscope {

enum class NameKind : uint8_t {
  kInitiator,
  kTarget,
  kHost,  // of an address
  kGuest,
  kProcess,
  kSerial,
  kWwid,
  kProduct,
  kDevice,
  kMount,
  kAlias,
  kCapture,
  kName,  // in a sentence, of what is not known
  kCount
};

class StandIns {
 public:
  // Beyond, all names of a kind share one stand-in.
  static constexpr size_t kMaxNames = 65'536;

  // is_on: false: every name stands for itself.
  explicit StandIns(bool is_on = false) : is_on_(is_on) {}

  [[nodiscard]] bool is_on() const { return is_on_; }
  // The stand-in of this name. "", and what the model says where it knows no name, stay.
  std::string Of(NameKind kind, std::string_view name);
  // "192.0.2.1:3260" becomes "host-1:3260". A host may be a name of DNS. Behind a port may be more.
  std::string OfAddress(std::string_view address);
  // All names of initiators, targets and hosts in the sentence. Others have no place in sentences.
  std::string In(std::string_view sentence);

 private:
  struct StandIn {
    std::string text;
    bool is_in_sentences = false;
  };

  // How many characters at the front of the text are a name that is to be replaced; 0: none.
  [[nodiscard]] size_t KnownAtFront(std::string_view text) const;

  bool is_on_;
  std::map<std::string, StandIn, std::less<>> names_;
  size_t longest_ = 0;  // of the names in sentences
  size_t last_[static_cast<size_t>(NameKind::kCount)] = {};
};

}  // namespace lunscope
