# SPDX-License-Identifier: Apache-2.0
"""Which initiator asks for how much, and which guest it is: what they say themselves, and tshark.

The queries of docs/USAGE.md are asked of a real Prometheus.
"""

import collections
import contextlib
import re
import sys

from harness.capture import Capture
from harness.case import LiveTest, main
from harness.compare import ROLES, check_nothing_lost
from harness.lunscope import Metrics, Serve, replay
from harness.pdus import DATA_IN, DATA_OUT, SCSI_COMMAND, TEST_UNIT_READY, read_10
from harness.perf import Perf
from harness.process import ROOT, Process, wait_until
from harness.scripted import BLOCK, Initiator
from harness.tgtd import Tgtd

sys.path.insert(0, str(ROOT / "tests" / "dashboards"))
import prometheus  # noqa: E402  (needs the path above)

NAME = "iqn.2024-01.org.lunscope.test:"
TARGET = NAME + "initiators"
MODES = ["records", "aggregate"]
# Each session: the initiator, how many READs it sends (of 1, 2, 3 ... blocks), and how many blocks
# it writes. Two sessions have one name, and one name is that of a stand-in.
SESSIONS = [("one", 9, 4), ("two", 3, 64), ("one", 5, 0), ("overflow", 2, 1)]
QUERY = re.compile(r"^```promql\n(.*?)^```$", re.M | re.S)
SAMPLES = 4
GUEST = "mail"
# QEMU opens the disk and, stopped before its first instruction, keeps it.
QEMU = ("qemu-system-x86_64 -accel tcg -machine q35 -nodefaults -display none -S -nic none -drive "
        "file={url},if=none,id=disk,format=raw -device virtio-blk-pci,drive=disk").split()


def label(name):
    """A stand-in's name that comes from the wire is marked."""
    return r"\x6fverflow" if name == "overflow" else NAME + name


def counted(metrics, role):
    """{initiator: (commands, bytes read, bytes written)} as lunscope has them."""
    names = {sample.labels["initiator"] for sample in metrics.select("initiator_commands_total",
                                                                     role=role)}
    return {name: tuple(metrics.total(f"initiator_{what}_total", role=role, initiator=name)
                        for what in ("commands", "read_bytes", "written_bytes")) for name in names}


class Counts(LiveTest):

    def setUp(self):
        super().setUp()
        self.tgtd = self.use(Tgtd())
        self.target = self.tgtd.add_target(TARGET)
        self.target.add_lun()

    def sessions(self, stack):
        """[(label, Initiator)], after their commands."""
        found = []
        for name, reads, blocks in SESSIONS:
            initiator = stack.enter_context(Initiator(self.tgtd.port))
            sent = name if name == "overflow" else NAME + name
            self.assertEqual(initiator.login(sent.encode(), TARGET.encode()), (0, 0))
            initiator.run([(TEST_UNIT_READY, 0)])  # has the first unit attention
            for count in range(1, reads + 1):
                initiator.run([(read_10(0, count), count * BLOCK)])
            if blocks:
                initiator.write(0, bytes(blocks * BLOCK))
            found.append((label(name), initiator))
        return found

    def check_sums(self, metrics):
        for role in ROLES:
            for what in "read_bytes", "written_bytes", "commands":
                self.assertEqual(metrics.total(f"initiator_{what}_total", role=role),
                                 metrics.total(f"{what}_total", role=role))
            seconds = metrics.total("command_duration_seconds_sum", role=role)
            self.assertGreater(seconds, 0)
            self.assertAlmostEqual(
                metrics.total("initiator_command_seconds_total", role=role), seconds)

    def test_are_those_of_the_initiators(self):
        for mode in MODES:
            with self.subTest(mode), Serve(self.tgtd.port, options=["--mode", mode]) as serve, \
                    Capture(self.tgtd.port) as capture, contextlib.ExitStack() as stack:
                own = collections.defaultdict(lambda: (0, 0, 0))
                tshark = collections.defaultdict(lambda: (0, 0, 0))
                ports = {}
                for name, initiator in self.sessions(stack):
                    ports[initiator.port] = name
                    own[name] = tuple(map(sum, zip(own[name], (
                        len(initiator.commands), initiator.received.data_bytes[DATA_IN],
                        initiator.sent.data_bytes[SCSI_COMMAND]
                        + initiator.sent.data_bytes[DATA_OUT]))))
                metrics = serve.settled()
                capture.stop()
                for command in capture.commands():
                    name = ports[command.initiator_port]
                    tshark[name] = tuple(map(sum, zip(tshark[name], (
                        1, command.read_bytes, command.written_bytes))))
                _, text, _ = replay(capture.file, "--port", self.tgtd.port, "--role", "both", "-o",
                                    "metrics")
                self.assertEqual(len(own), 3)
                self.assertEqual(own, tshark)
                for seen in metrics, Metrics(text):
                    for role in ROLES:
                        self.assertEqual(counted(seen, role), own)
                    self.check_sums(seen)
                check_nothing_lost(self, metrics)

    def test_a_limit_leaves_the_sums_right(self):
        """The first to come has its series, and the others are overflow."""
        with Serve(self.tgtd.port, options=["--max-label-sets", "1"]) as serve, \
                contextlib.ExitStack() as stack:
            self.sessions(stack)
            metrics = serve.settled()
        self.check_sums(metrics)
        for role in ROLES:
            self.assertIn("overflow", counted(metrics, role))
        self.assertGreater(metrics.total("dropped_series_total"), 0)


class Guests(LiveTest):

    def test_queries_of_the_page(self):
        """One initiator is a guest's, and another one is not."""
        tgtd = self.use(Tgtd())
        target = tgtd.add_target(TARGET)
        for _ in range(2):
            target.add_lun()
        queries = QUERY.findall((ROOT / "docs" / "USAGE.md").read_text())
        self.assertEqual(len(queries), 3)
        serve = self.use(Serve(tgtd.port))
        words = [word.format(url=target.url(1)) for word in QEMU]
        self.use(Process([*words, "-name", f"guest={GUEST}"]))
        self.use(Perf(target.url(2), "-i", NAME + "perf", "-m", "4"))
        (info,) = wait_until(lambda: serve.metrics().select("guest_info"), 60, "the guest")
        self.assertEqual((info.labels["target"], info.labels["guest"]), (TARGET, GUEST))
        server = self.use(prometheus.Prometheus(serve.address, "1s"))
        server.wait_for_samples(SAMPLES, timeout_s=60)
        noisy, slow, guests = ({tuple(sorted(each["metric"].items())): float(each["value"][1])
                                for each in server.query(query)} for query in queries)
        of_perf = (("initiator", NAME + "perf"), ("target", TARGET))
        of_guest = (("initiator", info.labels["initiator"]), ("target", TARGET))
        self.assertEqual(set(noisy), {of_perf, of_guest})
        self.assertGreater(noisy[of_perf], noisy[of_guest])
        self.assertGreater(slow[of_perf], 0)
        self.assertEqual(set(guests), {(("guest", GUEST),)})


if __name__ == "__main__":
    main()
