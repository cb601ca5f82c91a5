# SPDX-License-Identifier: Apache-2.0
"""Addresses, names, LUNs and logins: which initiator did what to which target, seen from both ends.

No secret of a login is ever in what lunscope says.
"""

import collections
import contextlib
import re

from harness.capture import Capture, count_logins
from harness.case import LiveTest, main
from harness.compare import (ROLES, check_nothing_lost, check_same_commands, initiator_port,
                             port_of, role_of)
from harness.lunscope import Serve, Trace
from harness.pdus import TEST_UNIT_READY, read_10
from harness.perf import Perf
from harness.process import run
from harness.scripted import BLOCK, Initiator
from harness.tgtd import Tgtd
from harness.witness import measure

INITIATOR = "iqn.2024-01.org.lunscope.test:initiator-"
TARGET = "iqn.2024-01.org.lunscope.test:target-"
USER, PASSWORD, WRONG = "chap-user-zebra", "sesame-secret-7391", "wrong-secret-2846"
LOGIN = f"{USER}%{PASSWORD}"

COMMANDS = 1000  # of each session, at least

# initiator, host, target, LUN, login
SESSIONS = [
    ("one", "127.0.0.1", "open", 1, ""),
    ("two", "127.0.0.1", "open", 2, ""),
    ("three", "127.0.0.1", "open", 3, ""),
    ("four", "::1", "open", 1, ""),
    ("five", "::1", "open", 3, ""),
    ("six", "127.0.0.1", "closed", 2, LOGIN),
    ("seven", "::1", "closed", 1, LOGIN),
]

# Above 255 in flat space, up to the last one of it.
LUNS = [*range(1, 61), 255, 256, 300, 16383]


class Luns(LiveTest):

    def test_each_has_its_own_counts(self):
        """Each is read another number of blocks; tgtd has counted the same for the same LUN."""
        tgtd = self.use(Tgtd())
        target = tgtd.add_target(TARGET + "luns")
        image = tgtd.folder / "image"
        image.write_bytes(bytes(len(LUNS) * BLOCK))
        for number in LUNS:
            target.add_lun(path=image, number=number)
        with Serve(tgtd.port) as serve, Initiator(tgtd.port) as initiator:
            initiator.login(INITIATOR.encode(), target.name.encode())
            for blocks, number in enumerate(LUNS, start=1):
                initiator.run([(TEST_UNIT_READY, 0)], number)  # has the first unit attention
                initiator.run([(read_10(0, blocks), blocks * BLOCK)], number)
            counted = {str(line.lun): line.read_done_bytes for line in tgtd.statistics()
                       if line.lun in LUNS}
            metrics = serve.settled()
        self.assertEqual(counted, {str(number): blocks * BLOCK
                                   for blocks, number in enumerate(LUNS, start=1)})
        for role in ROLES:
            self.assertEqual({sample.labels["lun"]: sample.value for sample in
                              metrics.select("read_bytes_total", role=role)}, counted)
        check_nothing_lost(self, metrics)


