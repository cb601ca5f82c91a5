# SPDX-License-Identifier: Apache-2.0
"""A scripted initiator over a plain socket: says to a real target what no real initiator would.

Only what a script needs: a login without security, commands with their data, and whatever comes
back. Both digests are checked where the login agreed on them.
"""

import collections
import dataclasses
import socket

from harness.pdus import (BHS_BYTES, DATA_OUT, FINAL, FULL_FEATURE, LOGIN_REQUEST, LOGIN_RESPONSE,
                          LOGOUT_REQUEST, LOGOUT_RESPONSE, NO_DIGESTS, OPERATIONAL, R2T, READ,
                          RESERVED_TAG, SCSI_COMMAND, SIMPLE, TRANSIT, WRITE, Digests, Pdu, crc32c,
                          lun, padded, pdu, write_10)
from harness.process import port_of_nobody

BLOCK = 512
RANDOM_ISID = bytes([0x80, 0, 0, 1, 0, 0])
# The values of keys that neither end sent (RFC 7143, section 13).
DEFAULT_SEGMENT = {b"MaxRecvDataSegmentLength": b"8192"}
DEFAULTS = {**DEFAULT_SEGMENT, b"FirstBurstLength": b"65536", b"InitialR2T": b"Yes",
            b"ImmediateData": b"Yes"}
# Keys that a target declares: they are not answered.
DECLARED = {b"MaxRecvDataSegmentLength", b"TargetPortalGroupTag", b"TargetAlias", b"TargetAddress"}
CONNECTION_KEYS = {b"MaxRecvDataSegmentLength", b"HeaderDigest", b"DataDigest"}
LOGIN_ROUNDS = 5
CLOSE_SESSION, CLOSE_CONNECTION = range(2)  # reasons of a logout


def read_exactly(peer, length):
    """So many bytes of a socket."""
    data = bytearray()
    while len(data) < length:
        more = peer.recv(length - len(data))
        if not more:
            raise ConnectionError("the other end closed the connection")
        data += more
    return bytes(data)


def text_of(answer):
    """{key: value} of a PDU's data."""
    return dict(pair.split(b"=", 1) for pair in answer.data.split(b"\0") if b"=" in pair)


@dataclasses.dataclass
class Session:
    """Shared by the connections of a session."""

    cmdsn: int = 1
    tsih: int = 0
    itt: int = 0
    connections: int = 0
    keys: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Tally:
    """The traffic of one direction: PDUs and bytes of their data by opcode, and all bytes."""

    pdus: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    data_bytes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    bytes: int = 0

    def count(self, counted, wire_bytes):
        self.pdus[counted.opcode] += 1
        self.data_bytes[counted.opcode] += len(counted.data)
        self.bytes += wire_bytes

    def __add__(self, other):
        return Tally(*(getattr(self, field.name) + getattr(other, field.name)
                       for field in dataclasses.fields(self)))


