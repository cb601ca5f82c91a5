// SPDX-License-Identifier: Apache-2.0
//
// The PDUs on which every reader of iSCSI in this project must agree. Each opcode, and each form of
// an opcode, has a row, without digests. Unit tests, the in-kernel test and the fuzzers' seeds use
// this one table.
//
// A BHS is three lines of four words; AHS, data and padding follow it.
#pragma once

#include <cstdint>

namespace lunscope {

// The engine's treatment of a PDU in full feature phase.
enum class Fate {
  kCounted,     // counts it by opcode, without a record
  kManagement,  // emits a record of the PDU
  kAnswer,      // completes the command of its ITT, or is unmatched
};

struct PduVector {
  const char* name;
  const char* section;  // of RFC 7143, unless it names another RFC
  const char* hex;
  uint32_t wire_bytes;  // without digests
  uint32_t data_bytes;
  Fate fate;
  const char* decode;  // see DescribePdu() in tests/engine/decode_test.cc
};

inline constexpr PduVector kPduVectors[] = {
    {"NopOutPing", "11.18",
     "40800000 00000004 00000000 00000000"
     "00000007 ffffffff 00000010 00000020"
     "00000000 00000000 00000000 00000000"
     "70696e67",
     52, 4, Fate::kManagement, "00 itt 00000007"},
    {"NopOutAnswer", "11.18",
     "40800000 00000000 00010000 00000000"
     "ffffffff 00000005 00000010 00000020"
     "00000000 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "00 itt ffffffff"},
    {"ScsiCommandRead10", "11.3",
     "01c10000 00000000 00010000 00000000"
     "00000001 00001000 00000002 00000003"
     "28000000 08000000 08000000 00000000",
     48, 0, Fate::kCounted,
     "01 itt 00000001 lun 0001000000000000 flags c1 expected 4096 cmdsn 2 "
     "cdb 28000000080000000800000000000000"},
    {"ScsiCommandWrite16ImmediateData", "11.3, 11.3.4",
     "01a10000 00000005 412c0000 00000000"
     "deadbeef 00000005 ffffffff 00000003"
     "8a000000 00010000 00000000 00010000"
     "61626364 65000000",
     56, 5, Fate::kCounted,
     "01 itt deadbeef lun 412c000000000000 flags a1 expected 5 cmdsn 4294967295 "
     "cdb 8a000000000100000000000000010000"},
    {"ScsiCommandPriority", "RFC 7144 4.2",
     "41815000 00000000 00000000 00000000"
     "00000002 00000000 00000003 00000004"
     "00000000 00000000 00000000 00000000",
     48, 0, Fate::kCounted,
     "01 itt 00000002 lun 0000000000000000 flags 81 expected 0 cmdsn 3 "
     "cdb 00000000000000000000000000000000"},
    {"ScsiCommandExtendedCdb", "11.2.2.3",
     "01c10000 05000000 00000000 00000000"
     "00000003 00000200 00000004 00000005"
     "7f000000 00000018 00092000 00000000"
     "00110100 00000008 00000000 00000000"
     "00000001",
     68, 0, Fate::kCounted,
     "01 itt 00000003 lun 0000000000000000 flags c1 expected 512 cmdsn 4 "
     "cdb 7f000000000000180009200000000000"},
    {"ScsiCommandBidirectional", "11.2.2.4",
     "01e10000 02000000 00000000 00000000"
     "00000004 00000200 00000005 00000006"
     "53000000 00000000 01000000 00000000"
     "00050200 00000200",
     56, 0, Fate::kCounted,
     "01 itt 00000004 lun 0000000000000000 flags e1 expected 512 cmdsn 5 "
     "cdb 53000000000000000100000000000000"},
    {"TaskRequestAbortTask", "11.5",
     "42810000 00000000 00010000 00000000"
     "00000009 00000008 00000003 00000004"
     "00000002 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "02 itt 00000009 lun 0001000000000000 function 1"},
    {"TaskRequestNexusReset", "RFC 7144 5",
     "428b0000 00000000 00000000 00000000"
     "0000000b ffffffff 00000003 00000004"
     "00000000 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "02 itt 0000000b lun 0000000000000000 function 11"},
    {"LoginRequest", "11.12",
     "43870000 00000010 00023d00 00010000"
     "00000000 00010000 00000001 00000000"
     "00000000 00000000 00000000 00000000"
     "496e6974 6961746f 724e616d 653d6100",
     64, 16, Fate::kManagement, "03 itt 00000000 isid 00023d000001 tsih 0 cid 1 next 3"},
    {"LoginRequestContinued", "11.12.2",
     "43400000 00000003 80123456 789a0007"
     "00000005 00020000 00000001 00000000"
     "00000000 00000000 00000000 00000000"
     "582d6100",
     52, 3, Fate::kManagement, "03 itt 00000005 isid 80123456789a tsih 7 cid 2 next 0"},
    {"TextRequestSendTargets", "11.10",
     "04800000 00000010 00000000 00000000"
     "0000000a ffffffff 00000004 00000005"
     "00000000 00000000 00000000 00000000"
     "53656e64 54617267 6574733d 416c6c00",
     64, 16, Fate::kManagement, "04 itt 0000000a"},
    {"DataOut", "11.7",
     "05800000 00000003 00010000 00000000"
     "00000001 00000022 00000000 00000004"
     "00000000 00000001 00000200 00000000"
     "01020300",
     52, 3, Fate::kCounted, "05 itt 00000001 lun 0001000000000000 offset 512"},
    {"LogoutRequestCloseConnection", "11.14",
     "46810000 00000000 00000000 00000000"
     "0000000c 00010000 00000005 00000006"
     "00000000 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "06 itt 0000000c"},
    {"SnackRequestStatus", "11.16",
     "10810000 00000000 00000000 00000000"
     "ffffffff ffffffff 00000000 00000006"
     "00000000 00000000 00000005 00000001",
     48, 0, Fate::kManagement, "10 itt ffffffff"},
    {"VendorRequest", "11.2.1.2",
     "1c7f0000 00000000 00000000 00000000"
     "0000000d 00000000 00000000 00000000"
     "00000000 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "1c itt 0000000d"},
    {"NopInPing", "11.19",
     "20800000 00000000 00000000 00000000"
     "ffffffff 00000005 00000006 00000007"
     "00000027 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "20 itt ffffffff"},
    {"ScsiResponseGood", "11.4",
     "21800000 00000000 00000000 00000000"
     "00000001 00000000 00000007 00000008"
     "00000028 00000000 00000000 00000000",
     48, 0, Fate::kAnswer, "21 itt 00000001 flags 80 response 0 status 00 bidi 0 residual 0"},
    {"ScsiResponseFixedSense", "11.4.7",
     "21800002 00000014 00000000 00000000"
     "00000001 00000000 00000007 00000008"
     "00000028 00000000 00000000 00000000"
     "00127000 05000000 000a0000 00002000"
     "00000000",
     68, 20, Fate::kAnswer, "21 itt 00000001 flags 80 response 0 status 02 bidi 0 residual 0"},
    {"ScsiResponseDescriptorSense", "11.4.7",
     "21800002 0000000a 00000000 00000000"
     "00000001 00000000 00000007 00000008"
     "00000028 00000000 00000000 00000000"
     "00087206 29000000 00000000",
     60, 10, Fate::kAnswer, "21 itt 00000001 flags 80 response 0 status 02 bidi 0 residual 0"},
    {"ScsiResponseTargetFailure", "11.4.3",
     "21800100 00000000 00000000 00000000"
     "00000001 00000000 00000007 00000008"
     "00000028 00000000 00000000 00000000",
     48, 0, Fate::kAnswer, "21 itt 00000001 flags 80 response 1 status 00 bidi 0 residual 0"},
    {"ScsiResponseUnderflow", "11.4.1",
     "21820000 00000000 00000000 00000000"
     "00000001 00000000 00000007 00000008"
     "00000028 00000000 00000000 00000200",
     48, 0, Fate::kAnswer, "21 itt 00000001 flags 82 response 0 status 00 bidi 0 residual 512"},
    {"ScsiResponseBothUnderflows", "11.4.1",
     "218a0000 00000000 00000000 00000000"
     "00000001 00000000 00000007 00000008"
     "00000028 00000000 00000100 00000200",
     48, 0, Fate::kAnswer, "21 itt 00000001 flags 8a response 0 status 00 bidi 256 residual 512"},
    {"TaskResponseComplete", "11.6",
     "22800000 00000000 00000000 00000000"
     "00000009 00000000 00000008 00000009"
     "00000029 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "22 itt 00000009 response 0"},
    {"TaskResponseFunctionSucceeded", "RFC 7144 5",
     "22800700 00000000 00000000 00000000"
     "00000009 00000000 00000008 00000009"
     "00000029 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "22 itt 00000009 response 7"},
    {"LoginResponseSuccess", "11.13",
     "23870000 00000000 00023d00 00010001"
     "00000000 00000000 00000001 00000001"
     "00000020 00000000 00000000 00000000",
     48, 0, Fate::kManagement,
     "23 itt 00000000 isid 00023d000001 tsih 1 next 3 status 00/00 complete"},
    {"LoginResponseNegotiating", "11.13",
     "23040000 00000000 00023d00 00010000"
     "00000000 00000000 00000001 00000001"
     "00000020 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "23 itt 00000000 isid 00023d000001 tsih 0 next 0 status 00/00"},
    {"LoginResponseAuthenticationFailure", "11.13.5",
     "23830000 00000000 00023d00 00010000"
     "00000000 00000000 00000000 00000001"
     "00000001 02010000 00000000 00000000",
     48, 0, Fate::kManagement, "23 itt 00000000 isid 00023d000001 tsih 0 next 3 status 02/01"},
    {"LoginResponseMoved", "11.13.5",
     "23000000 00000018 00023d00 00010000"
     "00000000 00000000 00000000 00000001"
     "00000001 01010000 00000000 00000000"
     "54617267 65744164 64726573 733d3130"
     "2e302e30 2e390000",
     72, 24, Fate::kManagement, "23 itt 00000000 isid 00023d000001 tsih 0 next 0 status 01/01"},
    {"TextResponse", "11.11",
     "24800000 00000000 00000000 00000000"
     "0000000a ffffffff 00000009 0000000a"
     "0000002a 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "24 itt 0000000a"},
    {"DataIn", "11.7",
     "25000000 00000004 00000000 00000000"
     "00000001 ffffffff 00000000 00000009"
     "00000029 00000001 00000400 00000000"
     "01020304",
     52, 4, Fate::kCounted, "25 itt 00000001 flags 00 status 00 offset 1024 residual 0"},
    {"DataInWithStatus", "11.7.3",
     "25830008 00000001 00000000 00000000"
     "00000001 ffffffff 0000000a 0000000a"
     "0000002a 00000002 00000404 00000fff"
     "05000000",
     52, 1, Fate::kAnswer, "25 itt 00000001 flags 83 status 08 offset 1028 residual 4095"},
    {"LogoutResponse", "11.15",
     "26800000 00000000 00000000 00000000"
     "0000000c 00000000 0000000b 0000000b"
     "0000002b 00000000 00020014 00000000",
     48, 0, Fate::kManagement, "26 itt 0000000c response 0"},
    {"R2t", "11.8",
     "31800000 00000000 00010000 00000000"
     "00000001 00000022 0000000b 0000000b"
     "0000002b 00000000 00002000 00010000",
     48, 0, Fate::kCounted, "31 itt 00000001"},
    {"AsyncMessageLogoutRequest", "11.9",
     "32800000 00000000 00000000 00000000"
     "ffffffff 00000000 0000000b 0000000b"
     "0000002b 01000000 00000003 00000000",
     48, 0, Fate::kManagement, "32 itt ffffffff event 1"},
    {"VendorResponse", "11.2.1.2",
     "3c000000 00000000 00000000 00000000"
     "0000000d 00000000 00000000 00000000"
     "00000000 00000000 00000000 00000000",
     48, 0, Fate::kManagement, "3c itt 0000000d"},
    {"RejectCommandNotSupported", "11.17",
     "3f800500 00000030 00000000 00000000"
     "ffffffff 00000000 0000000b 0000000b"
     "0000002b 00000000 00000000 00000000"
     "01c10000 00000000 00010000 00000000"
     "00000001 00001000 00000002 00000003"
     "28000000 08000000 08000000 00000000",
     96, 48, Fate::kManagement, "3f itt ffffffff reason 5"},
};

}  // namespace lunscope
