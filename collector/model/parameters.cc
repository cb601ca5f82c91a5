// SPDX-License-Identifier: Apache-2.0
#include "collector/model/parameters.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace lunscope {
namespace {

// The answers Reject, Irrelevant and NotUnderstood are not numbers. Like each value that is not
// admissible, they leave a key as it was (RFC 7143 section 6.2).
std::optional<uint32_t> Number(const Parameter& parameter, std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  uint32_t value = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool is_number = failure == std::errc{} && stop == text.data() + text.size();
  if (!is_number || value < parameter.minimum || value > parameter.maximum) return std::nullopt;
  return value;
}

bool ListHas(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::string_view each = list.substr(0, list.find(','));
    if (each == item) return true;
    list.remove_prefix(std::min(list.size(), each.size() + 1));
  }
  return false;
}

// An offer that is out of range is answered by an admissible value, or not at all (section 6.2.2).
std::string NegotiatedNumber(const Parameter& parameter, const std::string& offer,
                             const std::string& answer) {
  const std::optional<uint32_t> answered = Number(parameter, answer);
  if (!answered) return std::string(parameter.default_value);
  const uint32_t offered = Number(parameter, offer).value_or(*answered);
  return std::to_string(parameter.result == ResultFunction::kMinimum
                            ? std::min(offered, *answered)
                            : std::max(offered, *answered));
}

// An offer that decides by itself needs no answer (section 6.2.2).
std::string NegotiatedBoolean(const Parameter& parameter, const std::string& offer,
                              const std::string& answer) {
  const std::string_view decisive = parameter.result == ResultFunction::kAnd ? "No" : "Yes";
  const bool is_answer = answer == "Yes" || answer == "No";
  if (offer == decisive && (is_answer || answer.empty())) return offer;
  return is_answer ? answer : std::string(parameter.default_value);
}

std::string DeclaredNumber(const Parameter& parameter, const std::string& declared) {
  const std::optional<uint32_t> value = Number(parameter, declared);
  return value ? std::to_string(*value) : std::string(parameter.default_value);
}

// A party that does not know a key that the other one has declared says so in its place. The words
// for it are reserved (RFC 7143 section 6.2): no party may declare them.
std::string DeclaredText(const Parameter& parameter, const std::string& declared) {
  const bool is_answer =
      declared == "NotUnderstood" || declared == "Irrelevant" || declared == "Reject";
  return is_answer || declared.empty() ? std::string(parameter.default_value) : declared;
}

// The one party that declares the value; nullopt if both parties have a say.
std::optional<Party> DeclaringParty(ResultFunction result) {
  switch (result) {
    case ResultFunction::kDeclaredByInitiator:
    case ResultFunction::kInitiatorNumber: return kInitiatorParty;
    case ResultFunction::kDeclaredByTarget:
    case ResultFunction::kTargetNumber: return kTargetParty;
    default: return std::nullopt;
  }
}

bool MaySay(const Parameter& parameter, Party party) {
  return DeclaringParty(parameter.result).value_or(party) == party;
}

}  // namespace

std::string EffectiveValue(const Parameter& parameter, const Said& said) {
  const std::string& offer = said.values[said.first];
  const std::string& answer = said.values[1 - said.first];
  switch (parameter.result) {
    case ResultFunction::kAnd:
    case ResultFunction::kOr: return NegotiatedBoolean(parameter, offer, answer);
    case ResultFunction::kMinimum:
    case ResultFunction::kMaximum: return NegotiatedNumber(parameter, offer, answer);
    case ResultFunction::kChoice:
      return ListHas(offer, answer) ? answer : std::string(parameter.default_value);
    case ResultFunction::kInitiatorNumber:
      return DeclaredNumber(parameter, said.values[kInitiatorParty]);
    case ResultFunction::kTargetNumber: return DeclaredNumber(parameter, said.values[kTargetParty]);
    case ResultFunction::kDeclaredByInitiator:
      return DeclaredText(parameter, said.values[kInitiatorParty]);
    case ResultFunction::kDeclaredByTarget:
      return DeclaredText(parameter, said.values[kTargetParty]);
  }
  return {};
}

void Negotiation::Take(Party party, std::string_view key, const std::string& value) {
  if (value.empty()) return;
  const bool is_initiator = party == kInitiatorParty;
  if (key == "InitiatorName" && is_initiator && initiator_name_.empty()) initiator_name_ = value;
  if (key == "TargetName" && is_initiator && target_name_.empty()) target_name_ = value;
  if (key == "TargetAddress" && !is_initiator) target_address_ = value;
  for (size_t i = 0; i < kParameterCount; i++) {
    if (kParameters[i].key != key || !MaySay(kParameters[i], party)) continue;
    Said& said = said_[i];
    if (said.values[kInitiatorParty].empty() && said.values[kTargetParty].empty())
      said.first = party;
    if (said.values[party].empty() || kParameters[i].is_for_full_feature)
      said.values[party] = value;
  }
}

Offers Negotiation::Offered() const {
  Offers offers;
  for (size_t i = 0; i < kParameterCount; i++) {
    const std::string& offer = said_[i].values[said_[i].first];
    if (kParameters[i].result == ResultFunction::kChoice && !offer.empty())
      offers.emplace_back(kParameters[i].key, offer);
  }
  return offers;
}

bool Negotiation::IsDiscovery() const {
  for (size_t i = 0; i < kParameterCount; i++) {
    if (kParameters[i].key == "SessionType") return said_[i].values[kInitiatorParty] == "Discovery";
  }
  return false;
}

ParameterValues Negotiation::Effective(Scope scope) const {
  ParameterValues values;
  const bool is_discovery = IsDiscovery();
  for (size_t i = 0; i < kParameterCount; i++) {
    const Parameter& parameter = kParameters[i];
    if (parameter.scope != scope || (is_discovery && !parameter.is_for_discovery)) continue;
    values[i] = EffectiveValue(parameter, said_[i]);
  }
  return values;
}

void DeclareAnew(Party party, std::string_view key, const std::string& value, Scope scope,
                 ParameterValues& values) {
  for (size_t i = 0; i < kParameterCount; i++) {
    const Parameter& parameter = kParameters[i];
    if (parameter.key != key || parameter.scope != scope || !parameter.is_for_full_feature ||
        DeclaringParty(parameter.result) != party)
      continue;
    Said said;
    said.values[party] = value;
    // An answer that is not admissible leaves the value as it was.
    if (!IsNumber(parameter) || Number(parameter, value))
      values[i] = EffectiveValue(parameter, said);
  }
}

const std::string& ValueOf(const ParameterValues& values, std::string_view key) {
  const auto* const parameter = std::ranges::find(kParameters, key, &Parameter::key);
  return values[static_cast<size_t>(parameter - std::begin(kParameters))];
}

}  // namespace lunscope
