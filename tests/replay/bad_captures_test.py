#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lunscope replay` on files that are damaged, hostile or very long.

Each run ends by itself in seconds, with exit code 0 or 1 and at least one sentence on standard error,
in 512 MiB of memory and with 64 open files. For a file that is broken within it names the last good
packet.

  bad_captures_test.py        the program is named by $LUNSCOPE
"""

import gzip
import lzma
import os
import random
import re
import resource
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.dialogue import login_request, login_response
from harness.pdus import (FINAL, command, data_in, lun, pdu, read, response, text)

LUNSCOPE = os.environ["LUNSCOPE"]
MEMORY_BYTES = 512 << 20
SECONDS = 20
OPEN_FILES = 64
RING_COMMANDS = 500  # a file for each of their packets
MUTATIONS = 150  # of each seed
ETHERNET, RAW = 1, 101
INITIATOR, TARGET = ("10.0.0.1", 40000), ("10.0.0.2", 3260)
SYN, ACK, FIN, RST, PSH = 2, 16, 1, 4, 8
OK, FAILURE = 0, 1


# ---- packets ----

def address(dotted):
    return bytes(map(int, dotted.split(".")))


def tcp(source, target, seq, ack, payload=b"", flags=ACK, header_words=5):
    return struct.pack(">HHIIBBHHH", source, target, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                       header_words << 4, flags, 65535, 0, 0) + payload


def ipv4(source, target, payload, protocol=6, header_words=5, length=None, fragment=0):
    length = 20 + len(payload) if length is None else length
    return struct.pack(">BBHHHBBH", 0x40 | header_words, 0, length & 0xFFFF, 1, fragment, 64,
                       protocol, 0) + address(source) + address(target) + payload


def ethernet(payload, kind=0x0800):
    return bytes(12) + struct.pack(">H", kind) + payload


class Wire:
    """Packets of one connection, in order."""

    def __init__(self, port=INITIATOR[1]):
        self.port = port
        self.seq = {True: 1000, False: 2000}
        self.packets = []

    def handshake(self):
        for is_initiator, flags in ((True, SYN), (False, SYN | ACK), (True, ACK)):
            self.say(is_initiator, b"", flags)
            if flags & SYN:
                self.seq[is_initiator] += 1
        return self

    def say(self, is_initiator, payload, flags=ACK):
        ends = [(INITIATOR[0], self.port), TARGET]
        (source, source_port), (target, target_port) = ends if is_initiator else ends[::-1]
        segment = tcp(source_port, target_port, self.seq[is_initiator], self.seq[not is_initiator],
                      payload, flags)
        self.packets.append(ethernet(ipv4(source, target, segment)))
        self.seq[is_initiator] += len(payload)
        return self

    def skip(self, is_initiator, count):
        self.seq[is_initiator] += count
        return self

    def initiator(self, *parts):
        return self.say(True, b"".join(part.wire() for part in parts))

    def target(self, *parts):
        return self.say(False, b"".join(part.wire() for part in parts))

    def login(self):
        self.handshake()
        return self.initiator(login_request()).target(login_response())

    def commands(self, first, count, **fields):
        for itt in range(first, first + count):
            self.initiator(read(itt, cmdsn=itt, **fields))
            self.target(data_in(itt), response(itt))
        return self


# ---- files ----

def pcap(packets, magic=0xA1B2C3D4, order="<", snaplen=262144, link=ETHERNET, version=(2, 4),
         captured=None, original=None, times=None):
    whole = [struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link)]
    for i, packet in enumerate(packets):
        seconds, fraction = times(i) if times else (1_700_000_000 + i // 1000, i % 1000 * 1000)
        whole.append(struct.pack(order + "IIII", seconds, fraction,
                                 len(packet) if captured is None else captured,
                                 len(packet) if original is None else original))
        whole.append(packet)
    return b"".join(whole)


def block(kind, body, length=None, order="<"):
    body += bytes(-len(body) % 4)
    length = 12 + len(body) if length is None else length
    return (struct.pack(order + "II", kind, length & 0xFFFFFFFF) + body +
            struct.pack(order + "I", length & 0xFFFFFFFF))


def section(order="<", magic=0x1A2B3C4D, major=1):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", magic, major, 0, -1), order=order)


def interface(link=ETHERNET, snaplen=0, options=b""):
    return block(1, struct.pack("<HHI", link, 0, snaplen) + options)


def option(code, value, length=None):
    length = len(value) if length is None else length
    return struct.pack("<HH", code, length) + value + bytes(-len(value) % 4)


def enhanced(packet, number=0, interface_id=0, captured=None):
    ticks = 1_700_000_000_000_000 + number
    captured = len(packet) if captured is None else captured
    return block(6, struct.pack("<IIIII", interface_id, ticks >> 32, ticks & 0xFFFFFFFF,
                                captured & 0xFFFFFFFF, len(packet)) + packet)


def pcapng(packets, *before):
    return b"".join([section(), *(before or [interface()]),
                     *(enhanced(packet, i) for i, packet in enumerate(packets))])


def good():
    return Wire().login().commands(1, 20).packets


def seeds():
    packets = good()
    return {"pcap": pcap(packets), "pcapng": pcapng(packets), "gz": gzip.compress(pcap(packets)),
            "midstream": pcap(Wire().commands(1, 20).packets)}


def mutated(whole, number):
    """The same bytes for the same number, each time."""
    dice = random.Random(number)
    changed = bytearray(whole)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        at = dice.randrange(len(changed))
        kind = dice.randrange(5)
        if kind == 0:
            changed[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            at &= ~3
            changed[at:at + 4] = struct.pack("<I", dice.choice((0, 1, 3, 0x7FFFFFFF, 0xFFFFFFFF,
                                                                 1 << 24, 65536)))
        elif kind == 2:
            del changed[at:at + dice.randrange(1, 64)]
        elif kind == 3:
            changed[at:at] = dice.randbytes(dice.randrange(1, 64))
        else:
            again = changed[at:at + dice.randrange(1, 4096)]
            changed[at:at] = again
        if not changed:
            return b""
    return bytes(changed[:dice.randrange(len(changed))]) if dice.randrange(8) == 0 else bytes(changed)


# ---- hostile files ----

def nested(times):
    """VXLAN in VXLAN, and so on."""
    packet = good()[-1]
    for _ in range(times):
        udp = struct.pack(">HHHH", 50000, 4789, 8 + 8 + len(packet) & 0xFFFF, 0)
        packet = ethernet(ipv4("192.0.2.1", "192.0.2.2", udp + struct.pack(">II", 0x08000000, 0) +
                               packet, protocol=17))
    return packet


def extension_headers(times):
    chain = b"".join(struct.pack(">BB6x", 0, 0) for _ in range(times)) + struct.pack(">BB6x", 6, 0)
    payload = chain + tcp(40000, 3260, 1, 1, b"x" * 48)
    return ethernet(struct.pack(">IHBB", 0x60000000, len(payload) & 0xFFFF, 0, 64) + bytes(32) +
                    payload, 0x86DD)


def vlans(times):
    return ethernet(b"".join(struct.pack(">HH", i & 0xFFF, 0x8100) for i in range(times)) +
                    struct.pack(">HH", 1, 0x0800) + good()[-1][14:], 0x8100)


def of_connection(*steps):
    wire = Wire().login()
    for step in steps:
        step(wire)
    return pcap(wire.packets)


def from_initiator(*parts):
    return lambda wire: wire.initiator(*parts)


def from_target(*parts):
    return lambda wire: wire.target(*parts)


def bytes_of(is_initiator, payload):
    return lambda wire: wire.say(is_initiator, payload)


def long_text(keys):
    """A login whose text is longer than anything that a login needs."""
    data = keys.ljust(1 << 20, b"a")
    wire = Wire().handshake()
    whole = login_request(data, names=False).wire()
    for at in range(0, len(whole), 60000):
        wire.say(True, whole[at:at + 60000])
    return pcap(wire.packets)


def many_syns(count):
    """And then a session with five commands."""
    wire = Wire().login().commands(2, 5)
    packets = []
    for i in range(count):
        segment = tcp(1024 + i % 60000, 3260, i, 0, b"", SYN)
        packets.append(ethernet(ipv4(f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", TARGET[0],
                                     segment)))
    return pcap(packets + wire.packets)


def many_holes(count):
    wire = Wire().login()
    for itt in range(1, count + 1):
        wire.initiator(read(itt, cmdsn=itt))
        wire.skip(True, 48)
        wire.target(data_in(itt), response(itt))
        wire.skip(False, 48)
    return pcap(wire.packets)


def overlapping(count):
    """Segments behind a hole that is never filled, each a byte behind the one before."""
    wire = Wire().login().skip(False, 1000)
    payload = bytes(1400)
    for _ in range(count):
        wire.say(False, payload)
        wire.skip(False, 1 - len(payload))
    return pcap(wire.packets)


def backwards(count):
    """The segments of a stream, the last one first."""
    wire = Wire().login()
    before = len(wire.packets)
    wire.commands(1, count)
    return pcap(wire.packets[:before] + wire.packets[before:][::-1])


def many_names(count):
    """A login to a target of another name on each connection."""
    packets = []
    for i in range(count):
        wire = Wire(1024 + i % 60000).handshake()
        keys = text(InitiatorName=f"iqn.2024-01.test:host-{i}", TargetName=f"iqn.2024-01.test:{i}")
        packets += wire.initiator(login_request(keys, names=False)).target(
            login_response()).commands(1, 1, lun=lun(i % 200)).say(True, b"", RST).packets
    return pcap(packets)


def zeros(megabytes):
    """A file that is small only while it is compressed."""
    data = gzip.compress(bytes(1 << 20), 9)
    return data * megabytes


FIRST = good()[0]
# The content of the file, the exit code, and a part of the message. None and "": any will do.
CRAFTED = {
    # the file's own header
    "empty": (lambda: b"", FAILURE, "empty|short|truncated|not a capture|format"),
    "one byte": (lambda: b"\xd4", FAILURE, ""),
    "a header cut off": (lambda: pcap([])[:20], FAILURE, ""),
    "a header and no packet": (lambda: pcap([]), OK, ""),
    "words": (lambda: b"this is no capture\n" * 100, FAILURE, ""),
    "zeros": (lambda: bytes(4096), FAILURE, ""),
    "an ELF file": (lambda: Path(LUNSCOPE).read_bytes()[:65536], FAILURE, ""),
    "the other byte order": (lambda: pcap(good(), order=">"), OK, "20 commands"),
    "nanoseconds": (lambda: pcap(good(), magic=0xA1B23C4D), OK, "20 commands"),
    "an unknown magic": (lambda: pcap(good(), magic=0xA1B2C3D5), FAILURE, ""),
    "version 1": (lambda: pcap(good(), version=(1, 0)), FAILURE, ""),
    "version 99": (lambda: pcap(good(), version=(99, 0)), FAILURE, ""),
    "an unknown link type": (lambda: pcap(good(), link=147), FAILURE, "link type"),
    "an impossible link type": (lambda: pcap(good(), link=0xFFFFFFF), FAILURE, ""),
    "the wrong link type": (lambda: pcap(good(), link=RAW), OK, "no TCP|0 commands"),
    "snap length 0": (lambda: pcap(good(), snaplen=0), None, ""),
    "snap length 2^32 - 1": (lambda: pcap(good(), snaplen=0xFFFFFFFF), None, ""),
    "snap length below the packets": (lambda: pcap(good(), snaplen=60), None, ""),
    # the header of a packet
    "a length of 4 GiB": (lambda: pcap(good(), captured=0xFFFFFFFF), FAILURE, "packet"),
    "a length of 2 GiB": (lambda: pcap(good(), captured=0x7FFFFFFF), FAILURE, "packet"),
    "a length of 200 MiB": (lambda: pcap(good(), captured=200 << 20), FAILURE, "packet"),
    "a length of 0": (lambda: pcap([b""] * 1000), OK, ""),
    "more captured than there was": (lambda: pcap(good(), original=10), None, ""),
    "less captured than there was": (lambda: pcap(good(), original=0xFFFFFFFF), None, ""),
    "cut off in a packet": (lambda: pcap(good())[:-5], FAILURE, "packet"),
    "cut off in the header of a packet": (lambda: pcap(good()) + bytes(7), FAILURE, "packet"),
    "time 0": (lambda: pcap(good(), times=lambda i: (0, 0)), OK, "20 commands"),
    "time 2^32 - 1": (lambda: pcap(good(), times=lambda i: (0xFFFFFFFF, 999_999)), OK,
                      "20 commands"),
    "a fraction above a second": (lambda: pcap(good(), times=lambda i: (1, 0xFFFFFFFF)), OK,
                                  "20 commands"),
    "times that fall": (lambda: pcap(good(), times=lambda i: (2_000_000_000 - i * 3600, 0)), OK,
                        ""),
    # compressed
    "gz cut off": (lambda: gzip.compress(pcap(good()))[:-40], FAILURE, ""),
    "gz of words": (lambda: gzip.compress(b"no capture" * 1000), FAILURE, ""),
    "gz of gz": (lambda: gzip.compress(gzip.compress(pcap(good()))), None, ""),
    "gz of a gibibyte of zeros": (lambda: zeros(1024), FAILURE, ""),
    "gz of a header and 256 MiB of zeros": (
        lambda: gzip.compress(pcap([])) + zeros(256), None, ""),
    "xz cut off": (lambda: lzma.compress(pcap(good()))[:-40], FAILURE, ""),
    "xz with a wrong check": (
        lambda: (data := lzma.compress(pcap(good())))[:60] + b"\xff" + data[61:], FAILURE, ""),
    # pcapng
    "ng: nothing but a section": (lambda: section(), None, ""),
    "ng: an unknown byte order": (lambda: section(magic=0x12345678), FAILURE, ""),
    "ng: version 2": (lambda: section(major=2) + interface(), FAILURE, "version 2.0"),
    "ng: a section cut off": (lambda: section()[:16] + bytes(8), FAILURE, ""),
    "ng: a block of 0 bytes": (lambda: section() + block(6, b"", 0), FAILURE, "packet|block"),
    "ng: a block of 8 bytes": (lambda: section() + block(6, b"", 8), FAILURE, "packet|block"),
    "ng: a block of 13 bytes": (lambda: section() + block(6, b"\0", 13), FAILURE, "packet|block"),
    "ng: a block of 4 GiB": (lambda: section() + block(6, b"", 0xFFFFFFFC), FAILURE,
                             "packet|block"),
    "ng: two lengths that differ": (
        lambda: section() + interface()[:-4] + struct.pack("<I", 99), FAILURE, "packet|block"),
    "ng: an unknown block": (lambda: pcapng(good(), interface(), block(0x0BAD, bytes(400))), OK,
                             "20 commands"),
    "ng: a packet of no interface": (lambda: section() + enhanced(FIRST), FAILURE,
                                     "packet|interface"),
    "ng: interface 2^32 - 1": (lambda: section() + interface() +
                               enhanced(FIRST, interface_id=0xFFFFFFFF), FAILURE,
                               "packet|interface"),
    "ng: more captured than the block has": (
        lambda: section() + interface() + enhanced(FIRST, captured=0xFFFFFFFF), FAILURE,
        "packet"),
    "ng: an interface cut off": (lambda: section() + block(1, b"\1\0"), FAILURE, ""),
    "ng: an option that goes beyond its block": (
        lambda: pcapng(good(), interface(options=option(9, b"\6", 60000))), None, ""),
    "ng: a resolution of 10^-255": (
        lambda: pcapng(good(), interface(options=option(9, b"\x7f"))), None, ""),
    "ng: a resolution of 2^-127": (
        lambda: pcapng(good(), interface(options=option(9, b"\xff"))), None, ""),
    "ng: an offset of 2^63 s": (
        lambda: pcapng(good(), interface(options=option(14, b"\xff" * 7 + b"\x7f"))), None, ""),
    "ng: 100,000 interfaces": (lambda: pcapng(good(), *[interface()] * 100_000), None, ""),
    "ng: 100,000 sections": (lambda: section() * 100_000 + pcapng(good()), None, ""),
    # below TCP
    "VXLAN in VXLAN, 200 times": (lambda: pcap([nested(200)] * 100), OK, ""),
    "10,000 extension headers": (lambda: pcap([extension_headers(8000)] * 10), OK, ""),
    "1,000 VLAN tags": (lambda: pcap([vlans(1000)] * 100), OK, ""),
    "an IP header of 0 words": (
        lambda: pcap([ethernet(ipv4("1.1.1.1", "2.2.2.2", bytes(40), header_words=0))]), OK, ""),
    "an IP length below its header": (
        lambda: pcap([ethernet(ipv4("1.1.1.1", "2.2.2.2", bytes(40), length=3))]), OK, ""),
    "fragments": (
        lambda: pcap([ethernet(ipv4("1.1.1.1", "2.2.2.2", bytes(40), fragment=0x2001))] * 1000),
        OK, ""),
    "a TCP header of 0 words": (
        lambda: pcap([ethernet(ipv4(INITIATOR[0], TARGET[0], tcp(1, 3260, 1, 1, bytes(60),
                                                                 header_words=0)))]), OK, ""),
    "a TCP header beyond its packet": (
        lambda: pcap([ethernet(ipv4(INITIATOR[0], TARGET[0], tcp(1, 3260, 1, 1, b"",
                                                                 header_words=15)))]), OK, ""),
    # iSCSI
    "an AHS of 255 words": (
        lambda: of_connection(from_initiator(command(1, extension=bytes(255 * 4)))), OK, ""),
    "a data segment of 16 MiB": (
        lambda: of_connection(from_target(pdu(0x25, FINAL, b"", length=0xFFFFFF, itt=1))), OK, ""),
    "a text without an end": (lambda: long_text(b"InitiatorName="), OK, ""),
    "a text of equal signs": (lambda: long_text(b"=" * (1 << 20)), OK, ""),
    "a text of NULs": (lambda: long_text(bytes(1 << 20)), OK, ""),
    "a reused tag": (
        lambda: of_connection(*[from_initiator(read(7, cmdsn=i)) for i in range(5000)]), OK, ""),
    "bytes that are no PDU": (
        lambda: of_connection(*[bytes_of(True, random.Random(1).randbytes(1400))] * 5000), OK, ""),
    # long
    "1,000,000 SYNs": (lambda: many_syns(1_000_000), OK, "5 commands, 0 lost; 5 seen"),
    "100,000 holes": (lambda: many_holes(100_000), OK, ""),
    "20,000 segments behind a hole": (lambda: overlapping(20_000), OK, ""),
    "a stream backwards": (lambda: backwards(20_000), OK, ""),
    "20,000 targets": (lambda: many_names(20_000), OK, ""),
}


def set_limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


class BadCaptures(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def written(self, data, name="a.pcap"):
        path = Path(self.folder.name, name)
        path.write_bytes(data)
        return path

    def run_replay(self, *words):
        return subprocess.run([LUNSCOPE, "replay", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=SECONDS, preexec_fn=set_limits,
                              check=False)

    def replay(self, data, *options):
        done = self.run_replay(self.written(data), *options)
        return done.returncode, done.stderr.decode(errors="replace")

    def check(self, data, code=None, words="", options=()):
        found, said = self.replay(data, *options)
        self.assertIn(found, (OK, FAILURE), said[-2000:])
        if code is not None:
            self.assertEqual(found, code, said[-2000:])
        for line in said.splitlines():
            if not line.startswith("lunscope: "):
                self.assertRegex(line, r"^[ -~]*$")
        self.assertRegex(said, r"(?m)^lunscope: .{10}")
        self.assertRegex(said, re.compile(words))

    def test_crafted(self):
        for name, (make, code, words) in CRAFTED.items():
            with self.subTest(file=name):
                self.check(make(), code, words)

    def test_ring_of_more_files_than_may_be_open(self):
        packets = Wire().login().commands(2, RING_COMMANDS).packets
        paths = [self.written(pcap([packet], times=lambda _, at=at: (1_700_000_000, at)),
                              f"{at}.pcap") for at, packet in enumerate(packets)]
        self.assertGreater(len(paths), OPEN_FILES)
        done = self.run_replay(*paths, "-o", "json", "--no-events", "--no-findings")
        self.assertEqual(done.returncode, OK, done.stderr[-2000:])
        self.assertEqual(len(done.stdout.splitlines()), RING_COMMANDS)

    def test_mutated(self):
        for name, seed in seeds().items():
            for number in range(MUTATIONS):
                with self.subTest(seed=name, number=number):
                    options = (["-o", "metrics"], ["-o", "json"], ["--pdu"], ["--role", "both"])
                    self.check(mutated(seed, number), options=options[number % 4])


if __name__ == "__main__":
    unittest.main()