class Sessions(LiveTest):

    def setUp(self):
        super().setUp()
        self.tgtd = self.use(Tgtd())
        self.targets = {name: self.tgtd.add_target(TARGET + name) for name in ("open", "closed")}
        for target in self.targets.values():
            for _ in range(3):
                target.add_lun()
        self.targets["closed"].require_chap(USER, PASSWORD)

    def url_of(self, host, target, lun, login):
        return self.targets[target].url(lun, host, login)

    def test_who_did_what_to_which_lun(self):
        with Trace(self.tgtd.port) as trace, Capture(self.tgtd.port) as capture:
            for initiator, *where in SESSIONS:
                run(["iscsi-inq", "-i", INITIATOR + initiator, self.url_of(*where)])
            trace.stop()
            records = trace.records()
            check_same_commands(self, records, capture.commands())
        for initiator, host, target, lun, _ in SESSIONS:
            with self.subTest(initiator=initiator):
                self.check_session([record for record in records
                                    if record.get("initiator") == INITIATOR + initiator],
                                   host, TARGET + target, lun)

    def check_session(self, records, host, target, lun):
        portal = f"[{host}]:{self.tgtd.port}" if ":" in host else f"{host}:{self.tgtd.port}"
        ends = collections.Counter()
        for record in records:
            self.assertEqual(record["target"], target)
            self.assertEqual(int(record["lun"]), lun)
            here, there = record["local"], record["remote"]
            if record["role"] == "target":
                here, there = there, here
            self.assertEqual(there, portal, record["role"])
            self.assertNotEqual(port_of(here), self.tgtd.port)
            ends[record["role"], here] += 1
        self.assertEqual(len(ends), 2, "one connection, seen from two ends")
        self.assertEqual(len(set(ends.values())), 1, ends)

    def test_several_connections_at_once(self):
        # A busy machine may leave the trace without a CPU for long.
        metrics, records, commands, logins = measure(self.read_at_once, self.tgtd.port)
        check_same_commands(self, records, commands)
        check_nothing_lost(self, metrics)
        ports = collections.defaultdict(set)
        for record in records:
            ports[record["role"], record["initiator"]].add(initiator_port(record))
        self.assertEqual(len(ports), 2 * len(SESSIONS))
        for who, found in ports.items():
            self.assertEqual(len(found), 1, who)
        for role in ("initiator", "target"):
            self.assertEqual(metrics.total("logins_total", role=role), logins["completed"])
            self.assertEqual(metrics.total("logouts_total", role=role), len(SESSIONS))
            for name in self.targets:
                self.assertEqual(
                    metrics.total("commands_total", role=role, target=TARGET + name),
                    sum(record["target"] == TARGET + name for record in role_of(records, role)))

    def read_at_once(self):
        rings = ["--ring-size", 16 << 20]
        with Serve(self.tgtd.port, options=rings) as serve, \
                Trace(self.tgtd.port, options=rings) as trace, \
                Capture(self.tgtd.port) as capture, contextlib.ExitStack() as stack:
            tools = [Perf(self.url_of(*where), "-i", INITIATOR + name, "-m", "4")
                     for name, *where in SESSIONS]
            for tool in tools:
                stack.enter_context(tool)
            self.tgtd.wait_for_commands(COMMANDS, len(SESSIONS))
            for tool in tools:
                tool.finish()
            metrics = serve.settled()
            _, lost = trace.stop()
            self.assertEqual(lost, 0)
            commands = capture.commands()
            return metrics, trace.records(), commands, count_logins(capture.file, self.tgtd.port)

    def test_failed_logins_are_counted_and_secrets_kept(self):
        port = self.tgtd.port
        # login, name of the target, what the tool says, and lunscope
        failures = [
            (f"{USER}%{WRONG}", "closed", "Authentication failure", "authentication_failure"),
            ("", "closed", "Authentication failure", "authentication_failure"),
            ("", "nowhere", "Target not found", "not_found"),
        ]
        with Serve(port) as serve, Trace(port) as trace, Trace(port, output="table") as table:
            for login, name, message, _ in failures:
                code, _, stderr, _ = run(
                    ["iscsi-inq", f"{self.tgtd.url(login=login)}/{TARGET}{name}/1"], check=False)
                self.assertNotEqual(code, 0)
                self.assertIn(message, stderr)
            run(["iscsi-inq", self.url_of("127.0.0.1", "closed", 1, LOGIN)])
            metrics = serve.settled()
            trace.stop()
            table.stop()
            said = {"metrics": metrics.text.encode(), "serve": serve.process.stderr.encode(),
                    "json": trace.output, "table": table.output}
        for role in ("initiator", "target"):
            with self.subTest(role=role):
                for status, count in collections.Counter(row[3] for row in failures).items():
                    self.assertEqual(metrics.total("login_failures_total", role=role,
                                                   status=status), count)
                self.assertEqual(metrics.total("login_failures_total", role=role), len(failures))
                self.assertEqual(metrics.total("logins_total", role=role), 1)
        secret = re.compile("|".join([USER, PASSWORD, WRONG, "CHAP_"]).encode())
        for where, text in said.items():
            with self.subTest(said=where):
                self.assertGreater(len(text), 0)
                self.assertIsNone(secret.search(text))


if __name__ == "__main__":
    main()
