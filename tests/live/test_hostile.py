# SPDX-License-Identifier: Apache-2.0
"""Hostile input, a row each: lengths that are legal and absurd, headers cut anywhere, bytes that
are no iSCSI, names that would drive a terminal. All of it is counted, nothing is invented, and
the totals add up.
"""

import os
import random
import socket

from harness.case import LiveTest, main
from harness.compare import ROLES, check_harmless
from harness.dialogue import (I, INITIATOR_NAME, T, TARGET_NAME, UNSEEN, Stage, login_request,
                              login_response)
from harness.lunscope import Serve, check_exposition
from harness.pdus import (BLOCK, FINAL, NOP_IN, NOP_OUT, READ, RESERVED_TAG, STATUS_PRESENT, ahs,
                          command, data_in, lun, pdu, read, response, text, write)
from harness.process import port_of_nobody, wait_until
from harness.scripted import read_exactly
from harness.table import Row, Table, done, written

LONGEST = (1 << 24) - 1
GOOD = [{"status": "Good"}]
WORKS = [I(command()), T(response())]
MANY = 1300  # bare headers in one send: nearly the 64 KiB of a segment


def nop_out(data=b"", **fields):
    return pdu(NOP_OUT, data=data, **{"itt": RESERVED_TAG, "ttt": RESERVED_TAG, "cmdsn": 1,
                                      **fields})


LENGTHS = {
    "DataSegmentLength 0": Row([I(nop_out()), *WORKS], GOOD),
    "DataSegmentLength 1": Row([I(nop_out(b"x")), *WORKS], GOOD),
    "DataSegmentLength 0xffffff": Row(
        [I(write(1, LONGEST, bytes(LONGEST))), T(response()), I(command(2)), T(response(2))],
        [written(LONGEST, itt=1), {"itt": 2}]),
    "DataSegmentLength 0xffffff, both ways": Row(
        [I(read(1, LONGEST)), T(data_in(1, bytes(LONGEST), flags=FINAL | STATUS_PRESENT)), *WORKS],
        [done(LONGEST), *GOOD]),
    "more data than MaxRecvDataSegmentLength": Row(
        [I(read(1, 1 << 16)), T(data_in(1, bytes(1 << 16), flags=FINAL | STATUS_PRESENT))],
        [done(1 << 16)]),
    "more data than was expected": Row(
        [I(read(1, 512)), T(data_in(1, bytes(4096), flags=FINAL | STATUS_PRESENT))], [done(4096)]),
    "the longest AHS and the longest data": Row(
        [I(write(1, LONGEST, bytes(LONGEST), extension=ahs((0x3F, bytes(1017))))), T(response()),
         I(command(2)), T(response(2))], [written(LONGEST, itt=1), {"itt": 2}]),
}

CUTS = {
    "a header cut at each of its bytes": Row(
        [step for cut in range(1, 48) for step in (I(command(cut), chunk=cut),
                                                   T(response(cut), chunk=cut))],
        [{"itt": cut, "status": "Good"} for cut in range(1, 48)]),
    "an AHS and data cut at each of their bytes": Row(
        [step for cut in range(1, 80) for step in (
            I(write(cut, 512, b"abcdefg", extension=ahs((0x3F, bytes(9)))), chunk=cut),
            T(response(cut)))],
        [written(7, itt=cut) for cut in range(1, 80)]),
    "many PDUs in one segment": Row(
        [I(*[nop_out()] * MANY, chunk=1 << 16),
         T(*[pdu(NOP_IN, itt=RESERVED_TAG, ttt=RESERVED_TAG, statsn=1)] * MANY, chunk=1 << 16),
         *WORKS], GOOD),
}

# ---- how the bytes are read off the socket ----


def peek_first(peer, length):
    """Look at the bytes, several times, before they are taken."""
    for _ in range(3):
        peer.recv(length, socket.MSG_PEEK | socket.MSG_WAITALL)
    read_exactly(peer, length)


def splice(peer, length):
    """Into a pipe: nothing is copied."""
    source, sink = os.pipe()
    try:
        while length:
            moved = os.splice(peer.fileno(), sink, length)
            length -= len(os.read(source, moved))
    finally:
        os.close(source)
        os.close(sink)


def truncate(peer, length):
    """Taken, and not copied anywhere."""
    while length:
        length -= len(peer.recv(length, socket.MSG_TRUNC))


SESSION = [I(write(1, 1024, BLOCK * 2)), T(response(1)), I(read(2), read(3)),
           T(data_in(2, flags=FINAL | STATUS_PRESENT), data_in(3, flags=FINAL | STATUS_PRESENT))]
