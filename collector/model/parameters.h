// SPDX-License-Identifier: Apache-2.0
//
// The operational parameters of a session: what each party said for a key in a login, and which
// value is in effect (RFC 7143 sections 6.2 and 13). kParameters is the only list of the keys.
// Values and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lunscope {

enum Party : uint8_t { kInitiatorParty, kTargetParty, kParties };

// How the value in effect follows from what the parties said.
enum class ResultFunction : uint8_t {
  kAnd,
  kOr,
  kMinimum,
  kMaximum,
  kChoice,               // one item of the offered list, chosen by the answer
  kDeclaredByInitiator,  // text; there is nothing to negotiate
  kDeclaredByTarget,
  kInitiatorNumber,  // a number that only the initiator declares
  kTargetNumber,
};

enum class Scope : uint8_t { kSession, kConnection };

struct Parameter {
  std::string_view key;
  std::string_view default_value;  // "": the key has no default
  uint32_t minimum;                // of numbers
  uint32_t maximum;
  ResultFunction result;
  Scope scope = Scope::kSession;
  bool is_for_discovery = true;      // false: irrelevant in a discovery session
  bool is_for_full_feature = false;  // may be declared again in full feature phase
};

inline constexpr uint32_t kMaxDataSegmentLength = (1U << 24) - 1;

inline constexpr Parameter kParameters[] = {
    // RFC 7143 13.1
    {"HeaderDigest", "None", 0, 0, ResultFunction::kChoice, Scope::kConnection},
    {"DataDigest", "None", 0, 0, ResultFunction::kChoice, Scope::kConnection},
    // 13.2
    {"MaxConnections", "1", 1, 65535, ResultFunction::kMinimum, Scope::kSession, false},
    // 13.6, 13.7
    {"TargetAlias", "", 0, 0, ResultFunction::kDeclaredByTarget, Scope::kSession, true, true},
    {"InitiatorAlias", "", 0, 0, ResultFunction::kDeclaredByInitiator, Scope::kSession, true, true},
    // 13.9
    {"TargetPortalGroupTag", "", 0, 65535, ResultFunction::kTargetNumber},
    // 13.10, 13.11
    {"InitialR2T", "Yes", 0, 0, ResultFunction::kOr, Scope::kSession, false},
    {"ImmediateData", "Yes", 0, 0, ResultFunction::kAnd, Scope::kSession, false},
    // 13.12: each party declares what it can receive, so each direction has its own value
    {"MaxRecvDataSegmentLength", "8192", 512, kMaxDataSegmentLength,
     ResultFunction::kInitiatorNumber, Scope::kConnection, true, true},
    {"MaxRecvDataSegmentLength", "8192", 512, kMaxDataSegmentLength, ResultFunction::kTargetNumber,
     Scope::kConnection, true, true},
    // 13.13, 13.14
    {"MaxBurstLength", "262144", 512, kMaxDataSegmentLength, ResultFunction::kMinimum,
     Scope::kSession, false},
    {"FirstBurstLength", "65536", 512, kMaxDataSegmentLength, ResultFunction::kMinimum,
     Scope::kSession, false},
    // 13.15, 13.16
    {"DefaultTime2Wait", "2", 0, 3600, ResultFunction::kMaximum},
    {"DefaultTime2Retain", "20", 0, 3600, ResultFunction::kMinimum},
    // 13.17
    {"MaxOutstandingR2T", "1", 1, 65535, ResultFunction::kMinimum, Scope::kSession, false},
    // 13.18, 13.19
    {"DataPDUInOrder", "Yes", 0, 0, ResultFunction::kOr, Scope::kSession, false},
    {"DataSequenceInOrder", "Yes", 0, 0, ResultFunction::kOr, Scope::kSession, false},
    // 13.20, 13.21
    {"ErrorRecoveryLevel", "0", 0, 2, ResultFunction::kMinimum},
    {"SessionType", "Normal", 0, 0, ResultFunction::kDeclaredByInitiator},
    // RFC 4850: what each party runs on
    {"X#NodeArchitecture", "", 0, 0, ResultFunction::kDeclaredByInitiator},
    {"X#NodeArchitecture", "", 0, 0, ResultFunction::kDeclaredByTarget},
    // 13.23
    {"TaskReporting", "RFC3720", 0, 0, ResultFunction::kChoice, Scope::kSession, false},
    // 13.24
    {"iSCSIProtocolLevel", "1", 0, 31, ResultFunction::kMinimum, Scope::kSession, false},
};
inline constexpr size_t kParameterCount = std::size(kParameters);

// The words of both parties for one key in one login. "": nothing.
struct Said {
  std::array<std::string, kParties> values;
  Party first = kInitiatorParty;  // this party said it first: it made the offer
};

// The value in effect after the parties said this.
std::string EffectiveValue(const Parameter& parameter, const Said& said);

// The lists that were offered, of the keys that choose one item; in the order of kParameters.
using Offers = std::vector<std::pair<std::string_view, std::string>>;

// By the parameter's place in kParameters. "": the parameter has no value, or it is not known.
using ParameterValues = std::array<std::string, kParameterCount>;

// One login: from its first PDU to its final response.
class Negotiation {
 public:
  // A key that may not be said twice keeps its first value (section 6.3).
  void Take(Party party, std::string_view key, const std::string& value);

  // The values in effect after the login has succeeded, for the parameters of this scope.
  [[nodiscard]] ParameterValues Effective(Scope scope) const;
  [[nodiscard]] Offers Offered() const;
  [[nodiscard]] bool IsDiscovery() const;

  // As the parties gave them; "" until then.
  [[nodiscard]] const std::string& initiator_name() const { return initiator_name_; }
  [[nodiscard]] const std::string& target_name() const { return target_name_; }
  [[nodiscard]] const std::string& target_address() const { return target_address_; }

 private:
  std::array<Said, kParameterCount> said_;
  std::string initiator_name_;
  std::string target_name_;
  std::string target_address_;  // the address of a redirection (13.8)
};

// A key in full feature phase: the declaration replaces an earlier one (13.12).
void DeclareAnew(Party party, std::string_view key, const std::string& value, Scope scope,
                 ParameterValues& values);

// The first value of this key. REQUIRES: it is one of kParameters.
const std::string& ValueOf(const ParameterValues& values, std::string_view key);

// Each party may declare a value of its own for such a key. kParameters has two rows for it, one
// after the other: the initiator's comes first.
constexpr bool IsOfBoth(size_t i) {
  return (i > 0 && kParameters[i - 1].key == kParameters[i].key) ||
         (i + 1 < kParameterCount && kParameters[i + 1].key == kParameters[i].key);
}

constexpr bool IsNumber(const Parameter& parameter) { return parameter.maximum != 0; }
constexpr bool IsBoolean(const Parameter& parameter) {
  return parameter.result == ResultFunction::kAnd || parameter.result == ResultFunction::kOr;
}

}  // namespace lunscope
