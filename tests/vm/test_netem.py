# SPDX-License-Identifier: Apache-2.0
"""A loopback that loses and reorders: both ends of each kind still see every command once.

The kernel's initiator does what test_open_iscsi.py has it do; libiscsi's iscsi-perf is counted by
both ends and by LIO.
"""

import signal

from harness.case import main
from harness.compare import ROLES, check_nothing_lost, role_of
from harness.lunscope import Serve
from harness.process import Process, run, wait_until

from guest import GuestTest, load, unload
from lio import Lio
from open_iscsi import OpenIscsi
import test_open_iscsi

LOSS = ["loss", "1%", "delay", "1ms", "reorder", "90%", "50%"]
PERF_COMMANDS = 300


def lose_packets(test):
    load("sch_netem")
    # Packets of one page, not of 64 KiB, so that there are enough to lose.
    run(["ip", "link", "set", "lo", "mtu", "4096", "gso_max_segs", "1"])
    run(["tc", "qdisc", "add", "dev", "lo", "root", "netem", *LOSS])
    test.addCleanup(run, ["tc", "qdisc", "del", "dev", "lo", "root"])


class Netem(test_open_iscsi.FileSystem):
    ROWS = {"LIO": ("LIO", {}, {}), "tgtd": ("tgtd", {}, {})}

    def setUp(self):
        super().setUp()
        lose_packets(self)

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


class WithoutReadingHook(GuestTest):
    """No fentry program, and no symbols: the kernel's initiator is followed by what arrives.

    Segments behind a lost packet wait in TCP's out-of-order queue. The initiator takes them as soon
    as the packet has come again.
    """

    def setUp(self):
        super().setUp()
        self.set_kernel("ftrace_enabled", "0")
        self.set_kernel("kptr_restrict", "2")
        load("iscsi_tcp")
        self.addCleanup(unload, "iscsi_tcp")

    def test_nothing_is_missed(self):
        lio = self.use(Lio())
        serve = self.use(Serve(lio.port, options=test_open_iscsi.RINGS))
        wait_until(lambda: serve.metrics().total("probe_attached", program="out_of_order") == 1, 60,
                   "the program in the hook's place")
        lose_packets(self)
        target = lio.add_target(test_open_iscsi.TARGET)
        lun = target.add_lun()
        with OpenIscsi(test_open_iscsi.INITIATOR) as initiator, \
                initiator.login(lio, target) as session:
            test_open_iscsi.use_file_system(session.disk(lun))
        metrics = serve.settled()
        self.assertEqual(metrics.total("probe_attached", program="kernel_consumption"), 0)
        self.assertGreater(metrics.total("tcp_retransmitted_segments_total", role="target"), 0)
        self.assertEqual(metrics.total("commands_total", role="target", lun="1"),
                         target.statistics(lun).commands)
        self.assertEqual(metrics.accounts("initiator"), metrics.accounts("target"))
        check_nothing_lost(self, metrics)


if __name__ == "__main__":
    main()
