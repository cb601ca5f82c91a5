# SPDX-License-Identifier: Apache-2.0
"""libiscsi's and QEMU's tools with tgtd and istgt: commands named, counted, timed, as by others.

LUNSCOPE_PERF_SECONDS sets how long iscsi-perf runs (1; the decode takes four times as long).
"""

import collections
import contextlib
import dataclasses
import os
import signal

from harness.capture import Capture
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES, check_durations, check_names, check_nothing_lost, check_same_commands
from harness.istgt import Istgt
from harness.lunscope import Serve, Trace
from harness.perf import Perf
from harness.process import run, wait_until
from harness.tgtd import Tgtd
from harness.witness import measure

PERF_SECONDS = int(os.environ.get("LUNSCOPE_PERF_SECONDS", "1"))
STOPPED_COMMANDS, READ_BYTES = 3000, 4096
MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Tool:
    """Its words, where {portal} and {lun} are URLs; CDB operation codes it has to send; and the
    bytes that it says it moved, by operation code.
    """

    words: str
    opcodes: set
    moved: dict = dataclasses.field(default_factory=dict)


TOOLS = {
    "iscsi-ls": Tool("iscsi-ls -s {portal}", {0x00, 0x12, 0x25, 0xA0}),
    "iscsi-inq": Tool("iscsi-inq {lun}", {0x00, 0x12}),
    "iscsi-inq of a VPD page": Tool("iscsi-inq -e 1 -c 0x83 {lun}", {0x12}),
    "iscsi-readcapacity16": Tool("iscsi-readcapacity16 {lun}", {0x9E}),
    "iscsi-perf": Tool(f"iscsi-perf -t {PERF_SECONDS} -m 32 {{lun}}", {0x88}),
    "iscsi-perf, large and random": Tool("iscsi-perf -t 1 -m 2 -b 256 -r {lun}", {0x88}),
    "qemu-img bench": Tool("qemu-img bench -f raw -c 500 -d 16 -s 4096 {lun}", {0x28},
                           {0x28: 500 * 4096}),
    "qemu-img bench of writes": Tool("qemu-img bench -f raw -w -c 500 -d 16 -s 16384 {lun}", {0x2A},
                                     {0x2A: 500 * 16384}),
    "qemu-io": Tool("qemu-io -f raw -c write\t-P\t7\t0\t1M -c read\t-P\t7\t0\t1M -c flush "
                    "-c read\t8M\t4M {lun}", {0x28, 0x2A, 0x35}, {0x28: 5 * MIB, 0x2A: MIB}),
}


@dataclasses.dataclass(frozen=True)
class Served:
    """One LUN, and where it is."""

    port: int
    portal: str
    lun: str


@contextlib.contextmanager
def serve_with_tgtd():
    with Tgtd() as tgtd:
        target = tgtd.add_target("iqn.2024-01.org.lunscope.test:tools")
        yield Served(tgtd.port, tgtd.url(), target.url(target.add_lun()))


@contextlib.contextmanager
def serve_with_istgt():
    with Istgt() as istgt:
        yield Served(istgt.port, istgt.url(), istgt.lun_url())


# With their tools: of each library one that reads and one that writes or asks. iscsi-ls waits for
# the end of istgt's answer to SendTargets for ever.
TARGETS = {"tgtd": (serve_with_tgtd, TOOLS),
           "istgt": (serve_with_istgt, ("iscsi-inq", "iscsi-perf", "qemu-img bench of writes",
                                        "qemu-io"))}


def watch(port, words):
    """Watch a tool: metrics, records, tshark's commands, trace's last line, seconds."""
    with Capture(port) as capture, Serve(port) as serve, Trace(port) as trace:
        wall = run(words, timeout=PERF_SECONDS + 60)[-1]
        metrics = serve.settled()
        summary = trace.stop()
        return metrics, trace.records(), capture.commands(), summary, wall


class Tools(LiveTest):

    def test_tools(self):
        for target, (serve, tools) in TARGETS.items():
            with serve() as served:
                for name in tools:
                    with self.subTest(target=target, tool=name):
                        self.check_tool(served, TOOLS[name])

    def check_tool(self, served, tool):
        port = served.port
        # A word with blanks in it has tabs here.
        words = [word.replace("\t", " ") for word in
                 tool.words.format(portal=served.portal, lun=served.lun).split(" ")]
        metrics, records, commands, summary, wall = measure(lambda: watch(port, words), port)
        moved = collections.Counter()
        for command in commands:
            moved[command.opcode] += command.transferred_bytes
        self.assertLessEqual(tool.opcodes, set(moved))
        self.assertEqual({opcode: moved[opcode] for opcode in tool.moved}, tool.moved)
        check_same_commands(self, records, commands)
        check_names(self, records)
        check_durations(self, records, wall)
        check_nothing_lost(self, metrics)
        self.assertEqual(summary, (2 * len(commands), 0))
        for role in ("initiator", "target"):
            self.assertEqual(metrics.accounts(role), (len(commands), len(commands), 0, 0), role)
            self.assertEqual(metrics.total("commands_total", role=role), len(commands))
            self.assertEqual(metrics.total("read_bytes_total", role=role),
                             sum(command.read_bytes for command in commands))


class Statistics(TgtdTest):

    def test_tgtd_counted_the_same(self):
        """tgtd forgets with the session: iscsi-perf is stopped in the middle, and all compared."""
        metrics, counted, commands = measure(self.stop_in_the_middle, self.tgtd.port,
                                             is_whole=False)
        with_data = [command for command in commands if command.expected_bytes]
        self.assertGreaterEqual(counted.read_done_commands, STOPPED_COMMANDS)
        self.assertEqual(len(with_data), counted.read_done_commands, "the capture, and tgtd")
        for role in ROLES:
            seen, reported, unreported, in_flight = metrics.accounts(role)
            self.assertEqual((seen, reported + in_flight, unreported),
                             (len(commands), len(commands), 0), role)
        # Answers that TCP has not sent yet, as nobody reads, are in flight.
        _, _, _, in_flight = metrics.accounts("target")
        self.assertEqual(metrics.total("read_bytes_total", role="target", lun=str(self.lun)) +
                         in_flight * READ_BYTES, counted.read_done_bytes)
        self.assertEqual(metrics.total("command_errors_total", role="target", lun=str(self.lun)),
                         counted.errors)

    def stop_in_the_middle(self):
        """The metrics, what tgtd counted, and tshark's commands, while iscsi-perf is stopped."""
        with Capture(self.tgtd.port) as capture, Serve(self.tgtd.port) as serve, \
                Perf(self.url, "-m", "32") as perf:
            self.tgtd.wait_for_commands(STOPPED_COMMANDS)
            perf.signal(signal.SIGSTOP)

            def standing():
                """The first two, while neither changes."""
                before = self.tgtd.idle_statistics(self.lun)
                metrics = serve.standing()
                return (metrics, before) if before and \
                    before == self.tgtd.idle_statistics(self.lun) else None
            metrics, counted = wait_until(standing, 30, "tgtd to be idle")
            return metrics, counted, capture.commands()


if __name__ == "__main__":
    main()
