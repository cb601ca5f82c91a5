# SPDX-License-Identifier: Apache-2.0
"""Commands, their data and their ends, as two scripted peers exchange them: what RFC 7143 allows
and no real pair of peers does.
"""

import struct

from harness.case import LiveTest, main
from harness.dialogue import I, T
from harness.pdus import (BLOCK, FINAL, FIXED_SENSE, OVERFLOW, READ, RESERVED_TAG, SCSI_RESPONSE,
                          STATUS_PRESENT, UNDERFLOW, WRITE, ahs, command, data_in, data_out, lun,
                          pdu, r2t, read, response, with_length, write)
from harness.table import Row, Table, done, written

CHECK_CONDITION = 2
DESCRIPTOR = bytes.fromhex("72031101 00000000")
BIDI_UNDERFLOW = 0x08


def ends(status, name, data=b"", sense=None):
    """A command without data that ends with this status, of this name."""
    return Row([I(command()), T(response(status=status, data=data))],
               [{"status": name, "response": "completed", "sense": sense}])


MEDIUM_ERROR = {"key": 3, "asc": 0x11, "ascq": 1,
                "text": "Medium Error: Read retries exhausted"}
CHECK = CHECK_CONDITION, "Check Condition"

READS = {
    "status in the Data-In": Row(
        [I(read()), T(data_in(flags=FINAL | STATUS_PRESENT))], [done()]),
    "status in a SCSI Response": Row([I(read()), T(data_in()), T(response())], [done()]),
    "several Data-In, the last with status": Row(
        [I(read(length=1536)), T(data_in(flags=0)), T(data_in(offset=512, flags=0, datasn=1)),
         T(data_in(offset=1024, datasn=2, flags=FINAL | STATUS_PRESENT))], [done(1536)]),
    "zero-length Data-In": Row(
        [I(read()), T(data_in(data=b"", flags=FINAL | STATUS_PRESENT | UNDERFLOW,
                              residual_count=512))], [done(0, residual_bytes=512)]),
    "Data-In with an underflow": Row(
        [I(read(length=1024)), T(data_in(flags=FINAL | STATUS_PRESENT | UNDERFLOW,
                                         residual_count=512))], [done(residual_bytes=512)]),
    "Data-In with an overflow": Row(
        [I(read()), T(data_in(flags=FINAL | STATUS_PRESENT | OVERFLOW, residual_count=8))],
        [done(residual_bytes=8)]),
    "SCSI Response with an underflow": Row(
        [I(read(length=1024)), T(data_in()), T(response(flags=UNDERFLOW, residual_count=512))],
        [done(residual_bytes=512)]),
    "SCSI Response with an overflow": Row(
        [I(read()), T(data_in()), T(response(flags=OVERFLOW, residual_count=4096))],
        [done(residual_bytes=4096)]),
    "answers to two commands in one segment": Row(
        [I(read(1), read(2)), T(data_in(2, flags=FINAL | STATUS_PRESENT), data_in(1), response(1))],
        [done(itt=2), done(itt=1)]),
    "Data-In after its status": Row(
        [I(read()), T(data_in(flags=FINAL | STATUS_PRESENT)), T(data_in(flags=0))], [done()]),
    "a second status": Row(
        [I(read()), T(data_in(flags=FINAL | STATUS_PRESENT)), T(response())], [done()],
        {"unmatched_responses_total": 1}),
}

WRITES = {
    "immediate data": Row([I(write(data=BLOCK)), T(response())], [written()]),
    "unsolicited data": Row(
        [I(write(length=1024, flags=WRITE)), I(data_out(flags=0), data_out(offset=512, datasn=1)),
         T(response())], [written(1024)]),
    "immediate, unsolicited and solicited data": Row(
        [I(write(length=2048, data=BLOCK)), I(data_out(offset=512)),
         T(r2t(offset=1024, length=1024)), I(data_out(offset=1024, ttt=1, lun=lun(1), flags=0)),
         I(data_out(offset=1536, ttt=1, lun=lun(1), datasn=1)), T(response())], [written(2048)]),
    "several R2T outstanding": Row(
        [I(write(length=1536)), T(r2t(ttt=1), r2t(ttt=2, offset=512, r2tsn=1),
                                  r2t(ttt=3, offset=1024, r2tsn=2)),
         *(I(data_out(offset=512 * i, ttt=i + 1, lun=lun(1))) for i in range(3)), T(response())],
        [written(1536)]),
    "R2T out of order": Row(
        [I(write(length=1536)), T(r2t(ttt=3, offset=1024), r2t(ttt=1, r2tsn=1)),
         I(data_out(ttt=1, lun=lun(1))), T(r2t(ttt=2, offset=512, r2tsn=2)),
         I(data_out(ttt=3, offset=1024, lun=lun(1)), data_out(ttt=2, offset=512, lun=lun(1))),
         T(response())], [written(1536)]),
    "recovery R2T asks again": Row(
        [I(write()), T(r2t()), I(data_out(ttt=1, lun=lun(1))), T(r2t(ttt=2, r2tsn=1)),
         I(data_out(ttt=2, lun=lun(1))), T(response())], [written(1024)]),
    "both ways": Row(
        [I(command(cdb=bytes.fromhex("5300000000000000 0100"), flags=READ | WRITE, length=512,
                   data=BLOCK, extension=ahs((2, bytes(1) + struct.pack(">I", 512))))),
         T(data_in()), T(response(flags=BIDI_UNDERFLOW, bidirectional_read_residual_count=4))],
        [done(1024, read_bytes=512, written_bytes=512, expected_read_bytes=512,
              bidi_read_residual_bytes=4, bidi_read_residual="underflow")]),
}

