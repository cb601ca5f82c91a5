# SPDX-License-Identifier: Apache-2.0
"""dumpcap and tshark as a second opinion: the packets of some ports on the loopback, and the SCSI commands in them."""

import collections
import dataclasses
import pathlib
import re
import secrets
import shutil
import signal
import socket
import tempfile

from harness.process import free_port, run, start, wait_until

_TAP = pathlib.Path(__file__).with_name("commands.lua")
_HEADERS_TAP = pathlib.Path(__file__).with_name("headers.lua")
_BUFFER_MIB = 256
_ROOM_BYTES = 4 << 30  # twice what libiscsi's suite sends
_START_SECONDS = 60  # in a guest on a busy machine 30 have been too few
_TAIL_BYTES = 4096
_FULL_FEATURE = 3
_SCSI_COMMAND, _DATA_OUT, _SCSI_RESPONSE, _DATA_IN = 0x01, 0x05, 0x21, 0x25


@dataclasses.dataclass
class Command:
    """One SCSI Command PDU, the bytes that moved for it, and its status (None: not answered)."""

    stream: int
    initiator_port: int
    itt: int
    lun: int
    opcode: int
    expected_bytes: int
    read_bytes: int = 0
    written_bytes: int = 0
    status: int | None = None

    @property
    def transferred_bytes(self):
        return self.read_bytes + self.written_bytes


@dataclasses.dataclass
class DecodedPdu:
    """One line of the tap: a PDU. None: it has no such field."""

    stream: int
    initiator_port: int
    opcode: int
    itt: int | None
    length: int
    lun: int | None
    expected_bytes: int | None
    cdb_opcode: int | None
    status: int | None
    time_ns: int  # of the frame with its last byte

    @property
    def is_from_target(self):
        return bool(self.opcode & 0x20)


def _roomy_folder():
    """Where dumpcap writes. A busy disk keeps it waiting until it drops packets, so this is memory
    where there is plenty of it. None: where temporary files go.
    """
    memory = pathlib.Path("/dev/shm")
    available, = re.findall(r"MemAvailable: +(\d+)", pathlib.Path("/proc/meminfo").read_text())
    has_room = memory.is_mount() and shutil.disk_usage(memory).free > _ROOM_BYTES
    return memory if has_room and int(available) << 10 > 2 * _ROOM_BYTES else None


def _touch(folder, count):
    """Write so many bytes and take them away again. A virtual machine that was just started gets each
    page of memory from its host when it is first written, at 0.25 GB/s where 2 GB/s are usual. That
    is too slow for dumpcap.
    """
    piece = bytes(1 << 20)
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(0, count, len(piece)):
            file.write(piece)


class IncompleteCapture(RuntimeError):
    """dumpcap itself says that it dropped packets: the oracle does not know what was sent."""


class Capture:
    """dumpcap on `lo` for some TCP ports, between start and stop. A dropped packet is a failure.

    dumpcap ends without what the kernel still holds for it. So the last packet of a capture is a
    datagram of our own, and dumpcap is ended when that one is in the file.
    """

    def __init__(self, *ports, expected_bytes=0):
        self._ports = ports
        folder = _roomy_folder()
        _touch(folder, expected_bytes)
        self._end_marker = secrets.token_bytes(32)
        self._marker_port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="lunscope-capture-", dir=folder)
        self.file = pathlib.Path(self._folder.name, "lo.pcapng")
        self._dumpcap = None

    def __enter__(self):
        tcp = " or ".join(f"tcp port {port}" for port in self._ports)
        # Before the traffic, which would starve it on two CPUs.
        self._dumpcap = start(["nice", "-n", "-10",
                               "dumpcap", "-q", "-i", "lo", "-s", "0", "-B", _BUFFER_MIB,
                               "-f", f"{tcp} or udp port {self._marker_port}", "-w", self.file],
                              lambda process: "File:" in process.stderr, _START_SECONDS, "the file")
        return self

    def __exit__(self, *_):
        self._dumpcap.__exit__()
        self._folder.cleanup()

    def stop(self):
        """End the capture and check that it is complete."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(self._end_marker, ("127.0.0.1", self._marker_port))
        wait_until(self._is_drained, 20, "the last packet in the capture file")
        self._dumpcap.signal(signal.SIGINT)
        self._dumpcap.wait(60)
        counts = re.search(r"received/dropped on interface '[^']*': (\d+)/(\d+) "
                           r"\(pcap:(\d+)/dumpcap:(\d+)/flushed:(\d+)/ps_ifdrop:(\d+)\)",
                           self._dumpcap.stderr)
        if counts is None:
            raise RuntimeError(f"dumpcap gave no drop counts: {self._dumpcap.stderr}")
        if any(int(dropped) for dropped in counts.groups()[1:]):
            self._folder.cleanup()  # the next one needs the room
            raise IncompleteCapture(f"dumpcap dropped packets: {counts[0]}")

    def _is_drained(self):
        with self.file.open("rb") as file:
            file.seek(max(0, self.file.stat().st_size - _TAIL_BYTES))
            return self._end_marker in file.read()

    def opcodes(self):
        """Stop, and count PDUs by opcode."""
        self.stop()
        return count_opcodes(self.file, *self._ports)

    def commands(self):
        """Stop, and decode all SCSI commands."""
        self.stop()
        return decode(self.file, *self._ports)


def _tshark(pcap, ports, *options):
    """tshark's lines for a capture file."""
    # Two CPUs send on the loopback: its segments really overtake each other now and then.
    decode_as = (word for port in ports for word in ("-d", f"tcp.port=={port},iscsi"))
    _, rows, _, _ = run(["tshark", "-q", "-r", pcap, *decode_as,
                         "-o", "tcp.reassemble_out_of_order:TRUE",
                         "-o", "iscsi.bogus_pdu_max_data_len:16777215", *options], timeout=300)
    return rows.splitlines()


