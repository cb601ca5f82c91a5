# SPDX-License-Identifier: Apache-2.0
"""Byte streams as no tool makes them: cut anywhere, peeked at, skipped, wrapped, torn off.

A scripted initiator says a known number of commands to a real tgtd over the loopback; both ends
must see exactly these.
"""

import collections
import contextlib
import socket
import struct

from harness.case import TgtdTest, main
from harness.compare import ROLES, check_nothing_lost, role_of
from harness.lunscope import Serve, Trace
from harness.pdus import TEST_UNIT_READY, read_10
from harness.process import port_of_nobody
from harness.scripted import Initiator

INITIATOR = b"iqn.2024-01.org.lunscope.test:streams"
TARGET = "iqn.2024-01.org.lunscope.test:streams"

# include/uapi/linux/tcp.h, asm-generic/socket.h
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
REPAIR_OFF_WITHOUT_PROBE, RECEIVE_QUEUE, SEND_QUEUE = -1, 1, 2
SO_PEEK_OFF = 42
LINGER_NOT = struct.pack("ii", 1, 0)  # close() sends a RST


def byte_by_byte(sock, length):
    return b"".join(sock.recv(1) for _ in range(length))


def peeked(sock, length):
    sock.recv(length, socket.MSG_PEEK | socket.MSG_WAITALL)
    return sock.recv(length, socket.MSG_WAITALL)


def peeked_ahead(sock, length):
    """The bytes that are read come after others behind them."""
    sock.setsockopt(socket.SOL_SOCKET, SO_PEEK_OFF, 50_000)
    with contextlib.suppress(BlockingIOError):
        sock.recv(1 << 17, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    return sock.recv(length, socket.MSG_WAITALL)


def skipped(sock, length):
    """The data of the disk is thrown away inside the kernel; nobody copies it."""
    flags = socket.MSG_WAITALL | (socket.MSG_TRUNC if length >= 512 else 0)
    return sock.recv(length, flags)


class Reader(Initiator):
    """An initiator that receives in a way of its own."""

    def __init__(self, port, receive):
        super().__init__(port)
        self._receive = receive
        self._socket.settimeout(None)  # a socket with Python's time limit never waits for all
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 10, 0))

    def _exactly(self, length):
        data = self._receive(self._socket, length) if length else b""
        if len(data) < length:
            raise ConnectionError("the target closed the connection")
        return data


READERS = {"byte by byte": byte_by_byte, "peeked": peeked, "peeked ahead": peeked_ahead,
           "data skipped": skipped}


class Wrapping(Initiator):
    """An initiator whose first byte has this sequence number."""

    def __init__(self, port, seq):
        self._seq = seq
        super().__init__(port)

    def _connect(self, address):
        sock = socket.socket()
        sock.settimeout(10)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, SEND_QUEUE)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, struct.pack("I", self._seq))
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_WITHOUT_PROBE)
        sock.connect(address)
        return sock


class Raw(Initiator):
    """Bytes that are no whole PDU, from a port of the caller's choice."""

    def __init__(self, port, source_port=0):
        self._source_port = source_port
        super().__init__(port)

    def _connect(self, address):
        return socket.create_connection(address, 10, ("127.0.0.1", self._source_port))

    def next_received_seq(self):
        sock = self._socket
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, RECEIVE_QUEUE)
        seq = struct.unpack("I", sock.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, 4))[0]
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_WITHOUT_PROBE)
        return seq

    def send_cut(self, offset):
        """A command in two segments."""
        command = self.command(TEST_UNIT_READY)
        wire = command.wire()
        self._socket.sendall(wire[:offset])
        self._socket.sendall(wire[offset:])
        self.finish([command.itt])

    def send_half(self, length):
        self._socket.sendall(self.command(TEST_UNIT_READY).wire()[:length])

    def send_urgent(self):
        self._socket.send(b"!", socket.MSG_OOB)

    def reset(self):
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._socket.close()