LONG_CDB = bytes.fromhex("7f00000000000018 0009 0000") + bytes(4)
# tshark puts BHS and AHS together in a buffer of its own: the tap does not find the CDB's place.
NO_PLACE = "the CDB has no place in the packet"
AHS = {
    "CDB of 32 bytes": Row(
        [I(command(cdb=LONG_CDB, flags=READ, length=512,
                   extension=ahs((1, bytes(1) + bytes(range(16)))))),
         T(data_in(flags=FINAL | STATUS_PRESENT))], [done(command="Read(32)")],
        tshark_differs=NO_PLACE),
    "CDB of 260 bytes": Row(
        [I(command(cdb=LONG_CDB, extension=ahs((1, bytes(245))))), T(response())],
        [{"status": "Good"}], tshark_differs=NO_PLACE),
    "AHS of an unknown type": Row(
        [I(command(extension=ahs((0x3F, b"whatever")))), T(response())], [{"status": "Good"}]),
    "AHS and immediate data": Row(
        [I(write(data=BLOCK, extension=ahs((2, bytes(5)), (0x20, b"")))), T(response())],
        [written()]),
    "AHS longer than TotalAHSLength": Row(
        [I(command(extension=b"\xff\xff\x01\x00")), T(response())], [{"status": "Good"}],
        tshark_differs=NO_PLACE),
    "TotalAHSLength of 255": Row(
        [I(command(extension=ahs((1, bytes(1017))))), I(command(2)), T(response(1), response(2))],
        [{"status": "Good", "itt": 1}, {"status": "Good", "itt": 2}], tshark_differs=NO_PLACE),
}

STATUSES = {
    "CHECK CONDITION with fixed sense": ends(
        *CHECK, data=with_length(FIXED_SENSE), sense=MEDIUM_ERROR),
    "CHECK CONDITION with descriptor sense": ends(
        *CHECK, data=with_length(DESCRIPTOR), sense=MEDIUM_ERROR),
    "CHECK CONDITION with deferred sense": ends(
        *CHECK, data=with_length(b"\x71" + FIXED_SENSE[1:]),
        sense=MEDIUM_ERROR | {"deferred": True}),
    "CHECK CONDITION without sense": ends(*CHECK),
    "sense without ASC and ASCQ": ends(
        *CHECK, data=with_length(FIXED_SENSE[:8]), sense={"key": 3, "asc": 0, "ascq": 0, "text": "Medium Error"}),
    "sense of one byte": ends(
        *CHECK, data=with_length(FIXED_SENSE[:1])),
    "SenseLength longer than the data": ends(
        *CHECK, data=b"\xff\xff" + FIXED_SENSE, sense=MEDIUM_ERROR),
    "sense of an unknown format": ends(
        *CHECK, data=with_length(b"\x00" * 18)),
    "unexpected unsolicited data": ends(  # sense that iSCSI itself generates, section 11.4.7.2
        *CHECK, data=with_length(bytes.fromhex("70000b00000000 0a 00000000 0c0c 0000 0000")),
        sense={"key": 0x0B, "asc": 0x0C, "ascq": 0x0C,
               "text": "Aborted Command: Write error - unexpected unsolicited data"}),
    "CRC error": ends(
        *CHECK, data=with_length(bytes.fromhex("70000b00000000 0a 00000000 4705 0000 0000")),
        sense={"key": 0x0B, "asc": 0x47, "ascq": 5,
               "text": "Aborted Command: Protocol service CRC error"}),
    "descriptor sense of two bytes": ends(
        *CHECK, data=with_length(b"\x72\x05"),
        sense={"key": 5, "asc": 0, "ascq": 0, "text": "Illegal Request"}),
    "BUSY with sense": ends(0x08, "Busy", data=with_length(FIXED_SENSE), sense=MEDIUM_ERROR),
    "CONDITION MET": ends(0x04, "Condition Met"),
    "BUSY": ends(0x08, "Busy"),
    "RESERVATION CONFLICT": ends(0x18, "Reservation Conflict"),
    "TASK SET FULL": ends(0x28, "Task Set Full"),
    "ACA ACTIVE": ends(0x30, "ACA Active"),
    "TASK ABORTED": ends(0x40, "Task Aborted"),
    "target failure": Row(
        [I(read()), T(pdu(SCSI_RESPONSE, response=1, itt=1, statsn=1, exp_cmdsn=2, max_cmdsn=9))],
        [{"response": "target failure", "status": None, "transferred_bytes": 0}]),
    "vendor specific response": Row(
        [I(read()), T(pdu(SCSI_RESPONSE, response=0x80, itt=1, statsn=1, exp_cmdsn=2))],
        [{"response": "0x80", "status": None, "transferred_bytes": 0}]),
    "Data-In, then CHECK CONDITION": Row(
        [I(read(length=1024)), T(data_in(flags=0)),
         T(response(status=CHECK_CONDITION, data=with_length(FIXED_SENSE), flags=UNDERFLOW,
                    residual_count=512))],
        [{"status": "Check Condition", "sense": MEDIUM_ERROR, "transferred_bytes": 512}]),
}

