# SPDX-License-Identifier: Apache-2.0
"""Floods by somebody who may open connections: others keep their series and their numbers.

LUNSCOPE_FLOOD_SECONDS sets how long each half of a flood takes (3), LUNSCOPE_FLOOD_PDUS how many
PDUs a second a connection sends (1000000; 0: as many as the machine makes), LUNSCOPE_FLOOD_SESSIONS
how many sessions close at once (3000).
"""

import contextlib
import os
import sys
import threading
import time

from harness.case import LiveTest, main
from harness.floods import FLOODED, KINDS, LoginFlood, Peers, PduFlood, pass_on
from harness.libiscsi import GOOD, Libiscsi
from harness.lunscope import Serve
from harness.pdus import SCSI_COMMAND, pdu
from harness.process import status_of
from harness.tgtd import Tgtd

SECONDS = float(os.environ.get("LUNSCOPE_FLOOD_SECONDS", "3"))
INITIATOR = "iqn.2024-01.org.lunscope.test:known"
KNOWN, NEW = (f"iqn.2024-01.org.lunscope.test:{name}" for name in ("known", "new"))
LABEL_SETS = 2000
LOGINS_A_SECOND = 5000
SESSIONS = int(os.environ.get("LUNSCOPE_FLOOD_SESSIONS", "3000"))
PDUS_A_SECOND = int(os.environ.get("LUNSCOPE_FLOOD_PDUS", "1000000"))
# A process grows by so much without a flood: stacks, and the page of a scrape.
MORE_BYTES = 16 << 20


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

    def use_disk_for(self, session, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.use_disk(session, 10)

    def size(self, serve):
        """(series, resident bytes)"""
        series = sum(not line.startswith("#") for line in serve.scrape().splitlines())
        resident, _ = status_of(f"/proc/{serve.process.pid}/status")["VmRSS"].split()  # and "kB"
        return series, int(resident) << 10

    def test_logins_with_random_names(self):
        for succeeds in None, True, False:
            with self.subTest(succeeds=succeeds), contextlib.ExitStack() as stack:
                flood = LoginFlood(LOGINS_A_SECOND, succeeds)
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
                print(f"{flood.rate():.0f} logins/s, (series, bytes) {sizes}", file=sys.stderr)
                (series, resident), (more_series, more_resident) = sizes
                self.assertLess(more_series, series * 1.15)
                self.assertLess(more_resident, resident + MORE_BYTES)
                new = self.session(self.new_target(str(succeeds).lower()))
                self.use_disk(new)
                flood.__exit__()
                metrics = serve.settled()
                for own in session, new:
                    self.check_own_series(metrics, own)

    def test_pdus_of_one_connection(self):
        for kind in KINDS:
            with self.subTest(kind), contextlib.ExitStack() as stack:
                flood = PduFlood(kind, PDUS_A_SECOND)
                serve = stack.enter_context(Serve(self.tgtd.port, flood.port))
                known = self.session(self.known)
                stack.enter_context(flood)
                self.use_disk_for(known, SECONDS / 2)
                new = self.session(self.new_target(kind.replace(" ", "-").lower()))
                self.use_disk_for(new, SECONDS / 2)
                rate = flood.rate()
                flood.__exit__()
                metrics = serve.settled()
                lost = {sample.labels["reason"]: sample.value
                        for sample in metrics.select("events_lost_total", buffer="events")}
                print(f"{kind}: {rate:.0f} a second beside {known.commands + new.commands} commands "
                      f"of others; records lost: {lost}", file=sys.stderr)
                for session in known, new:
                    self.check_own_series(metrics, session)
                self.check_who_lost(metrics, lost)

    def test_thousands_of_sessions_that_close_at_once(self):
        """Each with commands in flight, so that each has records of its end."""
        with contextlib.ExitStack() as stack, Peers() as peers:
            serve = stack.enter_context(Serve(self.tgtd.port, peers.port))
            session = self.session(self.known)
            others = stack.enter_context(contextlib.ExitStack())
            command = pdu(SCSI_COMMAND, itt=1, cmdsn=1, exp_statsn=1).wire()
            for _ in range(SESSIONS):
                initiator, target = others.enter_context(peers.connection())
                peers.log_in(initiator, target)
                pass_on(initiator, target, command)
            closes = threading.Thread(target=others.close)
            began = time.monotonic()
            closes.start()
            while closes.is_alive():
                self.use_disk(session, 10)
                serve.scrape()
            closed = time.monotonic() - began
            self.use_disk(session)
            metrics = serve.settled()
        print(f"{SESSIONS} sessions closed in {closed:.2f} s beside {session.commands} commands of "
              "another", file=sys.stderr)
        self.check_own_series(metrics, session)
        for role in "initiator", "target":
            self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                           reason="connection_closed"), SESSIONS)

    def check_who_lost(self, metrics, lost):
        """The connection that had more than its share has its losses."""
        self.assertEqual(lost["full"] + lost["busy"] + lost["malformed"], 0)
        self.assertEqual(metrics.total("target_events_lost_total", reason="rate", target=FLOODED),
                         lost["rate"])

    def new_target(self, name):
        target = self.tgtd.add_target(f"{NEW}-{name}")
        target.add_lun()
        return target

    def check_own_series(self, metrics, session):
        for role in "initiator", "target":
            counted = metrics.total("commands_total", role=role, target=session.target)
            self.assertEqual(counted, session.commands, f"{role} {session.target}")
            up, = metrics.select("session_up", role=role, target=session.target)
            self.assertEqual(up.value, 1, f"{role} {session.target}")


if __name__ == "__main__":
    main()