class Initiator:
    """One connection, of a session of its own or of the given one. Text keys are bytes, so that
    they can hold what no name may hold.
    """

    def __init__(self, port, host="127.0.0.1", session=None):
        self.session = session or Session()
        self.cid = self.session.connections
        self.session.connections += 1
        self._socket = self._connect((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.exp_statsn = 0
        self.digests = NO_DIGESTS
        self.keys = dict(DEFAULTS)
        self.commands = []
        self.sent, self.received = Tally(), Tally()
        self.port = self._socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _connect(self, address):
        return socket.create_connection(address, 60, ("", port_of_nobody()))

    def limit_receive_buffer(self, length):
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, length)

    def login(self, initiator_name, target_name, header_digest=b"None", data_digest=b"None",
              more_keys=()):
        """Log in to a normal session. Returns (status class, status detail).

        A target that offers keys in its turn gets them back as they are: by every result function
        this is an answer, that of an initiator which wants the same.
        """
        leading = {b"SessionType": b"Normal", b"InitialR2T": b"Yes", b"ImmediateData": b"Yes",
                   b"MaxConnections": b"1", b"ErrorRecoveryLevel": b"0", **dict(more_keys)}
        keys = {b"InitiatorName": initiator_name, b"TargetName": target_name,
                b"HeaderDigest": header_digest, b"DataDigest": data_digest,
                **DEFAULT_SEGMENT, **({} if self.session.tsih else leading)}
        settled = DECLARED | keys.keys()
        self.keys |= self.session.keys
        answer = self._login_round(keys)
        while not answer.field("status_class") and not answer.header[1] & TRANSIT:
            offered = {key: value for key, value in text_of(answer).items() if key not in settled}
            settled |= offered.keys()
            answer = self._login_round(offered)
        self.session.tsih = answer.field("tsih")
        self.session.keys = {key: value for key, value in self.keys.items()
                             if key not in CONNECTION_KEYS}
        self.digests = Digests(*(self.keys.get(name) == b"CRC32C"
                                 for name in (b"HeaderDigest", b"DataDigest")))
        return answer.field("status_class"), answer.field("status_detail")

    def _login_round(self, keys):
        """A Login Request with these keys, and the response."""
        if self.sent.pdus[LOGIN_REQUEST] == LOGIN_ROUNDS:
            raise RuntimeError(f"no end of a login after {LOGIN_ROUNDS} requests: {self.keys}")
        said = b"".join(key + b"=" + value + b"\0" for key, value in keys.items())
        self.send(pdu(LOGIN_REQUEST, TRANSIT | OPERATIONAL | FULL_FEATURE, said, immediate=True,
                      isid=RANDOM_ISID, itt=self.session.itt, cmdsn=self.session.cmdsn,
                      tsih=self.session.tsih, cid=self.cid, exp_statsn=self.exp_statsn))
        answer = self.receive()
        if answer.opcode != LOGIN_RESPONSE:
            raise RuntimeError(f"opcode {answer.opcode:#x} in answer to a login")
        self.keys |= text_of(answer)
        return answer

    def next_itt(self):
        self.session.itt += 1
        return self.session.itt

    def command(self, cdb, expected_bytes=0, flags=None, data=b"", lun_number=1):
        """The PDU of a command with the next ITT and CmdSN."""
        self.session.cmdsn += 1
        if flags is None:
            flags = FINAL | (READ if expected_bytes else 0)
        self.commands.append(
            pdu(SCSI_COMMAND, flags | SIMPLE, data, lun=lun(lun_number), itt=self.next_itt(),
                expected_data_transfer_length=expected_bytes, cmdsn=self.session.cmdsn - 1,
                exp_statsn=self.exp_statsn, cdb=cdb))
        return self.commands[-1]

    def queue(self, commands, lun_number=1):
        """Send commands [(cdb, bytes to read)] without waiting for an answer; returns their ITTs.

        All go in one send, and so in as few segments as TCP makes of them.
        """
        pdus = [self.command(cdb, expected_bytes, lun_number=lun_number)
                for cdb, expected_bytes in commands]
        self.send(*pdus)
        return [each.itt for each in pdus]

    def send(self, *pdus):
        wires = [each.wire(self.digests) for each in pdus]
        for each, wire in zip(pdus, wires, strict=True):
            self.sent.count(each, len(wire))
        self._socket.sendall(b"".join(wires))

    def finish(self, itts):
        """Receive until each of these commands has its status."""
        waiting = set(itts)
        while waiting:
            answer = self.receive()
            if answer.ends_command:
                waiting.discard(answer.itt)

    def run(self, commands, lun_number=1):
        """Send and wait for all."""
        self.finish(self.queue(commands, lun_number))

    def write(self, lba, data, outstanding=1):
        """A WRITE(10), its data in the ways that the login allows (section 4.2.5.2), and solicited
        as answer_r2ts() says. Returns how many bytes went as (immediate, unsolicited, solicited)
        data.
        """
        most, burst = (min(int(self.keys[key]), len(data))
                       for key in (b"MaxRecvDataSegmentLength", b"FirstBurstLength"))
        immediate = min(most, burst) if self.keys[b"ImmediateData"] == b"Yes" else 0
        unsolicited = burst if self.keys[b"InitialR2T"] == b"No" else immediate
        flags = WRITE | (FINAL if unsolicited == immediate else 0)
        command = self.command(write_10(lba, len(data) // BLOCK), len(data), flags,
                               data[:immediate])
        self.send(command)
        self.send(*self._data_out(command.itt, RESERVED_TAG, data, immediate, unsolicited))
        self.answer_r2ts(command, data, outstanding, unsolicited)
        return immediate, unsolicited - immediate, len(data) - unsolicited

    def answer_r2ts(self, command, data, outstanding=1, asked=0):
        """Give a write its data, of which `asked` bytes are there, until it has its status.

        Waits until `outstanding` R2Ts are there, or the last, and answers the last of them first.
        """
        due = []
        answer = self.receive()
        while not answer.ends_command:
            if answer.opcode != R2T:
                raise RuntimeError(f"opcode {answer.opcode:#x} in answer to a write")
            due.append(answer)
            asked += answer.field("desired_data_transfer_length")
            if len(due) == outstanding or asked >= len(data):
                while due:
                    self.send(*self.data_asked(due.pop(), data))
            answer = self.receive()
        if (answer.field("response"), answer.field("status")) != (0, 0):
            raise RuntimeError(f"the write ended with response and status {answer.header[2:4]}")

    def logout(self, reason=CLOSE_SESSION):
        """End this connection, and by default the session with all of its connections."""
        answer = self.ask(pdu(LOGOUT_REQUEST, FINAL | reason, immediate=True, itt=self.next_itt(),
                              cid=self.cid, cmdsn=self.session.cmdsn, exp_statsn=self.exp_statsn))
        if (answer.opcode, answer.field("response")) != (LOGOUT_RESPONSE, 0):
            raise RuntimeError(f"opcode {answer.opcode:#x}, {answer.header[2]} answers a logout")
        self._socket.close()

    def data_asked(self, r2t, data):
        """The Data-Out that answer an R2T."""
        start = r2t.field("buffer_offset")
        return self._data_out(r2t.itt, r2t.field("ttt"), data, start,
                              start + r2t.field("desired_data_transfer_length"))

    def _data_out(self, itt, ttt, data, start, end):
        """One sequence of Data-Out: bytes [start, end), the last with F."""
        most = int(self.keys[b"MaxRecvDataSegmentLength"])
        offsets = range(start, end, most)
        return [pdu(DATA_OUT, FINAL if offset == offsets[-1] else 0,
                    data[offset:min(offset + most, end)], lun=lun(1), itt=itt, ttt=ttt,
                    exp_statsn=self.exp_statsn, datasn=number, buffer_offset=offset)
                for number, offset in enumerate(offsets)]

    def ask(self, *pdus):
        """Send, and receive one PDU."""
        self.send(*pdus)
        return self.receive()

    def receive(self):
        header, header_digest = self._checked(BHS_BYTES, self.digests.header)
        length = int.from_bytes(header[5:8], "big")
        data, data_digest = self._checked(len(padded(bytes(length))), self.digests.data)
        answer = Pdu(header, data[:length])
        self.received.count(answer, len(header + header_digest + data + data_digest))
        # A PDU that is sent again has an old number.
        statsn = answer.field("statsn")
        if answer.is_login or (answer.has_own_statsn and statsn == self.exp_statsn):
            self.exp_statsn = (statsn + 1) % (1 << 32)
        return answer

    def _checked(self, length, has_digest):
        """So many bytes, and their digest."""
        data = self._exactly(length)
        digest = self._exactly(4) if has_digest and data else b""
        if digest and digest != crc32c(data):
            raise RuntimeError(f"the target's digest of {length} bytes is wrong")
        return data, digest

    def _exactly(self, length):
        return read_exactly(self._socket, length)
