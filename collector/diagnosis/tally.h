// SPDX-License-Identifier: Apache-2.0
//
// Happenings of late, counted by their kind and their subject: refused logins, sessions that were
// taken over, aborts. Not thread-safe: one thread at a time.
//
// The table is bounded. At the limit the entry that was quiet for longest makes room.
#pragma once

#include <lunscope/records.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collector/diagnosis/subject.h"
#include "collector/model/applied.h"

namespace lunscope {

enum class Happening : uint8_t {
  kLoggedIn,
  kLoginRefused,     // code: status class and detail
  kTakenOver,        // from another address
  kLoginUnanswered,  // for 5 s
  kLoginCut,         // the target ended the connection before it answered the login
  kConnectRefused,
  kConnectUnanswered,
  kTargetIsSilent,     // a ping of the initiator has no answer; code: 1 if commands are answered
  kInitiatorIsSilent,  // a ping of the target
  kDropped,            // a session lost its connection without a logout; code: lunscope_end
  kTaskRequested,      // code: the function
  kTaskAnswered,       // code: the response
  kRejected,           // code: the reason
  kWrongDigest,
};

struct TallyKey {
  Happening what;
  uint16_t code = 0;
  Subject subject = {};
  auto operator<=>(const TallyKey&) const = default;
};

// REQUIRES of its functions: Add() was called.
struct TallyEntry {
  static constexpr size_t kKeptTimes = 16;

  uint64_t count = 0;
  uint64_t first_ns = 0;
  uint64_t last_ns = 0;
  std::array<uint64_t, kKeptTimes> times{};  // the last ones, by count modulo their number
  std::string example;                       // a sentence: the last one

  void Add(uint64_t time_ns);
  // How many were at this time or later; kKeptTimes stands for that many or more.
  [[nodiscard]] size_t Since(uint64_t time_ns) const;
  // As evidence: none, or one sentence.
  [[nodiscard]] std::vector<std::string> Evidence() const;
};

class Tally {
 public:
  static constexpr size_t kMaxEntries = 1024;
  // An entry that was quiet for so long is forgotten. REQUIRES of rules: they look no further back.
  static constexpr uint64_t kKeptNs = 600'000'000'000;

  // applied: what the model made of the record. A record of a command changes nothing.
  void Take(const lunscope_record& record, const Applied& applied);
  void Age(uint64_t now_ns);

  [[nodiscard]] const std::map<TallyKey, TallyEntry>& all() const { return entries_; }
  // Happenings of entries that made room.
  [[nodiscard]] uint64_t left_out() const { return left_out_; }
  // nullptr: it did not happen.
  [[nodiscard]] const TallyEntry* Find(const TallyKey& key) const;

 private:
  void Add(const TallyKey& key, const lunscope_record& record, const Applied& applied);
  void TakePdu(const lunscope_pdu_record& pdu, const Applied& applied);
  void TakeLogin(const lunscope_pdu_record& pdu, const Applied& applied);
  void TakeEnd(const lunscope_record& record, const Applied& applied);
  void GiveUpTheQuietest();

  std::map<TallyKey, TallyEntry> entries_;
  uint64_t left_out_ = 0;
};

}  // namespace lunscope
