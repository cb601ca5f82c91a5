# SPDX-License-Identifier: Apache-2.0
"""Logins, logouts, pings, windows and ends against the figures of the other side: LIO's configfs,
the kernel's initiator in sysfs and in the kernel's log, and tshark.

tests/live/test_events.py has `ss` and scripted peers; test_open_iscsi.py `iscsiadm -m session -s`,
where the kernel leaves pings and logins at 0.
"""

import pathlib
import re
import signal

from harness.capture import Capture, decode_pdus
from harness.case import main
from harness.compare import ROLES, role_of
from harness.lunscope import Serve, Trace
from harness.pdus import NOP_IN, NOP_OUT, RESERVED_TAG
from harness.process import run, wait_until
from harness.tgtd import Tgtd

from guest import GuestTest
from lio import Lio
from open_iscsi import OpenIscsi

INITIATOR = "iqn.2024-01.org.lunscope.test:statistics"
TARGET = "iqn.2024-01.org.lunscope.test:counted"
CONNECTIONS = pathlib.Path("/sys/class/iscsi_connection")
PING_SECONDS, GIVE_UP_SECONDS = 1, 3
PINGS = 3  # at least so many each way
DD = ["dd", "of=/dev/null", "bs=64k", "count=4", "iflag=direct"]


def pings(interval, give_up=60):
    """Settings of a login."""
    return {"node.conn[0].timeo.noop_out_interval": interval,
            "node.conn[0].timeo.noop_out_timeout": give_up}


def said_by_kernel(pattern):
    """How often."""
    return len(re.findall(pattern, run(["dmesg"])[1]))


def target_numbers(target):
    """(ExpCmdSN, MaxCmdSN, StatSN) of the session, as LIO has them."""
    text = target.session_text(INITIATOR)
    numbers = re.search(r"TTT\n((?: +0x[0-9a-f]{8})+)", text)[1].split()
    statsn = re.search(r"StatSN: (0x[0-9a-f]{8})", text)[1]
    return int(numbers[2], 16), int(numbers[3], 16), int(statsn, 16)


def initiator_exp_statsn():
    path, = CONNECTIONS.glob("connection*/exp_statsn")
    return int(path.read_text())


