# SPDX-License-Identifier: Apache-2.0
"""The tools of libiscsi against tgtd: every command named, counted and timed, as others counted it.

LUNSCOPE_PERF_SECONDS sets how long iscsi-perf runs (2; the decode takes four times as long).
"""

import os
import signal
import time

from capture import Capture
from compare import check_durations, check_names, check_nothing_lost, check_same_commands
from harness import LiveTest, Process, main, run, wait_until
from lunscope import Serve, Trace
from tgtd import Tgtd

PERF_SECONDS = int(os.environ.get("LUNSCOPE_PERF_SECONDS", "2"))

# The tool and its words; {portal}, {lun} are URLs. Then CDB operation codes it has to send.
TOOLS = {
    "iscsi-ls": ("iscsi-ls -s {portal}", {0x00, 0x12, 0x25, 0xA0}),
    "iscsi-inq": ("iscsi-inq {lun}", {0x00, 0x12}),
    "iscsi-inq of a VPD page": ("iscsi-inq -e 1 -c 0x83 {lun}", {0x12}),
    "iscsi-readcapacity16": ("iscsi-readcapacity16 {lun}", {0x9E}),
    "iscsi-perf": (f"iscsi-perf -t {PERF_SECONDS} -m 32 {{lun}}", {0x88}),
    "iscsi-perf, large and random": ("iscsi-perf -t 1 -m 8 -b 256 -r {lun}", {0x88}),
}


class Tools(LiveTest):

    def test_tools(self):
        for name, (words, opcodes) in TOOLS.items():
            with self.subTest(tool=name), Tgtd() as tgtd:
                target = tgtd.add_target("iqn.2024-01.org.lunscope.test:tools")
                target.add_lun()
                words = words.format(portal=tgtd.url(), lun=target.url(1)).split()
                self.check_tool(tgtd.port, words, opcodes)

    def check_tool(self, port, words, opcodes):
        with Capture(port) as capture, Serve(port) as serve, Trace(port) as trace:
            wall = run(words, timeout=PERF_SECONDS + 20)[-1]
            metrics = serve.settled()
            summary = trace.stop()
            commands = capture.commands()
            records = trace.records()
        self.assertLessEqual(opcodes, {command.opcode for command in commands})
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

    def test_tgtd_counted_the_same(self):
        """tgtd forgets with the session: iscsi-perf is stopped in the middle, and all compared."""
        tgtd = self.use(Tgtd())
        target = tgtd.add_target("iqn.2024-01.org.lunscope.test:statistics")
        lun = target.add_lun()
        capture = self.use(Capture(tgtd.port))
        serve = self.use(Serve(tgtd.port))
        perf = self.use(Process(["iscsi-perf", "-t", "20", "-m", "32", target.url(lun)]))
        time.sleep(1)
        perf.signal(signal.SIGSTOP)

        def idle():
            time.sleep(0.2)
            return tgtd.idle_statistics(lun)

        counted = wait_until(idle, 10, "tgtd to be idle")
        metrics = serve.settled()
        commands = capture.commands()
        with_data = [command for command in commands if command.expected_bytes]
        self.assertGreater(counted.read_done_commands, 1000)
        self.assertEqual(len(with_data), counted.read_done_commands, "the capture, and tgtd")
        self.assertEqual(metrics.accounts("target"), (len(commands), len(commands), 0, 0))
        self.assertEqual(metrics.total("read_bytes_total", role="target", lun=str(lun)),
                         counted.read_done_bytes)
        self.assertEqual(metrics.total("command_errors_total", role="target", lun=str(lun)),
                         counted.errors)
        seen, reported, unreported, in_flight = metrics.accounts("initiator")
        self.assertEqual((seen, unreported), (len(commands), 0))
        self.assertEqual(reported + in_flight, seen)


if __name__ == "__main__":
    main()