def count_opcodes(pcap, *ports):
    """PDUs of a capture file by opcode."""
    return collections.Counter(
        int(opcode, 16)
        for row in _tshark(pcap, ports, "-T", "fields", "-e", "iscsi.opcode", "-Y", "iscsi")
        for opcode in row.split(",") if opcode)


def login_offers(pcap, port):
    """(key, value) of all that initiators said in Login Requests."""
    return _login_pairs(pcap, port, 0x03)


def login_answers(pcap, port):
    """{key: value} of all that targets said in Login Responses."""
    return dict(_login_pairs(pcap, port, 0x23))


def _login_pairs(pcap, port, opcode):
    rows = _tshark(pcap, [port], "-T", "fields", "-E", "aggregator=;", "-e", "iscsi.keyvalue",
                   "-Y", f"iscsi.opcode == {opcode}")
    return [tuple(pair.split("=", 1)) for row in rows for pair in row.split(";") if "=" in pair]


def count_logins(pcap, port):
    """How many logins targets completed, and how many they refused by the status: an initiator that
    waits long for an answer may connect and log in again.
    """
    counts = collections.Counter()
    fields = ("iscsi.login.status", "iscsi.login.T", "iscsi.login.nsg")
    rows = _tshark(pcap, [port], "-T", "fields", "-Y", "iscsi.opcode == 0x23",
                   *(word for field in fields for word in ("-e", field)))
    for row in rows:
        status, is_transit, stage = (cell.split(",")[0] for cell in row.split("\t"))
        if int(status, 0) != 0:
            counts[int(status, 0)] += 1
        elif is_transit in ("1", "True") and int(stage, 0) == _FULL_FEATURE:
            counts["completed"] += 1
    return counts


def names_of_commands(pcap, port):
    """tshark's names of the commands, in order; "" where it has no name. For captures of peers that
    wait for each answer: it says so once a packet.
    """
    rows = _tshark(pcap, [port], "-T", "fields", "-e", "_ws.col.Info", "-Y", "iscsi.opcode == 1")
    names = (re.match(r"SCSI: (.*?) LUN:", row) for row in rows)
    return [name[1] if name else "" for name in names]


def decode_pdus(pcap, *ports):
    """The PDUs of a capture file, in order."""
    return [DecodedPdu(*(int(cell) if cell else None for cell in row.split("\t")))
            for row in _tshark(pcap, ports, "-X", f"lua_script:{_TAP}")]


def decode_headers(pcap, port, names):
    """(initiator's port, opcode, {field: text}) of each PDU, in order, of tshark's fields `names`.

    A name that is not in a PDU was not in its header.
    """
    names = list(names)
    for row in _tshark(pcap, [port], "-X", f"lua_script:{_HEADERS_TAP}",
                       "-X", f"lua_script1:{','.join(names)}"):
        initiator_port, opcode, *cells = row.split("\t")
        yield (int(initiator_port), int(opcode),
               {name: cell for name, cell in zip(names, cells, strict=True) if cell})


def decode(pcap, *ports):
    """The SCSI commands of a capture file, in order, each with its data and status."""
    return commands_of(decode_pdus(pcap, *ports))


def commands_of(pdus):
    """The same of PDUs that are decoded already."""
    commands = []
    open_tasks = {}
    for pdu in pdus:
        _follow(commands, open_tasks, pdu)
    return commands


def _follow(commands, open_tasks, pdu):
    """One PDU: a new command, or data or a status of the one that has this ITT."""
    if pdu.opcode == _SCSI_COMMAND:
        commands.append(Command(pdu.stream, pdu.initiator_port, pdu.itt, pdu.lun, pdu.cdb_opcode,
                                pdu.expected_bytes, written_bytes=pdu.length))
        open_tasks[pdu.stream, pdu.itt] = commands[-1]
        return
    command = open_tasks.get((pdu.stream, pdu.itt))
    if pdu.opcode == _DATA_OUT:
        command.written_bytes += pdu.length
    elif pdu.opcode == _DATA_IN:
        command.read_bytes += pdu.length
    if pdu.opcode in (_DATA_IN, _SCSI_RESPONSE) and pdu.status is not None:
        command.status = pdu.status


def by_opcode(commands):
    """How many commands of each CDB opcode."""
    return collections.Counter(command.opcode for command in commands)
