# SPDX-License-Identifier: Apache-2.0
"""A loopback that loses and reorders: both ends of each kind still see every command once.

The kernel's initiator does what test_open_iscsi.py has it do; libiscsi's iscsi-perf is counted by
both ends and by LIO.
"""

import signal

import test_open_iscsi
from guest import load
from compare import ROLES, check_nothing_lost, role_of
from harness import Process, main, run, wait_until

LOSS = ["loss", "1%", "delay", "1ms", "reorder", "90%", "50%"]
PERF_COMMANDS = 300


class Netem(test_open_iscsi.FileSystem):
    ROWS = {"LIO": ("LIO", {}, {}), "tgtd": ("tgtd", {}, {})}

    def setUp(self):
        super().setUp()
        load("sch_netem")
        # Packets of one page, not of 64 KiB, so that there are enough to lose.
        run(["ip", "link", "set", "lo", "mtu", "4096", "gso_max_segs", "1"])
        run(["tc", "qdisc", "add", "dev", "lo", "root", "netem", *LOSS])
        self.addCleanup(run, ["tc", "qdisc", "del", "dev", "lo", "root"])

    def tearDown(self):
        metrics = self.serve.metrics()
        for role in ROLES:
            self.assertGreater(
                metrics.total("tcp_retransmitted_segments_total", role=role), 0, role)

    def test_user_space_initiator(self):
        targets = []
        for name, server in self.servers.items():
            targets.append(server.add_target(f"{test_open_iscsi.TARGET}-{name.lower()}"))
            with self.subTest(name):
                self.run_perf(targets[-1].url(targets[-1].add_lun()), targets[-1].name)
        metrics = self.serve.settled()
        self.trace.stop()
        check_nothing_lost(self, metrics)
        ends = [test_open_iscsi.identities(role_of(self.trace.records(), role)) for role in ROLES]
        self.assertEqual((ends[0] - ends[1], ends[1] - ends[0]), ({}, {}), "the ends differ")
        # LIO counts until the LUN goes; tgtd forgets with the session.
        self.assertEqual(metrics.total("commands_total", role="target", target=targets[0].name),
                         targets[0].statistics(1).commands)

    def run_perf(self, url, target):
        with Process(["iscsi-perf", "-m", "16", "-t", "120", url]) as perf:
            wait_until(lambda: self.serve.metrics().total(
                "commands_total", role="target", target=target) > PERF_COMMANDS, 60, "commands")
            perf.signal(signal.SIGINT)
            self.assertEqual(perf.wait(60), 0, perf.stderr)


if __name__ == "__main__":
    main()
