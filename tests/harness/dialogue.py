# SPDX-License-Identifier: Apache-2.0
"""Two scripted ends on one loopback connection: a script is a list of their turns."""

import contextlib
import dataclasses
import socket
import struct

from harness.pdus import (BHS_BYTES, FINAL, FULL_FEATURE, LOGIN_REQUEST, LOGIN_RESPONSE, NO_DIGESTS,
                          OPERATIONAL, TASK_REQUEST, TASK_RESPONSE, TRANSIT, Pdu, data_in, lun,
                          padded, pdu, text)
from harness.process import port_of_nobody
from harness.scripted import RANDOM_ISID, read_exactly

INITIATOR_NAME = "iqn.2024-01.org.lunscope.test:scripted-initiator"
TARGET_NAME = "iqn.2024-01.org.lunscope.test:scripted-target"
_CHUNK = 32 << 10  # fits in the socket buffers, so that one thread can be both ends
_RESET = struct.pack("ii", 1, 0)  # linger, for no time

SEEN, DROPPED, UNSEEN = "counted and shown", "shown, not counted: its digest is wrong", "missed"


@dataclasses.dataclass(frozen=True)
class Step:
    """One end sends these in one go: PDUs, or other bytes."""

    sender: str
    parts: tuple
    chunk: int
    fate: str

    @property
    def pdus(self):
        return [part for part in self.parts if isinstance(part, Pdu)]

    def wire(self, digests):
        return b"".join(part.wire(digests) if isinstance(part, Pdu) else part
                        for part in self.parts)


def I(*parts, chunk=_CHUNK, fate=SEEN):  # noqa: E743 - a script reads as a list of turns
    """The initiator says this; each `chunk` bytes of it are sent, and read, on their own."""
    return Step("initiator", parts, chunk, fate)


def T(*parts, chunk=_CHUNK, fate=SEEN):
    """The target does."""
    return Step("target", parts, chunk, fate)


def login_request(keys=b"", flags=TRANSIT | OPERATIONAL | FULL_FEATURE, names=True, **fields):
    asked = text(InitiatorName=INITIATOR_NAME, TargetName=TARGET_NAME) if names else b""
    return pdu(LOGIN_REQUEST, flags, asked + keys, immediate=True,
               **{"isid": RANDOM_ISID, "itt": 0, "cid": 0, "cmdsn": 1, **fields})


def login_response(keys=b"", flags=TRANSIT | OPERATIONAL | FULL_FEATURE, **fields):
    numbers = {} if fields.get("status_class") else {"exp_cmdsn": 1, "max_cmdsn": 64}
    return pdu(LOGIN_RESPONSE, flags, keys,
               **{"isid": RANDOM_ISID, "itt": 0, "tsih": 1, "status_class": 0, "status_detail": 0,
                  **numbers, **fields})


# The numbers of a PDU from the target, where a script does not care.
STATSN = {"statsn": 2, "exp_cmdsn": 2, "max_cmdsn": 64}


def manage(function, itt=9, answer=0):
    """A Task Management Function Request for task 1 and, where it goes to one, LUN 1; and its
    response.
    """
    where = {} if function in (6, 7, 8, 11) else {"lun": lun(1)}
    return [I(pdu(TASK_REQUEST, FINAL | function, immediate=True, itt=itt, referenced_task_tag=1,
                  cmdsn=3, exp_statsn=1, **where)),
            T(pdu(TASK_RESPONSE, response=answer, itt=itt, **STATSN))]


def pieces(whole, size):
    """[(piece, is it the last?)]"""
    return [(whole[at:at + size], at + size >= len(whole)) for at in range(0, len(whole), size)]


def login(digests=NO_DIGESTS, keys=b""):
    """One request and one response, which agree on these digests."""
    asked = text(HeaderDigest="CRC32C" if digests.header else "None",
                 DataDigest="CRC32C" if digests.data else "None")
    return [I(login_request(asked + keys)), T(login_response(asked))]


