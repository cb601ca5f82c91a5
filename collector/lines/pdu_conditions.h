// SPDX-License-Identifier: Apache-2.0
//
// Conditions that say in which PDUs a field is there, for the rows of pdu_fields.cc. Sections are
// those of RFC 7143. Each condition is for the opcodes in the comment above it, and takes the 48
// bytes of a Basic Header Segment (BHS).
#pragma once

#include <cstdint>

namespace lunscope::pdu {

inline constexpr uint8_t kTttOffset = 20;

// NOP-Out, NOP-In, Text, Data-Out: the Target Transfer Tag is not the reserved one.
bool HasTtt(const uint8_t* bhs);

// Task management request, section 11.5.3 and RFC 7144: the function addresses a logical unit.
bool AddressesLun(const uint8_t* bhs);
bool AbortsTask(const uint8_t* bhs);
bool ReassignsTask(const uint8_t* bhs);
// Task management response, RFC 7144.
bool IsFunctionSucceeded(const uint8_t* bhs);

// Login, section 11.12.3: NSG is only valid with the T bit.
bool IsTransit(const uint8_t* bhs);
// Login response, section 6.3.1: the login goes on, so that the stages are valid.
bool IsLoggingIn(const uint8_t* bhs);
bool IsLoggingInWithTransit(const uint8_t* bhs);
// Login, section 11.12.5: the type of an ISID says which of its parts are there.
bool HasOui(const uint8_t* bhs);
bool HasNamingAuthority(const uint8_t* bhs);

// Logout request: the reason names one connection.
bool ClosesOneConnection(const uint8_t* bhs);
// Logout response, section 11.15.3: the CID was found.
bool IsCidFound(const uint8_t* bhs);

// SNACK request, section 11.16.1.
inline constexpr uint8_t kSnackTypeMask = 0x0f;
bool IsRData(const uint8_t* bhs);
bool IsNotRData(const uint8_t* bhs);
bool IsOfTask(const uint8_t* bhs);

// SCSI response, section 11.4.3: any response but 0 says that there is no SCSI status.
bool IsCompleted(const uint8_t* bhs);
bool HasSnackTag(const uint8_t* bhs);
bool HasResidual(const uint8_t* bhs);
bool HasBidirectionalResidual(const uint8_t* bhs);

// Data-In, section 11.7.
inline constexpr uint8_t kAcknowledge = 0x40;  // the A bit, section 11.7.2
bool IsAcknowledgeAsked(const uint8_t* bhs);
bool HasStatus(const uint8_t* bhs);
bool HasStatusAndResidual(const uint8_t* bhs);

// Async message, section 11.9.1. The parameters of an event that the RFC does not define have an
// unknown meaning, so they are there.
bool IsOfLun(const uint8_t* bhs);
bool IsVendorEvent(const uint8_t* bhs);
bool HasParameter1(const uint8_t* bhs);
bool HasParameter2(const uint8_t* bhs);
bool HasParameter3(const uint8_t* bhs);

// Reject, section 11.17.2.
bool IsProtocolError(const uint8_t* bhs);

}  // namespace lunscope::pdu