class Streams(TgtdTest):
    TARGET = TARGET

    def setUp(self):
        super().setUp()
        self.serve = self.use(Serve(self.tgtd.port))
        self.trace = self.use(Trace(self.tgtd.port))

    def login(self, initiator):
        self.use(initiator)
        self.assertEqual(initiator.login(INITIATOR, TARGET.encode()), (0, 0))
        initiator.run([(TEST_UNIT_READY, 0)])
        return initiator

    def check_all(self, expected):
        """These (name, LBA, bytes) were seen, each end of each connection, and nothing was lost."""
        metrics = self.serve.settled()
        self.trace.stop()
        for role in ROLES:
            seen = collections.Counter(
                (record["command"], record.get("lba"), record.get("transferred_bytes", 0))
                for record in role_of(self.trace.records(), role))
            self.assertEqual((seen - expected, expected - seen), ({}, {}), role)
        check_nothing_lost(self, metrics)
        self.assertEqual(metrics.total("unparsed_bytes_total"), 0)

    def test_readers(self):
        """However the initiator receives: in order, or looked at before, or not at all."""
        blocks = 64
        expected = collections.Counter()
        for name, receive in READERS.items():
            with self.subTest(reader=name):
                initiator = self.login(Reader(self.tgtd.port, receive))
                expected["Test Unit Ready", None, 0] += 1
                for lba in range(4):
                    initiator.run([(read_10(lba, blocks), blocks * 512)] * 4)
                    expected["Read(10)", lba, blocks * 512] += 4
        self.check_all(expected)

    def test_header_cut_anywhere(self):
        initiator = self.login(Raw(self.tgtd.port))
        for offset in range(1, 48):
            initiator.send_cut(offset)
        self.check_all(collections.Counter({("Test Unit Ready", None, 0): 48}))

    def test_sent_sequence_numbers_wrap(self):
        """Before, in and behind the headers that follow the login."""
        starts = range((1 << 32) - 700, (1 << 32) - 20, 20)
        for seq in starts:
            initiator = self.login(Wrapping(self.tgtd.port, seq))
            initiator.run([(read_10(1, 8), 4096)] * 8)
        self.check_all(collections.Counter({("Test Unit Ready", None, 0): len(starts),
                                            ("Read(10)", 1, 4096): 8 * len(starts)}))

    def test_received_sequence_numbers_wrap(self):
        """The target's first number is the kernel's choice: connect until it is a large one."""
        blocks, reads = 4096, 12
        for _ in range(20_000):
            initiator = Raw(self.tgtd.port)
            left = (1 << 32) - initiator.next_received_seq()
            if 4096 < left < blocks * 512 * (reads - 2):
                break
            initiator.reset()
        self.assertLess(left, blocks * 512 * reads, "no connection is about to wrap")
        self.login(initiator)
        for _ in range(reads):
            initiator.run([(read_10(0, blocks), blocks * 512)])
        self.check_all(collections.Counter({("Test Unit Ready", None, 0): 1,
                                            ("Read(10)", 0, blocks * 512): reads}))

    def test_torn_off_and_connected_anew(self):
        """A reset inside a header; the next connection has the same addresses and ports."""
        port, connections = port_of_nobody(), 48
        for length in range(connections):
            initiator = self.login(Raw(self.tgtd.port, port))
            initiator.run([(read_10(length, 8), 4096)])
            initiator.send_half(length)
            initiator.reset()
        expected = collections.Counter({("Test Unit Ready", None, 0): connections})
        expected.update(("Read(10)", lba, 4096) for lba in range(connections))
        self.check_all(expected)

    def test_urgent_byte(self):
        """Its receiver skips it, so that the next header stands where no header can.

        That is a gap at both ends. Commands whose header is lost in it are answered all the same:
        none is missing without a trace, none is invented, and those that follow are all seen.
        """
        sent = 40
        initiator = self.login(Raw(self.tgtd.port))
        initiator.send_urgent()
        for lba in range(1, sent):
            initiator.run([(read_10(lba, 8), 4096)])
        metrics = self.serve.settled()
        self.trace.stop()
        for role in ROLES:
            seen, reported, unreported, in_flight = metrics.accounts(role)
            unmatched = metrics.total("unmatched_responses_total", role=role)
            self.assertEqual((seen + unmatched, unreported + in_flight), (sent, 0), role)
            mine = role_of(self.trace.records(), role)
            self.assertEqual(len(mine), reported)
            # Three headers in a row prove where headers begin again.
            self.assertEqual([record["lba"] for record in mine[1:]],
                             list(range(sent - reported + 1, sent)), role)
            self.assertLessEqual(unmatched, 3, role)
        self.assertEqual(metrics.total("stream_gaps_total"), len(ROLES))


if __name__ == "__main__":
    main()