class Conversation:
    """Both ends of one connection, from a port of its own unless another is asked for.
    `resets`: it ends with a RST, not with a FIN.
    """

    def __init__(self, listener, source_port=0, resets=False, source_host="127.0.0.1"):
        self._ends = {"initiator": socket.socket()}
        with contextlib.ExitStack() as undo:
            initiator = undo.enter_context(self._ends["initiator"])
            initiator.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            initiator.bind((source_host, source_port or port_of_nobody()))
            if resets:
                initiator.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            initiator.settimeout(60)
            initiator.connect(listener.getsockname())
            self.port = initiator.getsockname()[1]
            self._ends["target"], _ = listener.accept()
            undo.enter_context(self._ends["target"])
            for end in self._ends.values():
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.settimeout(60)
            self._undo = undo.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._undo.close()

    def end(self, ender, resets=False):
        """One end closes its socket, with a FIN or an RST, and then the other does."""
        other = "target" if ender == "initiator" else "initiator"
        if resets:
            self._ends[ender].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._ends[ender].close()
        with contextlib.suppress(ConnectionResetError):
            while self._ends[other].recv(_CHUNK):  # until it has the FIN
                pass
        self._ends[other].close()

    def fill(self, sender):
        """Send Data-In for nobody until no more fits. Returns how many bytes nobody reads."""
        sent = 0
        self._ends[sender].settimeout(0.5)
        block = data_in(itt=99, data=bytes(8192)).wire() * 8
        with contextlib.suppress(TimeoutError):
            while True:
                sent += self._ends[sender].send(block)
        return sent

    def batch(self, sender):
        """As the kernel does unasked: the sender waits with a small segment until the one before
        it is acknowledged, and the other end delays that (TCP_NODELAY, TCP_QUICKACK).
        """
        other = "target" if sender == "initiator" else "initiator"
        self._ends[sender].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        self._ends[other].setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)

    def end_stream(self, sender):
        """It sends a FIN, and can still receive."""
        self._ends[sender].shutdown(socket.SHUT_WR)

    def say(self, steps, digests=NO_DIGESTS, reader=read_exactly):
        """The same thread is both ends, so it reads at once the bytes that it sends."""
        for step in steps:
            wire = step.wire(digests)
            for start in range(0, len(wire), step.chunk):
                self.send(step.sender, wire[start:start + step.chunk])
                self.read(step.sender, len(wire[start:start + step.chunk]), reader)

    def send(self, sender, wire):
        self._ends[sender].sendall(wire)

    def read(self, sender, length, reader=read_exactly):
        """The other end reads what this one has sent."""
        reader(self._ends["target" if sender == "initiator" else "initiator"], length)


class Stage:
    """A listening socket on which rows are played."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(60)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def connect(self, **how):
        return Conversation(self._listener, **how)

    def crowd(self):
        """From now on nobody is answered: the queue of connections is full. Returns what fills it.
        """
        self._listener.listen(0)
        return socket.create_connection(self._listener.getsockname(), 60)

    def close(self):
        """From now on connects are refused."""
        self._listener.close()

    def redirect(self, address):
        """Answer the login of a real initiator: moved temporarily, to `address`."""
        client, _ = self._listener.accept()
        with client:
            client.settimeout(60)
            request = Pdu(read_exactly(client, BHS_BYTES))
            read_exactly(client, len(padded(bytes(int.from_bytes(request.header[5:8], "big")))))
            client.sendall(login_response(
                text(TargetAddress=address), 0, isid=request.header[8:14], itt=request.itt, tsih=0,
                exp_cmdsn=1, max_cmdsn=1, status_class=1, status_detail=1).wire())

    def play(self, row, **how):
        """From the first byte to the end of the connection. Returns the initiator's port."""
        with self.connect(**how) as conversation:
            conversation.say(row.steps, row.digests, row.reader)
            return conversation.port
