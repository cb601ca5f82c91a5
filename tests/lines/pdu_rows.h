// SPDX-License-Identifier: Apache-2.0
//
// One header for each opcode, and for each form of an opcode in which other fields are reserved.
// All fields of a header have different values: byte N, from 8 on, is N unless a field needs
// another value. Beside the header are the bits that belong to its fields, and the fields. Both are
// typed in from RFC 7143 section 11 and RFC 7144, and not from the table that they test.
#pragma once

namespace lunscope {

struct PduRow {
  const char* name;
  const char* section;      // of RFC 7143, unless it names another RFC
  const char* bhs;          // TotalAHSLength 1, DataSegmentLength 772
  const char* fields_mask;  // without the bits of the opcode
  const char* fields;       // those of this opcode: key=number, key=true, key='text'
};

inline constexpr PduRow kPduRows[] = {
    {"NopOutAnswer", "11.18",
     "40800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40800000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; final=true; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; "
     "itt=0x10111213; ttt=0x14151617; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"NopOutPing", "11.18",
     "00800000 01000304 08090a0b 0c0d0e0f"
     "10111213 ffffffff 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40800000 ffffffff 00000000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=false; final=true; itt=0x10111213; ttt=0xffffffff; cmdsn=0x18191a1b; "
     "exp_statsn=0x1c1d1e1f"},
    {"ScsiCommand", "11.3, RFC 7144",
     "01a2a000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "88212223 24252627 28292a2b 2c2d2e2f",
     "40e7f000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff",
     "immediate=false; final=true; read=false; write=true; attr=2; attr_name='ORDERED'; "
     "pri=10; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; "
     "expected_data_transfer_length=0x14151617; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f; "
     "command='Read(16)'; cdb='882122232425262728292a2b2c2d2e2f'"},
    {"AbortTask", "11.5",
     "42810000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40ff0000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "immediate=true; final=true; function=1; function_name='ABORT TASK'; "
     "lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; "
     "referenced_task_tag=0x14151617; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f; "
     "ref_cmdsn=0x20212223"},
    {"TargetWarmReset", "11.5",
     "42860000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40ff0000 ffffffff 00000000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; final=true; function=6; function_name='TARGET WARM RESET'; "
     "itt=0x10111213; referenced_task_tag=0x14151617; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"TaskReassign", "11.5",
     "42880000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40ff0000 ffffffff 00000000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "00000000 ffffffff 00000000 00000000",
     "immediate=true; final=true; function=8; function_name='TASK REASSIGN'; itt=0x10111213; "
     "referenced_task_tag=0x14151617; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f; "
     "exp_datasn=0x24252627"},
    {"QueryAsynchronousEvent", "RFC 7144",
     "428c0000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40ff0000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; final=true; function=12; function_name='QUERY ASYNCHRONOUS EVENT'; "
     "lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; "
     "referenced_task_tag=0x14151617; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"LoginRequestTransit", "11.12",
     "43870201 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40cfffff ffffffff ffffffff ffffffff"
     "ffffffff ffff0000 ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; transit=true; continue=false; csg=1; "
     "csg_name='LoginOperationalNegotiation'; nsg=3; nsg_name='FullFeaturePhase'; "
     "version_max=2; version_min=1; isid='08090a0b0c0d'; isid_t=0; isid_t_name='OUI'; "
     "isid_a=8; isid_b=0x090a; isid_c=0x0b; isid_d=0x0c0d; tsih=0x0e0f; itt=0x10111213; "
     "cid=0x1415; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"LoginRequest", "11.12.3, 11.12.5",
     "43430201 01000304 c8090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40ccffff ffffffff ffffffff ffffffff"
     "ffffffff ffff0000 ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; transit=false; continue=true; csg=0; csg_name='SecurityNegotiation'; "
     "version_max=2; version_min=1; isid='c8090a0b0c0d'; isid_t=3; tsih=0x0e0f; "
     "itt=0x10111213; cid=0x1415; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"TextRequest", "11.10",
     "44400000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40c00000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; final=false; continue=true; lun='0x08090a0b0c0d0e0f'; "
     "lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; ttt=0x14151617; cmdsn=0x18191a1b; "
     "exp_statsn=0x1c1d1e1f"},
    {"TextRequestFirst", "11.10.4",
     "04800000 01000304 08090a0b 0c0d0e0f"
     "10111213 ffffffff 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40c00000 ffffffff 00000000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=false; final=true; continue=false; itt=0x10111213; ttt=0xffffffff; "
     "cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"DataOut", "11.7",
     "05800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff 00000000 ffffffff"
     "00000000 ffffffff ffffffff 00000000",
     "final=true; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; "
     "ttt=0x14151617; exp_statsn=0x1c1d1e1f; datasn=0x24252627; buffer_offset=0x28292a2b"},
    {"DataOutUnsolicited", "11.7.4",
     "05000000 01000304 08090a0b 0c0d0e0f"
     "10111213 ffffffff 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "ffffffff ffffffff 00000000 ffffffff"
     "00000000 ffffffff ffffffff 00000000",
     "final=false; itt=0x10111213; ttt=0xffffffff; exp_statsn=0x1c1d1e1f; datasn=0x24252627; "
     "buffer_offset=0x28292a2b"},
    {"LogoutRequestConnection", "11.14",
     "46810000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40ff0000 ffffffff 00000000 00000000"
     "ffffffff ffff0000 ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; final=true; reason_code=1; reason_code_name='close the connection'; "
     "itt=0x10111213; cid=0x1415; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"LogoutRequestSession", "11.14",
     "46800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "40ff0000 ffffffff 00000000 00000000"
     "ffffffff 00000000 ffffffff ffffffff"
     "00000000 00000000 00000000 00000000",
     "immediate=true; final=true; reason_code=0; reason_code_name='close the session'; "
     "itt=0x10111213; cmdsn=0x18191a1b; exp_statsn=0x1c1d1e1f"},
    {"SnackDataAck", "11.16",
     "10820000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "008f0000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff 00000000 ffffffff"
     "00000000 00000000 ffffffff ffffffff",
     "final=true; type=2; type_name='DataACK'; lun='0x08090a0b0c0d0e0f'; "
     "lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; ttt=0x14151617; exp_statsn=0x1c1d1e1f; "
     "begrun=0x28292a2b; runlength=0x2c2d2e2f"},
    {"SnackData", "11.16",
     "10800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "008f0000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff 00000000 ffffffff"
     "00000000 00000000 ffffffff ffffffff",
     "final=true; type=0; type_name='Data/R2T SNACK'; lun='0x08090a0b0c0d0e0f'; "
     "lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; ttt=0x14151617; exp_statsn=0x1c1d1e1f; "
     "begrun=0x28292a2b; runlength=0x2c2d2e2f"},
    {"SnackStatus", "11.16",
     "10810000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "008f0000 ffffffff 00000000 00000000"
     "ffffffff ffffffff 00000000 ffffffff"
     "00000000 00000000 ffffffff ffffffff",
     "final=true; type=1; type_name='Status SNACK'; itt=0x10111213; ttt=0x14151617; "
     "exp_statsn=0x1c1d1e1f; begrun=0x28292a2b; runlength=0x2c2d2e2f"},
    {"SnackRData", "11.16",
     "10830000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "008f0000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff 00000000 ffffffff"
     "00000000 00000000 ffffffff ffffffff",
     "final=true; type=3; type_name='R-Data SNACK'; lun='0x08090a0b0c0d0e0f'; "
     "lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; snack_tag=0x14151617; "
     "exp_statsn=0x1c1d1e1f; begrun=0x28292a2b; runlength=0x2c2d2e2f"},
    {"VendorRequest", "11.2.1.2",
     "5cffffff 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00000000 ffffffff 00000000 00000000"
     "00000000 00000000 00000000 00000000"
     "00000000 00000000 00000000 00000000",
     ""},
    {"NopIn", "11.19",
     "20800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; "
     "ttt=0x14151617; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223"},
    {"NopInAnswer", "11.19",
     "20800000 01000304 08090a0b 0c0d0e0f"
     "10111213 ffffffff 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; itt=0x10111213; ttt=0xffffffff; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; "
     "max_cmdsn=0x20212223"},
    {"ScsiResponse", "11.4, RFC 7144",
     "21920002 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "009effff ffffffff ffff0000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff",
     "final=true; bidirectional_read_residual_overflow=true; "
     "bidirectional_read_residual_underflow=false; residual_overflow=false; "
     "residual_underflow=true; response=0; response_name='completed'; status=2; "
     "status_name='Check Condition'; status_qualifier=0x0809; itt=0x10111213; "
     "snack_tag=0x14151617; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "exp_datasn=0x24252627; bidirectional_read_residual_count=0x28292a2b; "
     "residual_count=0x2c2d2e2f"},
    {"ScsiResponseOtherResiduals", "11.4.1",
     "218c0009 01000304 08090a0b 0c0d0e0f"
     "10111213 00000000 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "009effff ffffffff ffff0000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff",
     "final=true; bidirectional_read_residual_overflow=false; "
     "bidirectional_read_residual_underflow=true; residual_overflow=true; "
     "residual_underflow=false; response=0; response_name='completed'; status=9; "
     "status_qualifier=0x0809; itt=0x10111213; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; "
     "max_cmdsn=0x20212223; exp_datasn=0x24252627; "
     "bidirectional_read_residual_count=0x28292a2b; residual_count=0x2c2d2e2f"},
    {"ScsiResponseTargetFailure", "11.4.3",
     "21800102 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "009eff00 ffffffff 00000000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; bidirectional_read_residual_overflow=false; "
     "bidirectional_read_residual_underflow=false; residual_overflow=false; "
     "residual_underflow=false; response=1; response_name='target failure'; itt=0x10111213; "
     "snack_tag=0x14151617; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223"},
    {"TaskResponseSucceeded", "RFC 7144",
     "22800700 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "0080ff00 ffffffff ffffff00 00000000"
     "ffffffff 00000000 ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; response=7; response_name='Function succeeded'; "
     "additional_response_information=0x08090a; itt=0x10111213; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223"},
    {"TaskResponseRejected", "11.6",
     "2280ff00 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "0080ff00 ffffffff 00000000 00000000"
     "ffffffff 00000000 ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; response=255; response_name='Function rejected'; itt=0x10111213; "
     "statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223"},
    {"LoginResponse", "11.13",
     "23860201 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 00002627 28292a2b 2c2d2e2f",
     "00cfffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 ffffffff ffffffff"
     "ffffffff ffff0000 00000000 00000000",
     "transit=true; continue=false; csg=1; csg_name='LoginOperationalNegotiation'; nsg=2; "
     "version_max=2; version_active=1; isid='08090a0b0c0d'; isid_t=0; isid_t_name='OUI'; "
     "isid_a=8; isid_b=0x090a; isid_c=0x0b; isid_d=0x0c0d; tsih=0x0e0f; itt=0x10111213; "
     "statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; status_class=0; "
     "status_class_name='Success'; status_detail=0; status_detail_name='Success'"},
    {"LoginResponseNoTransit", "11.13, 11.12.5",
     "23070201 01000304 48090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 00252627 28292a2b 2c2d2e2f",
     "00ccffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 ffffffff ffffffff"
     "ffffffff ffff0000 00000000 00000000",
     "transit=false; continue=false; csg=1; csg_name='LoginOperationalNegotiation'; "
     "version_max=2; version_active=1; isid='48090a0b0c0d'; isid_t=1; isid_t_name='EN'; "
     "isid_b=0x090a; isid_c=0x0b; isid_d=0x0c0d; tsih=0x0e0f; itt=0x10111213; "
     "statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; status_class=0; "
     "status_class_name='Success'; status_detail=37"},
    {"LoginResponseFailure", "11.13.4, 11.13.5",
     "23cb0201 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 020b2627 28292a2b 2c2d2e2f",
     "0040ffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000"
     "00000000 ffff0000 00000000 00000000",
     "continue=true; version_max=2; version_active=1; isid='08090a0b0c0d'; isid_t=0; "
     "isid_t_name='OUI'; isid_a=8; isid_b=0x090a; isid_c=0x0b; isid_d=0x0c0d; tsih=0x0e0f; "
     "itt=0x10111213; status_class=2; status_class_name='Initiator Error'; status_detail=11; "
     "status_detail_name='Invalid request during login'"},
    {"TextResponse", "11.11",
     "24800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00c00000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; continue=false; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; "
     "itt=0x10111213; ttt=0x14151617; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; "
     "max_cmdsn=0x20212223"},
    {"TextResponseLast", "11.11.4",
     "24800000 01000304 08090a0b 0c0d0e0f"
     "10111213 ffffffff 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00c00000 ffffffff 00000000 00000000"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; continue=false; itt=0x10111213; ttt=0xffffffff; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223"},
    {"DataInWithStatus", "11.7.3",
     "25810000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00c700ff ffffffff 00000000 00000000"
     "ffffffff 00000000 ffffffff ffffffff"
     "ffffffff ffffffff ffffffff 00000000",
     "final=true; acknowledge=false; residual_overflow=false; residual_underflow=false; "
     "status_present=true; status=0; status_name='Good'; itt=0x10111213; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; datasn=0x24252627; buffer_offset=0x28292a2b"},
    {"DataInWithAcknowledge", "11.7.2",
     "25400008 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00c70000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff 00000000 ffffffff"
     "ffffffff ffffffff ffffffff 00000000",
     "final=false; acknowledge=true; residual_overflow=false; residual_underflow=false; "
     "status_present=false; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; "
     "itt=0x10111213; ttt=0x14151617; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "datasn=0x24252627; buffer_offset=0x28292a2b"},
    {"DataInWithAll", "11.7",
     "25c30008 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00c700ff ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff",
     "final=true; acknowledge=true; residual_overflow=false; residual_underflow=true; "
     "status_present=true; status=8; status_name='Busy'; lun='0x08090a0b0c0d0e0f'; "
     "lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; ttt=0x14151617; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; datasn=0x24252627; "
     "buffer_offset=0x28292a2b; residual_count=0x2c2d2e2f"},
    {"DataIn", "11.7",
     "25060008 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00c70000 ffffffff 00000000 00000000"
     "ffffffff 00000000 00000000 ffffffff"
     "ffffffff ffffffff ffffffff 00000000",
     "final=false; acknowledge=false; residual_overflow=true; residual_underflow=true; "
     "status_present=false; itt=0x10111213; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "datasn=0x24252627; buffer_offset=0x28292a2b"},
    {"LogoutResponse", "11.15",
     "26800200 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "0080ff00 ffffffff 00000000 00000000"
     "ffffffff 00000000 ffffffff ffffffff"
     "ffffffff 00000000 ffffffff 00000000",
     "final=true; response=2; response_name='connection recovery not supported'; "
     "itt=0x10111213; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "time2wait=0x2829; time2retain=0x2a2b"},
    {"LogoutResponseCidNotFound", "11.15.3",
     "26800100 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "0080ff00 ffffffff 00000000 00000000"
     "ffffffff 00000000 ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; response=1; response_name='CID not found'; itt=0x10111213; "
     "statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223"},
    {"R2t", "11.8",
     "31800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff"
     "ffffffff ffffffff ffffffff ffffffff",
     "final=true; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; itt=0x10111213; "
     "ttt=0x14151617; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "r2tsn=0x24252627; buffer_offset=0x28292a2b; desired_data_transfer_length=0x2c2d2e2f"},
    {"AsyncScsiEvent", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 00252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff ffffffff ffffffff"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ff000000 00000000 00000000",
     "final=true; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; async_event=0x00; "
     "async_event_name='SCSI Event'"},
    {"AsyncLogoutRequest", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 01252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ff000000 0000ffff 00000000",
     "final=true; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "async_event=0x01; async_event_name='Logout Request'; parameter3=0x2a2b"},
    {"AsyncConnectionDrop", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 02252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ff00ffff ffffffff 00000000",
     "final=true; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "async_event=0x02; async_event_name='Connection Drop'; parameter1=0x2627; "
     "parameter2=0x2829; parameter3=0x2a2b"},
    {"AsyncSessionDrop", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 03252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ff000000 ffffffff 00000000",
     "final=true; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "async_event=0x03; async_event_name='Session Drop'; parameter2=0x2829; parameter3=0x2a2b"},
    {"AsyncNegotiationRequest", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 04252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ff000000 0000ffff 00000000",
     "final=true; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "async_event=0x04; async_event_name='Negotiation Request'; parameter3=0x2a2b"},
    {"AsyncTaskTermination", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 05252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff ffffffff ffffffff"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ff000000 00000000 00000000",
     "final=true; lun='0x08090a0b0c0d0e0f'; lun_hex='08090a0b0c0d0e0f'; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; async_event=0x05; "
     "async_event_name='Task Termination'"},
    {"AsyncUnknownEvent", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 06252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ff00ffff ffffffff 00000000",
     "final=true; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "async_event=0x06; parameter1=0x2627; parameter2=0x2829; parameter3=0x2a2b"},
    {"AsyncVendorEvent", "11.9",
     "32800000 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 f8252627 28292a2b 2c2d2e2f",
     "00800000 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ffffffff ffffffff 00000000",
     "final=true; statsn=0x18191a1b; exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; "
     "async_event=0xf8; async_vcode=0x25; parameter1=0x2627; parameter2=0x2829; "
     "parameter3=0x2a2b"},
    {"RejectProtocolError", "11.17",
     "3f800400 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "0080ff00 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff ffffffff 00000000 00000000",
     "final=true; reason=4; reason_name='Protocol Error'; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223; datasn_r2tsn=0x24252627"},
    {"RejectInvalidField", "11.17.2",
     "3f800900 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "0080ff00 ffffffff 00000000 00000000"
     "00000000 00000000 ffffffff ffffffff"
     "ffffffff 00000000 00000000 00000000",
     "final=true; reason=9; reason_name='Invalid PDU Field'; statsn=0x18191a1b; "
     "exp_cmdsn=0x1c1d1e1f; max_cmdsn=0x20212223"},
    {"VendorResponse", "11.2.1.2",
     "3effffff 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00000000 ffffffff 00000000 00000000"
     "00000000 00000000 00000000 00000000"
     "00000000 00000000 00000000 00000000",
     ""},
    {"NoOpcode", "11.2.1.2",
     "1fffffff 01000304 08090a0b 0c0d0e0f"
     "10111213 14151617 18191a1b 1c1d1e1f"
     "20212223 24252627 28292a2b 2c2d2e2f",
     "00000000 ffffffff 00000000 00000000"
     "00000000 00000000 00000000 00000000"
     "00000000 00000000 00000000 00000000",
     ""},
};

}  // namespace lunscope
