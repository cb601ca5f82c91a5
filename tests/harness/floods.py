# SPDX-License-Identifier: Apache-2.0
"""Floods by somebody who may open connections. One process is both ends of each of them."""

import contextlib
import resource
import secrets
import socket
import threading
import time

from harness.dialogue import login_request, login_response
from harness.pdus import (FINAL, LOGOUT_REQUEST, NOP_IN, NOP_OUT, RESERVED_TAG, TASK_REQUEST,
                          TEXT_REQUEST, pdu, text)

_NAME_BYTES = 16
_LOGINS_A_CONNECTION = 50
_WRITE_BYTES = 64 << 10
_ABORT_TASK = 1
_PREFIX = "iqn.2024-01.example:"
_FLOOD = "flood"
FLOODED = _PREFIX + _FLOOD  # the target of PduFlood


def _login_request(mark):
    name = _PREFIX + mark
    return login_request(text(InitiatorName=name, TargetName=name, SessionType="Normal"),
                         names=False).wire()


# One PDU of each kind, and whether the target sends it.
PDUS = {
    "NOP": (pdu(NOP_OUT, FINAL, itt=1, ttt=RESERVED_TAG, cmdsn=1, immediate=True).wire(), False),
    "NOP with data": (pdu(NOP_OUT, FINAL, bytes(64), itt=1, ttt=RESERVED_TAG, cmdsn=1,
                          immediate=True).wire(), False),
    "NOP of the target": (pdu(NOP_IN, FINAL, itt=RESERVED_TAG, ttt=1, statsn=1).wire(), True),
    "text": (pdu(TEXT_REQUEST, FINAL, text(SendTargets="All"), itt=1, ttt=RESERVED_TAG, cmdsn=1,
                 immediate=True).wire(), False),
    "long text": (pdu(TEXT_REQUEST, FINAL, text(X="y" * 4000), itt=1, ttt=RESERVED_TAG, cmdsn=1,
                      immediate=True).wire(), False),
    "login": (_login_request(_FLOOD), False),
    "task management": (pdu(TASK_REQUEST, FINAL | _ABORT_TASK, itt=1, referenced_task_tag=2,
                            cmdsn=1, immediate=True).wire(), False),
    "logout": (pdu(LOGOUT_REQUEST, FINAL, itt=1, cmdsn=1, immediate=True).wire(), False),
}
CLOSES = "closes"  # a flood of connections that log in and close
KINDS = (*PDUS, CLOSES)


class Peers:
    """Connections to a port of its own, of which this process is both ends: as many as it may have
    descriptors.
    """

    def __init__(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._login = _login_request(_FLOOD), login_response().wire()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    @contextlib.contextmanager
    def connection(self):
        """(the initiator's end, the target's end)"""
        with socket.create_connection(("127.0.0.1", self.port)) as initiator:
            target, _ = self._listener.accept()
            with target:
                for end in initiator, target:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                yield initiator, target

    def log_in(self, initiator, target):
        pass_on(initiator, target, self._login[0])
        pass_on(target, initiator, self._login[1])


def pass_on(sender, reader, wire):
    """Send these bytes and read them at the other end."""
    left = memoryview(wire)
    while left:
        sent = sender.send(left)
        left = left[sent:]
        while sent:
            sent -= len(reader.recv(sent))


class Flood(Peers):
    """A thread that floods while it is entered. per_second: at most so many; 0: what it can make.
    """

    def __init__(self, per_second):
        super().__init__()
        self.made = 0
        self._per_second = per_second
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._began = None

    def __enter__(self):
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        super().__exit__()

    def rate(self):
        """PDUs, logins or closes a second, so far."""
        return self.made / (time.monotonic() - self._began)

    def _run(self):
        while not self._ends.is_set():
            if not self._is_ahead():
                self._go_on()

    def _is_ahead(self):
        if not self._per_second or self.made <= (time.monotonic() - self._began) * self._per_second:
            return False
        time.sleep(0.001)
        return True

    def _go_on(self):
        """Make some more, and count them in `made`."""
        raise NotImplementedError


class LoginFlood(Flood):
    """Logins one after the other, each with two names that nobody has used before. Every second one
    succeeds, or `succeeds`.
    """

    def __init__(self, per_second, succeeds=None):
        super().__init__(per_second)
        self._succeeds = succeeds
        mark = "x" * _NAME_BYTES
        self._request = _login_request(mark).split(mark.encode())
        self._answers = [answer.wire() for answer in (
            login_response(), login_response(tsih=0, status_class=2, status_detail=3))]

    def _go_on(self):
        with self.connection() as (initiator, target):
            for number in range(_LOGINS_A_CONNECTION):
                name = secrets.token_hex(_NAME_BYTES // 2).encode()
                fails = number % 2 if self._succeeds is None else not self._succeeds
                pass_on(initiator, target, name.join(self._request))
                pass_on(target, initiator, self._answers[fails])
                self.made += 1


class PduFlood(Flood):
    """One connection that logs in, and then nothing but PDUs of one kind; or closes (KINDS)."""

    def __init__(self, kind, per_second):
        super().__init__(per_second)
        self._kind = kind

    def _run(self):
        if self._kind == CLOSES:
            super()._run()
            return
        wire, is_of_target = PDUS[self._kind]
        burst = max(1, _WRITE_BYTES // len(wire))
        with self.connection() as (initiator, target):
            self.log_in(initiator, target)
            ends = (target, initiator) if is_of_target else (initiator, target)
            while not self._ends.is_set():
                if not self._is_ahead():
                    pass_on(*ends, wire * burst)
                    self.made += burst

    def _go_on(self):
        with self.connection() as ends:
            self.log_in(*ends)
        self.made += 1