class WithLio(GuestTest):

    def setUp(self):
        super().setUp()
        self.lio = self.use(Lio())
        self.serve = self.use(Serve(self.lio.port))
        self.trace = self.use(Trace(self.lio.port, options=["--pdu"]))
        self.capture = self.use(Capture(self.lio.port))
        self.target = self.lio.add_target(TARGET, [INITIATOR])
        self.lun = self.target.add_lun()

    def total(self, name, **labels):
        return self.serve.metrics().total(name, target=TARGET, **labels)

    def test_counts(self):
        errors = said_by_kernel("detected conn error")
        with OpenIscsi(INITIATOR) as initiator:
            with initiator.login(self.lio, self.target, **pings(0)) as session:
                run([*DD, f"if={session.disk(self.lun)}"])
                self.check_numbers()
            run(["iscsi-inq", self.target.url(self.lun)], check=False)  # it may not log in
            self.target.set_attributes(INITIATOR, nopin_timeout=3)
            with initiator.login(self.lio, self.target, **pings(PING_SECONDS)):
                for sender in ROLES:
                    wait_until(lambda: self.total("ping_seconds_count", role="target",
                                                  sender=sender) >= PINGS, 60, "pings")
                run(["ss", "-K", "dport", "=", self.lio.port])
                wait_until(lambda: self.total("logins_total", role="initiator") == 3, 60,
                           "the session to be there again")
                self.check_sessions(1)
            metrics = self.serve.settled()
        self.check_lio(metrics)
        self.check_pings(metrics)
        self.assertEqual(metrics.total("connections_ended_total", role="initiator",
                                       during="session"),
                         said_by_kernel("detected conn error") - errors)

    def check_sessions(self, count):
        self.assertEqual(self.target.counters("iscsi_instance")["sessions"], count)
        for role in ROLES:
            self.assertEqual(self.total("session_up", role=role), count)

    def check_numbers(self):
        """Both sides' own numbers, read while no command changes them."""
        def same():
            before, exp_statsn = target_numbers(self.target), initiator_exp_statsn()
            windows = [self.total("command_window_commands", role=role) for role in ROLES]
            seen = self.next_statsn()
            if before == target_numbers(self.target) and exp_statsn == initiator_exp_statsn():
                return before, exp_statsn, windows, seen
            return None
        (exp_cmdsn, max_cmdsn, statsn), exp_statsn, windows, seen = wait_until(
            lambda: (found := same()) and found[3] == found[1] and found, 60, "the same StatSN")
        self.assertEqual(windows, [max_cmdsn - exp_cmdsn + 1] * 2)
        self.assertEqual((seen, exp_statsn), (statsn, statsn))

    def next_statsn(self):
        """The one behind that of the last status, as lunscope shows it."""
        answers = [pdu for pdu in role_of(self.trace.records(), "initiator")
                   if pdu["direction"] == "received" and {"status", "statsn"} <= pdu.keys()]
        return (answers[-1]["statsn"] + 1) % (1 << 32) if answers else None

    def check_lio(self, metrics):
        logins, logouts = (self.target.counters(group) for group in
                           ("iscsi_login_stats", "iscsi_logout_stats"))
        for role in ROLES:
            labels = {"role": role, "target": TARGET}
            self.assertEqual(metrics.total("logins_total", **labels), logins["accepts"])
            self.assertEqual(metrics.total("login_failures_total", **labels),
                             logins["authorize_fails"])
            self.assertEqual(metrics.total("logouts_total", **labels), logouts["normal_logouts"])
        self.assertEqual((logins["accepts"], logins["authorize_fails"], logouts["normal_logouts"]),
                         (3, 1, 2))

    def check_pings(self, metrics):
        """Each that was answered has a time. As tshark counts them: the last may be unanswered."""
        self.capture.stop()
        decoded = decode_pdus(self.capture.file, self.lio.port)
        sent = {"initiator": sum(pdu.opcode == NOP_OUT and pdu.itt != RESERVED_TAG
                                 for pdu in decoded),
                "target": sum(pdu.opcode == NOP_IN and pdu.itt == RESERVED_TAG
                              for pdu in decoded)}
        for role in ROLES:
            for sender in ROLES:
                labels = {"role": role, "sender": sender}
                self.assertEqual(metrics.total("ping_seconds_count", **labels)
                                 + metrics.total("pings_given_up_total", **labels), sent[sender],
                                 labels)


class WithTgtd(GuestTest):

    def test_a_ping_that_is_not_answered(self):
        """The kernel gives up the connection, and says so. Before, lunscope has the ping."""
        tgtd = self.use(Tgtd())
        target = tgtd.add_target(TARGET)
        target.add_lun()
        serve = self.use(Serve(tgtd.port))
        timeouts = said_by_kernel("ping timeout of")
        ours = {"role": "initiator", "sender": "initiator"}
        with OpenIscsi(INITIATOR) as initiator, initiator.login(
                tgtd, target, **pings(PING_SECONDS, GIVE_UP_SECONDS)):
            tgtd.process.signal(signal.SIGSTOP)
            wait_until(lambda: serve.metrics().total("unanswered_pings", **ours) == 1, 60,
                       "a ping without an answer")
            wait_until(lambda: said_by_kernel("ping timeout of") > timeouts, 60, "the kernel")
            tgtd.process.signal(signal.SIGCONT)
            wait_until(lambda: serve.metrics().total("logins_total", role="initiator") == 2, 90,
                       "the session to be there again")
            metrics = serve.metrics()
        self.assertEqual(metrics.total("pings_given_up_total", **ours),
                         said_by_kernel("ping timeout of") - timeouts)


if __name__ == "__main__":
    main()