TAGS = {
    "ITT 0xffffffff is no command's": Row(
        [I(command(RESERVED_TAG, cmdsn=1)), T(response(RESERVED_TAG, exp_cmdsn=2))], [],
        {"commands_unreported_total reason=table_full": 1, "unmatched_responses_total": 1}),
    "ITT 0": Row([I(command(0)), T(response(0))], [{"itt": 0, "status": "Good"}]),
    "ITT reused in flight": Row(
        [I(read(7)), I(write(7, data=BLOCK)), T(response(7))], [written(command="Write(10)")],
        {"commands_unreported_total reason=itt_reused": 1}),
    "ITT reused after its status": Row(
        [I(command(7)), T(response(7)), I(read(7)),
         T(data_in(7, flags=FINAL | STATUS_PRESENT))], [{"itt": 7}, done(itt=7)]),
    "response to an unknown ITT": Row(
        [T(response(99)), I(command(1)), T(response(1))], [{"itt": 1, "status": "Good"}],
        {"unmatched_responses_total": 1}),
    "Data-In of an unknown ITT": Row([T(data_in(99))]),
    "never answered": Row([I(command(1), command(2))], [],
                          {"commands_unreported_total reason=connection_closed": 2}),
    "CmdSN, StatSN and ITT wrap": Row(
        [step for i in range(-3, 3) for step in (
            I(command((i - 1) % (1 << 32) if i < 0 else i, cmdsn=i % (1 << 32))),
            T(response((i - 1) % (1 << 32) if i < 0 else i, statsn=i % (1 << 32),
                       exp_cmdsn=(i + 1) % (1 << 32), max_cmdsn=(i + 32) % (1 << 32))))],
        [{"cmdsn": i % (1 << 32), "status": "Good"} for i in range(-3, 3)]),
    "CmdSN outside of the window": Row(  # ignored by its receiver, so never answered
        [I(command(1, cmdsn=1), command(2, cmdsn=0x7FFFFFFF)), T(response(1))],
        [{"itt": 1}], {"commands_unreported_total reason=beyond_window": 1}),
}

LUNS = {
    # The eight bytes (SAM-5 section 4.7), and what is shown of them.
    "LUN 0": ("0000000000000000", "0"),
    "LUN 255": ("00ff000000000000", "255"),
    "LUN 256, flat space": ("4100000000000000", "256"),
    "LUN 16383, flat space": ("7fff000000000000", "16383"),
    "LUN of two levels": ("0001000200000000", "0x0001000200000000"),
    "LUN in logical unit addressing": ("8123000000000000", "0x8123000000000000"),
    "REPORT LUNS well known LUN": ("c101000000000000", "0xc101000000000000"),
    "extended flat space LUN": ("d200012300000000", "0xd200012300000000"),
}
LUN_ROWS = {name: Row([I(command(lun=bytes.fromhex(wire))), T(response())],
                      [{"lun": shown, "status": "Good"}],
                      tshark_differs="" if shown.isdecimal() else "the LUN is no number")
            for name, (wire, shown) in LUNS.items()}


class Commands(Table, LiveTest):
    ROWS = {**READS, **WRITES, **AHS, **STATUSES, **TAGS, **LUN_ROWS}


if __name__ == "__main__":
    main()
