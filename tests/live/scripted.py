# SPDX-License-Identifier: Apache-2.0
"""Scripted peers over plain sockets: say to a real one what no real initiator or target would.

Only the PDUs a script needs: Login Request, SCSI Command, and whatever comes back (RFC 7143,
section 11). It asks for no data digests and no security, so that behind a BHS there is a header
digest, if that was asked for, and a data segment.
"""

import contextlib
import dataclasses
import socket
import struct
import threading

LOGIN_REQUEST, LOGIN_RESPONSE = 0x03, 0x23
SCSI_COMMAND, SCSI_RESPONSE, DATA_IN = 0x01, 0x21, 0x25

TEST_UNIT_READY = bytes(6)


def crc32c(data):
    """The digest of these bytes, as sent (RFC 7143 section 13.1)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack("<I", crc ^ 0xFFFFFFFF)


def read_10(lba, blocks):
    return struct.pack(">BBIBHB", 0x28, 0, lba, 0, blocks, 0)


@dataclasses.dataclass(frozen=True)
class Pdu:
    """A PDU as received: its 48 header bytes and its data segment."""

    header: bytes
    data: bytes

    @property
    def opcode(self):
        return self.header[0] & 0x3F

    @property
    def itt(self):
        return struct.unpack_from(">I", self.header, 16)[0]

    @property
    def ends_command(self):
        """A SCSI Response, or a Data-In that carries the status."""
        return self.opcode == SCSI_RESPONSE or (self.opcode == DATA_IN and self.header[1] & 1)


class Initiator:
    """One connection. Text keys are bytes, so that they can hold what no name may hold."""

    def __init__(self, port, host="127.0.0.1"):
        self._socket = socket.create_connection((host, port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._itt = 0
        self._cmdsn = 1
        self._has_digest = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    @property
    def port(self):
        return self._socket.getsockname()[1]

    def login(self, initiator_name, target_name, header_digest=b"None"):
        """Log in to a normal session. Returns (status class, status detail)."""
        keys = {b"InitiatorName": initiator_name, b"TargetName": target_name,
                b"SessionType": b"Normal", b"HeaderDigest": header_digest, b"DataDigest": b"None",
                b"InitialR2T": b"Yes", b"ImmediateData": b"Yes", b"MaxConnections": b"1",
                b"ErrorRecoveryLevel": b"0"}
        text = b"".join(key + b"=" + value + b"\0" for key, value in keys.items())
        # T, CSG operational, NSG full feature; versions 0; a random-format ISID; a new TSIH.
        header = struct.pack(">BBBBI6sHIHHII16x", 0x40 | LOGIN_REQUEST, 0x87, 0, 0, len(text),
                             bytes([0x80, 0, 0, 1, 0, 0]), 0, self._itt, 0, 0, self._cmdsn, 0)
        self._send(header, text)
        answer = self.receive()
        if answer.opcode != LOGIN_RESPONSE:
            raise RuntimeError(f"opcode {answer.opcode:#x} in answer to a login")
        self._has_digest = b"HeaderDigest=CRC32C" in answer.data
        return answer.header[36], answer.header[37]

    def queue(self, commands, lun=1):
        """Send commands [(cdb, bytes to read)] without waiting for an answer; returns their ITTs.

        All go in one send, and so in as few segments as TCP makes of them.
        """
        pdus, itts = [], []
        for cdb, expected_bytes in commands:
            pdus.append(self._command(cdb, expected_bytes, lun))
            itts.append(self._itt)
            self._cmdsn += 1
        self._socket.sendall(b"".join(pdu + self._digest(pdu) for pdu in pdus))
        return itts

    def send_with_wrong_digest(self):
        """A TEST UNIT READY that its receiver must drop."""
        pdu = self._command(TEST_UNIT_READY, 0, 1)
        self._socket.sendall(pdu + bytes(byte ^ 1 for byte in crc32c(pdu)))

    def finish(self, itts):
        """Receive until each of these commands has its status."""
        waiting = set(itts)
        while waiting:
            pdu = self.receive()
            if pdu.ends_command:
                waiting.discard(pdu.itt)

    def run(self, commands, lun=1):
        """Send and wait for all."""
        self.finish(self.queue(commands, lun))

    def receive(self):
        header = self._exactly(48)
        if self._has_digest and self._exactly(4) != crc32c(header):
            raise RuntimeError("the target's header digest is wrong")
        length = int.from_bytes(header[5:8], "big")
        data = self._exactly(length + -length % 4)
        return Pdu(header, data[:length])

    def _command(self, cdb, expected_bytes, lun):
        """The BHS of a command with the next ITT and the current CmdSN."""
        self._itt += 1
        flags = 0x80 | (0x40 if expected_bytes else 0) | 1  # F, R, simple task
        return struct.pack(">BB6xHHIIIII16s", SCSI_COMMAND, flags, lun, 0, 0, self._itt,
                           expected_bytes, self._cmdsn, 1, cdb.ljust(16, b"\0"))

    def _digest(self, header):
        return crc32c(header) if self._has_digest else b""

    def _send(self, header, data):
        self._socket.sendall(header + data + bytes(-len(data) % 4))

    def _exactly(self, length):
        data = b""
        while len(data) < length:
            more = self._socket.recv(length - len(data))
            if not more:
                raise ConnectionError("the target closed the connection")
            data += more
        return data


@contextlib.contextmanager
def redirector(port, address):
    """A target on 127.0.0.1:`port` that answers each login: moved temporarily, to `address`."""
    def answer(client):
        with client:
            client.settimeout(10)
            request = client.recv(48, socket.MSG_WAITALL)
            length = int.from_bytes(request[5:8], "big")
            client.recv(length + -length % 4, socket.MSG_WAITALL)
            text = b"TargetAddress=" + address.encode() + b"\0"
            # Status class 1, detail 1; ISID and ITT are the request's (RFC 7143 section 11.13).
            header = struct.pack(">BBBBI6sH4sIIII12x", LOGIN_RESPONSE, 0, 0, 0, len(text),
                                 request[8:14], 0, request[16:20], 0, 0, 1, 1)
            header = header[:36] + bytes([1, 1]) + header[38:48]
            client.sendall(header + text + bytes(-len(text) % 4))

    def serve():
        with contextlib.suppress(OSError):  # the end: the listening socket is shut down
            while True:
                answer(listener.accept()[0])

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
