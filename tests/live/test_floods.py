# SPDX-License-Identifier: Apache-2.0
"""Floods by somebody who may open connections: others keep their series and their numbers.

LUNSCOPE_FLOOD_SECONDS sets how long each half of a flood takes (3).
"""

import contextlib
import os
import secrets
import socket
import sys
import threading
import time

from harness.case import LiveTest, main
from harness.libiscsi import GOOD, Libiscsi
from harness.lunscope import Serve
from harness.pdus import FULL_FEATURE, LOGIN_REQUEST, LOGIN_RESPONSE, OPERATIONAL, TRANSIT, pdu, text
from harness.process import status_of
from harness.tgtd import Tgtd

SECONDS = float(os.environ.get("LUNSCOPE_FLOOD_SECONDS", "3"))
INITIATOR = "iqn.2024-01.org.lunscope.test:known"
KNOWN, NEW = (f"iqn.2024-01.org.lunscope.test:{name}" for name in ("known", "new"))
TO_FULL_FEATURE = TRANSIT | OPERATIONAL | FULL_FEATURE
NAME_BYTES = 16
LABEL_SETS = 2000
LOGINS_A_CONNECTION = 50
LOGINS_A_SECOND = 5000
# A process grows by so much without a flood: stacks, and the page of a scrape.
MORE_BYTES = 16 << 20


def _with_marks(mark):
    return text(InitiatorName="iqn.2024-01.example:" + mark, TargetName="iqn.2024-01.example:" + mark)


class LoginFlood:
    """5,000 logins a second, or as many as the machine makes, each with two names that nobody has
    used before; a thread is both ends of each connection. Every second one succeeds, or `succeeds`.
    """

    def __init__(self, succeeds=None):
        self.logins = 0
        self._succeeds = succeeds
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        mark = "x" * NAME_BYTES
        request = pdu(LOGIN_REQUEST, TO_FULL_FEATURE, _with_marks(mark), immediate=True,
                      isid=b"\x80" + bytes(5), itt=0, cid=0, cmdsn=1).wire()
        self._request = request.split(mark.encode())
        self._answers = [
            pdu(LOGIN_RESPONSE, TO_FULL_FEATURE, isid=b"\x80" + bytes(5), itt=0, tsih=tsih,
                status_class=status, status_detail=detail, exp_cmdsn=1, max_cmdsn=64).wire()
            for status, detail, tsih in ((0, 0, 1), (2, 3, 0))]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        self._listener.close()

    def _run(self):
        began = time.monotonic()
        while not self._ends.is_set():
            if self.logins > (time.monotonic() - began) * LOGINS_A_SECOND:
                time.sleep(0.001)
                continue
            with socket.create_connection(("127.0.0.1", self.port)) as initiator:
                target, _ = self._listener.accept()
                with target:
                    for end in initiator, target:
                        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._log_in(initiator, target)

    def _log_in(self, initiator, target):
        for number in range(LOGINS_A_CONNECTION):
            name = secrets.token_hex(NAME_BYTES // 2).encode()
            fails = number % 2 if self._succeeds is None else not self._succeeds
            for sender, reader, wire in ((initiator, target, name.join(self._request)),
                                         (target, initiator, self._answers[fails])):
                sender.sendall(wire)
                left = len(wire)
                while left:
                    left -= len(reader.recv(left))
            self.logins += 1


class Floods(LiveTest):

    def setUp(self):
        super().setUp()
        self.tgtd = self.use(Tgtd())
        self.known = self.tgtd.add_target(KNOWN)
        self.lun = self.known.add_lun()

    def session(self, target):
        session = self.use(Libiscsi(INITIATOR, f"127.0.0.1:{self.tgtd.port}", target.name))
        session.wait_until_ready(self.lun)
        return session

    def use_disk(self, session, commands=100):
        for _ in range(commands):
            self.assertEqual(session.command("testunitready", self.lun), GOOD)

    def size(self, serve):
        """(series, resident bytes)"""
        series = sum(not line.startswith("#") for line in serve.scrape().splitlines())
        resident, _ = status_of(f"/proc/{serve.process.pid}/status")["VmRSS"].split()  # and "kB"
        return series, int(resident) << 10

    def test_logins_with_random_names(self):
        for succeeds in None, True, False:
            with self.subTest(succeeds=succeeds), contextlib.ExitStack() as stack:
                flood = LoginFlood(succeeds)
                serve = stack.enter_context(Serve(self.tgtd.port, flood.port,
                                                  options=["--max-label-sets", str(LABEL_SETS)]))
                session = self.session(self.known)
                self.use_disk(session)
                sizes = []
                stack.enter_context(flood)
                for _ in range(2):
                    until = time.monotonic() + SECONDS
                    while time.monotonic() < until:
                        self.use_disk(session, 10)
                        serve.scrape()
                    sizes.append(self.size(serve))
                rate = flood.logins / SECONDS / len(sizes)
                print(f"{rate:.0f} logins/s, (series, bytes) {sizes}", file=sys.stderr)
                (series, resident), (more_series, more_resident) = sizes
                self.assertLess(more_series, series * 1.15)
                self.assertLess(more_resident, resident + MORE_BYTES)
                new = self.session(self.new_target(str(succeeds).lower()))
                self.use_disk(new)
                flood.__exit__()
                self.check_own_series(serve, session, self.known.name)
                self.check_own_series(serve, new, f"{NEW}-{str(succeeds).lower()}")

    def new_target(self, name):
        target = self.tgtd.add_target(f"{NEW}-{name}")
        target.add_lun()
        return target

    def check_own_series(self, serve, session, target):
        metrics = serve.settled()
        for role in "initiator", "target":
            # A machine that is busy with the flood may lose records: that is said.
            lost = metrics.total("commands_unreported_total", role=role)
            counted = metrics.total("commands_total", role=role, target=target)
            self.assertLessEqual(counted, session.commands, f"{role} {target}")
            self.assertGreaterEqual(counted + lost, session.commands, f"{role} {target}")
            print(f"{role} {target}: {counted:.0f} of {session.commands}", file=sys.stderr)
            up, = metrics.select("session_up", role=role, target=target)
            self.assertEqual(up.value, 1, f"{role} {target}")


if __name__ == "__main__":
    main()