ALL = [written(1024, itt=1), done(itt=2), done(itt=3)]
READERS = {
    "read after MSG_PEEK": Row(SESSION, ALL, reader=peek_first),
    "read with splice": Row(SESSION, ALL, reader=splice),
    "read with MSG_TRUNC": Row(SESSION, ALL, reader=truncate),
}

# ---- what is no iSCSI ----

NOT_ISCSI = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4,
    "random bytes": random.Random(7143).randbytes(5000),
    "all ones": b"\xff" * 1000,
    "TLS": bytes.fromhex("16030100c8010000c40303") + random.Random(1).randbytes(194),
    "an opcode that does not exist": pdu(0x1F).wire(),
    "an opcode of the other side": pdu(NOP_IN, itt=1, ttt=RESERVED_TAG).wire(),
    "a marker": b"\0\0\0\x40\0\0\0\x40" + command(2).wire(),
}


def lost(reason, unparsed):
    """Each end loses one direction's boundaries, once."""
    return {f"stream_gaps_total reason={reason}": 2,
            f"unparsed_bytes_total reason={reason}": 2 * unparsed}


GARBAGE = {f"{name} after a login": Row(
    [*WORKS, I(wire)], GOOD, in_all=lost("bad_header", len(wire)), is_for_tshark=False)
    for name, wire in NOT_ISCSI.items()}
GARBAGE |= {f"{name} from the first byte": Row(
    [I(wire)], in_all=lost("not_iscsi", len(wire)), logs_in=False, is_for_tshark=False)
    for name, wire in NOT_ISCSI.items()}
GARBAGE |= {
    "a command before any login": Row(
        [I(command(), fate=UNSEEN)], in_all=lost("not_iscsi", 48), logs_in=False,
        is_for_tshark=False),
    "garbage from the target": Row(
        [*WORKS, I(command(2)), T(b"\xff" * 100)], GOOD,
        {"commands_unreported_total reason=connection_closed": 1},
        lost("bad_header", 100), is_for_tshark=False),
    "nothing at all": Row([], logs_in=False),
    "half a header": Row([I(command(1), command(2)), T(response(1)), I(command(3).wire()[:47])],
                         [{"itt": 1}], {"commands_unreported_total reason=connection_closed": 1}),
    "markers that are negotiated": Row(  # obsolete since RFC 7143: its boundaries are not known
        [I(login_request(text(IFMarker="Yes", OFMarker="Yes", OFMarkInt="8192"))),
         T(login_response(text(IFMarker="Yes", OFMarker="Yes", OFMarkInt="8192"))),
         I(b"\0\0\0\x40\0\0\0\x40" + command().wire())], [], {"logins_total": 1},
        lost("bad_header", 56), logs_in=False, is_for_tshark=False),
}

# ---- names that would drive a terminal ----

NAMES = {  # as sent, and as shown
    "quotes": (b'iqn.x:"quoted"', 'iqn.x:"quoted"'),
    "backslash": (rb"iqn.x:\n\x1b", r"iqn.x:\x5cn\x5cx1b"),
    "newline": (b"iqn.x:\r\nlunscope_up 1", r"iqn.x:\x0d\x0alunscope_up 1"),
    "ESC": (b"iqn.x:\x1b[2J\x1b[31m", r"iqn.x:\x1b[2J\x1b[31m"),
    "OSC 52": (b"iqn.x:\x1b]52;c;aGVsbG8=\x07", r"iqn.x:\x1b]52;c;aGVsbG8=\x07"),
    "bidi marks": ("iqn.x:\u202egnorw".encode(), r"iqn.x:\xe2\x80\xaegnorw"),
    "C1 controls": (b"iqn.x:\xc2\x9b2J", r"iqn.x:\xc2\x9b2J"),
    "invalid UTF-8": (b"iqn.x:\xff\xfe\xc0\xaf", r"iqn.x:\xff\xfe\xc0\xaf"),
    "NUL": (b"iqn.x:a\0b", "iqn.x:a"),
    "223 bytes": (b"iqn.x:" + b"l" * 217, "iqn.x:" + "l" * 217),
    "224 bytes": (b"iqn.x:" + b"l" * 218, "iqn.x:" + "l" * 217 + "..."),
    "32 KiB": (b"iqn.x:" + b"l" * 32768, "iqn.x:" + "l" * 217 + "..."),
}
NAME_ROWS = {f"a name with {name}": Row(
    [I(login_request(b"InitiatorName=" + wire + b"\0" + text(TargetName=TARGET_NAME),
                     names=False)), T(login_response()), *WORKS],
    [{"initiator": shown, "target": TARGET_NAME}], {"logins_total": 1}, logs_in=False)
    for name, (wire, shown) in NAMES.items()}
