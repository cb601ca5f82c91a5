# SPDX-License-Identifier: Apache-2.0
"""A scripted initiator over a plain socket: says to a real target what no real initiator would.

Only what a script needs: a login without security, commands with their data, and whatever comes
back. Both digests are checked where the login agreed on them.
"""

import dataclasses
import socket

from pdus import (BHS_BYTES, DATA_IN, DATA_OUT, FINAL, FULL_FEATURE, LOGIN_REQUEST, LOGIN_RESPONSE,
                  LOGOUT_REQUEST, LOGOUT_RESPONSE, NO_DIGESTS, OPERATIONAL, R2T, READ, RESERVED_TAG,
                  SCSI_COMMAND, SIMPLE, TRANSIT, WRITE, Digests, Pdu, crc32c, lun, padded, pdu,
                  write_10)

BLOCK = 512
RANDOM_ISID = bytes([0x80, 0, 0, 1, 0, 0])
# What a key means that nobody sent (RFC 7143, section 13).
DEFAULTS = {b"MaxRecvDataSegmentLength": b"8192", b"FirstBurstLength": b"65536",
            b"InitialR2T": b"Yes", b"ImmediateData": b"Yes"}


def read_exactly(peer, length):
    """So many bytes of a socket."""
    data = bytearray()
    while len(data) < length:
        more = peer.recv(length - len(data))
        if not more:
            raise ConnectionError("the other end closed the connection")
        data += more
    return bytes(data)


@dataclasses.dataclass
class Session:
    """What the connections of a session share."""

    cmdsn: int = 1
    tsih: int = 0
    itt: int = 0
    connections: int = 0


class Initiator:
    """One connection, of a session of its own or of the given one. Text keys are bytes, so that
    they can hold what no name may hold.
    """

    def __init__(self, port, host="127.0.0.1", session=None):
        self.session = session or Session()
        self._cid = self.session.connections
        self.session.connections += 1
        self._socket = self._connect((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._exp_statsn = 1
        self.digests = NO_DIGESTS
        self.keys = dict(DEFAULTS)
        self.commands = []
        self.port = self._socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _connect(self, address):
        return socket.create_connection(address, timeout=10)

    def login(self, initiator_name, target_name, header_digest=b"None", data_digest=b"None",
              more_keys=()):
        """Log in to a normal session. Returns (status class, status detail)."""
        leading = {b"InitialR2T": b"Yes", b"ImmediateData": b"Yes", b"MaxConnections": b"1",
                   b"ErrorRecoveryLevel": b"0", **dict(more_keys)}
        keys = {b"InitiatorName": initiator_name, b"TargetName": target_name,
                b"SessionType": b"Normal", b"HeaderDigest": header_digest,
                b"DataDigest": data_digest, **({} if self.session.tsih else leading)}
        asked = b"".join(key + b"=" + value + b"\0" for key, value in keys.items())
        self.send(pdu(LOGIN_REQUEST, TRANSIT | OPERATIONAL | FULL_FEATURE, asked, immediate=True,
                      isid=RANDOM_ISID, itt=self.session.itt, cmdsn=self.session.cmdsn,
                      tsih=self.session.tsih, cid=self._cid))
        answer = self.receive()
        if answer.opcode != LOGIN_RESPONSE:
            raise RuntimeError(f"opcode {answer.opcode:#x} in answer to a login")
        self.session.tsih = int.from_bytes(answer.header[14:16], "big")
        self.keys |= dict(pair.split(b"=", 1) for pair in answer.data.split(b"\0") if b"=" in pair)
        self.digests = Digests(*(self.keys.get(name) == b"CRC32C"
                                 for name in (b"HeaderDigest", b"DataDigest")))
        return answer.header[36], answer.header[37]

    def command(self, cdb, expected_bytes=0, flags=None, data=b"", lun_number=1):
        """The PDU of a command with the next ITT and CmdSN."""
        self.session.itt += 1
        self.session.cmdsn += 1
        if flags is None:
            flags = FINAL | (READ if expected_bytes else 0)
        self.commands.append(
            pdu(SCSI_COMMAND, flags | SIMPLE, data, lun=lun(lun_number), itt=self.session.itt,
                expected_data_transfer_length=expected_bytes, cmdsn=self.session.cmdsn - 1,
                exp_statsn=self._exp_statsn, cdb=cdb))
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
        self._socket.sendall(b"".join(each.wire(self.digests) for each in pdus))

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

    def write(self, lba, data):
        """A WRITE(10), its data in the ways that the login allows (section 4.2.5.2).

        Returns how many bytes went as (immediate, unsolicited, solicited) data.
        """
        most, burst = (min(int(self.keys[key]), len(data))
                       for key in (b"MaxRecvDataSegmentLength", b"FirstBurstLength"))
        immediate = min(most, burst) if self.keys[b"ImmediateData"] == b"Yes" else 0
        unsolicited = burst if self.keys[b"InitialR2T"] == b"No" else immediate
        flags = WRITE | (FINAL if unsolicited == immediate else 0)
        command = self.command(write_10(lba, len(data) // BLOCK), len(data), flags,
                               data[:immediate])
        self.send(command)
        self._data_out(command.itt, RESERVED_TAG, data, immediate, unsolicited)
        answer = self.receive()
        while not answer.ends_command:
            if answer.opcode != R2T:
                raise RuntimeError(f"opcode {answer.opcode:#x} in answer to a write")
            ttt, start, length = (int.from_bytes(answer.header[at:at + 4], "big")
                                  for at in (20, 40, 44))
            self._data_out(command.itt, ttt, data, start, start + length)
            answer = self.receive()
        if answer.header[2:4] != bytes(2):
            raise RuntimeError(f"the write ended with response and status {answer.header[2:4]}")
        return immediate, unsolicited - immediate, len(data) - unsolicited

    def logout(self):
        """End the session with all its connections."""
        self.send(pdu(LOGOUT_REQUEST, FINAL, immediate=True, itt=self.session.itt + 1,
                      cid=self._cid, cmdsn=self.session.cmdsn, exp_statsn=self._exp_statsn))
        answer = self.receive()
        if (answer.opcode, answer.header[2]) != (LOGOUT_RESPONSE, 0):
            raise RuntimeError(f"opcode {answer.opcode:#x}, {answer.header[2]} answers a logout")

    def _data_out(self, itt, ttt, data, start, end):
        """One sequence of Data-Out: bytes [start, end), the last with F."""
        most = int(self.keys[b"MaxRecvDataSegmentLength"])
        for number, offset in enumerate(range(start, end, most)):
            last = min(offset + most, end)
            self.send(pdu(DATA_OUT, FINAL if last == end else 0, data[offset:last], lun=lun(1),
                          itt=itt, ttt=ttt, datasn=number, buffer_offset=offset))

    def receive(self):
        header = self._exactly(BHS_BYTES)
        if self.digests.header and self._exactly(4) != crc32c(header):
            raise RuntimeError("the target's header digest is wrong")
        length = int.from_bytes(header[5:8], "big")
        data = self._exactly(len(padded(bytes(length))))
        if self.digests.data and data and self._exactly(4) != crc32c(data):
            raise RuntimeError("the target's data digest is wrong")
        answer = Pdu(header, data[:length])
        if answer.opcode != DATA_IN or answer.ends_command:
            self._exp_statsn = (int.from_bytes(header[24:28], "big") + 1) % (1 << 32)
        return answer

    def _exactly(self, length):
        return read_exactly(self._socket, length)