UNKNOWN = {"initiator": "unknown", "target": "unknown"}
KNOWN = {"initiator": INITIATOR_NAME, "target": TARGET_NAME}
TEXT_ROWS = {f"login text: {name}": Row(
    [I(login_request(keys, names=False)), T(login_response()), *WORKS], [names],
    {"logins_total": 1}, logs_in=False) for name, (keys, names) in {
        "none": (b"", UNKNOWN),
        "keys without a value": (b"InitiatorName\0TargetName=\0", UNKNOWN),
        "values without a key": (b"=iqn.x:a\0==\0", UNKNOWN),
        "only NULs": (bytes(1000), UNKNOWN),
        "no NUL at the end": (text(InitiatorName=INITIATOR_NAME) + b"TargetName="
                              + TARGET_NAME.encode(), KNOWN),
        "keys that are there twice": (text(InitiatorName=INITIATOR_NAME, TargetName=TARGET_NAME)
                                      + text(InitiatorName="iqn.x:b", TargetName="iqn.x:c"), KNOWN),
        "64 KiB before the names": (text(**{f"X-{i}": "v" * 60 for i in range(1000)},
                                         InitiatorName=INITIATOR_NAME, TargetName=TARGET_NAME),
                                    KNOWN),
        "64 KiB behind the names": (text(InitiatorName=INITIATOR_NAME, TargetName=TARGET_NAME,
                                         **{f"X-{i}": "v" * 60 for i in range(1000)}), KNOWN),
        "a key of 64 KiB": (text(InitiatorName=INITIATOR_NAME, TargetName=TARGET_NAME)
                            + b"k" * (1 << 16) + b"=v\0", KNOWN),
        "random bytes": (random.Random(2).randbytes(4096), UNKNOWN),
    }.items()}

INQUIRY = bytes.fromhex("120000002400")
HOSTILE_IDENTITY = bytes([0, 0, 5, 2, 31, 0, 0, 2]) + b"\x1b[2J\"\\\n " + b"\x1b]52;c;aGk=\x07 \xff"
IDENTITY = {
    "INQUIRY strings with ESC": Row(
        [I(command(cdb=INQUIRY, flags=READ, length=36, lun=lun(9))),
         T(data_in(data=HOSTILE_IDENTITY.ljust(36), flags=FINAL | STATUS_PRESENT))], [done(36)]),
}


class Hostile(Table, LiveTest):
    ROWS = {**LENGTHS, **CUTS, **READERS, **GARBAGE, **NAME_ROWS, **TEXT_ROWS, **IDENTITY}

    def test_nothing_drives_a_terminal(self):
        for text_said in [self.exposition.encode(), *self.said]:
            check_harmless(self, text_said.decode("utf-8"))
        self.assertEqual(check_exposition(self.exposition), "")
        self.assertIn(r"\\x1b[2J", self.exposition)


class Connections(LiveTest):

    def test_thousands_are_opened_and_closed(self):
        """Without a word: each has its state, which goes with it, and none is a gap."""
        count = 3000
        # Their 9 MB of records come in 0.3 s. The default rings hold 28 ms of that, and the
        # collector may wait longer for a CPU.
        with Stage() as stage, Serve(stage.port, options=["--ring-size", 8 << 20]) as serve:
            row = Row([], logs_in=False)
            for _ in range(count):
                stage.play(row)
            metrics = serve.settled()
        for name in ("untracked_connections_total", "stream_gaps_total", "events_lost_total",
                     "commands_in_flight"):
            self.assertEqual(metrics.total(name), 0, name)
        self.assertGreaterEqual(metrics.total("events_total"), 2 * 2 * count)

    def test_the_same_four_tuple_again(self):
        """Reset in the middle of a command, then used again: nothing of the first is left over."""
        row = Row([I(command(1)), I(command(2).wire()[:20])], [], {})
        again = Row([I(command(1)), T(response(1))], GOOD)
        with Stage() as stage, Serve(stage.port) as serve:
            port = port_of_nobody()
            for each, resets in (row, True), (again, False):
                self.assertEqual(stage.play(each, source_port=port, resets=resets), port)
            wait_until(lambda: serve.metrics().total("commands_in_flight") == 0, 30, "the reset")
            metrics = serve.settled()
        for role in ROLES:
            self.assertEqual(metrics.accounts(role), (2, 1, 1, 0), role)
            self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                           reason="connection_closed"), 1)
            self.assertEqual(metrics.total("logins_total", role=role), 2)
        self.assertEqual(metrics.total("stream_gaps_total"), 0)


if __name__ == "__main__":
    main()
