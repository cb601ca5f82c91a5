# SPDX-License-Identifier: Apache-2.0
"""Bad wires: whatever is lost, reordered, repeated or forged, both ends see each command once.

The truth is what the same tools send over the loopback, as tshark counts it there, and what tgtd
counts. In a namespace for each end, with a wire between them that does what a row says.

Loss makes TCP's timers send, and a timer may interrupt a process under which the kernel runs no
program: harness/witness.py tells such a run from a fault.
"""

import collections
import signal
import time

from harness.capture import Capture
from harness.case import LiveTest, main
from harness.compare import (ROLES, answered, check_durations, check_names, check_nothing_lost,
                             check_same_commands, initiator_port, role_of)
from harness.lunscope import Serve, Trace
from harness.network import Network
from harness.perf import Perf
from harness.process import free_port, run, wait_until
from harness.tgtd import Tgtd
from harness.witness import measure

TARGET = "iqn.2024-01.org.lunscope.test:loss"
PERF = "iqn.2024-01.org.lunscope.test:perf"
PERF_COMMANDS, PERF_BYTES = 300, 4096  # at least so many, of so many bytes
RESETS = 3
CLIENT_SECONDS = 120  # a limit: a busy machine takes long for what is sent again and again

# Tools that send the same commands however often they are run; the URL of the LUN comes last.
TOOLS = [
    ["iscsi-inq"],
    ["iscsi-readcapacity16"],
    ["iscsi-test-cu", "--dataloss", "--test=ALL.Inquiry"],
    ["iscsi-test-cu", "--dataloss", "--test=ALL.CompareAndWrite"],
    ["iscsi-test-cu", "--dataloss", "--test=ALL.iSCSIResiduals"],
    ["qemu-io", "-f", "raw", "-c", "write -P 3 0 256k", "-c", "read -P 3 0 256k"],
]

# Faults of the wire: words of Network.
WIRES = {
    "nothing": {},
    "1 % lost": {"drop": 1},
    "5 % lost": {"drop": 5},
    "reordered": {"reorder": 20},
    "repeated": {"duplicate": 20},
    "repeated with other content": {"forge": 20},
    "overlapping": {"overlap": 20},
    "all of these": {"drop": 2, "reorder": 5, "duplicate": 5, "forge": 5, "overlap": 5},
    "all of these, IPv6": {"drop": 2, "reorder": 5, "duplicate": 5, "forge": 5, "overlap": 5,
                           "ipv6": True},
    "headers in pieces": {"drop": 1, "reorder": 1, "overlap": 1, "route": ("advmss", 88)},
    "small packets": {"drop": 1, "reorder": 1, "mtu": 576},
    "no large segments": {"drop": 1, "reorder": 1, "link": ("gso_max_segs", 1)},
    "refused by the sender's firewall": {"refuse": "output"},
    "refused behind it": {"refuse": "postrouting"},
    "only large segments": {"drop": 1, "reorder": 1, "offloads": True},
}


def facts(records):
    """The commands as they are whenever a tool sends them: no tags, no times."""
    return collections.Counter(
        (record["initiator"], record["lun"], record["cdb"], record["command"],
         record.get("expected_bytes", 0), record.get("transferred_bytes", 0), record["status"])
        for record in records if record["initiator"] != PERF)


def identities(records):
    """Each command of a run, so that its two ends can be compared."""
    return collections.Counter(
        (initiator_port(record), record["itt"], record["cmdsn"], record["lun"], record["cdb"],
         record["command"], record.get("transferred_bytes", 0), record["status"])
        for record in records)


def perf_at(host, url):
    return Perf(url, "-i", PERF, "-m", "16", prefix=host.prefix)


class Loss(LiveTest):
    ROWS = WIRES  # for docs/HARD-CASES.md

    def run_tools(self, url, prefix=()):
        for words in TOOLS:
            run([*prefix, *words, url], timeout=CLIENT_SECONDS)

    def truth(self):
        """The tools over the loopback: lunscope and tshark agree on each command."""
        with Tgtd() as tgtd:
            target = tgtd.add_target(TARGET)
            url = target.url(target.add_lun())
            _, records, commands = measure(lambda: self.watch_loopback(tgtd, url), tgtd.port)
        check_same_commands(self, records, commands)
        return facts(role_of(records, "target"))

    def watch_loopback(self, tgtd, url):
        with Serve(tgtd.port) as serve, Trace(tgtd.port) as trace, Capture(tgtd.port) as capture:
            self.run_tools(url)
            metrics = serve.settled()
            trace.stop()
            return metrics, trace.records(), capture.commands()

    def test_wires(self):
        truth = self.truth()
        self.assertGreater(truth.total(), 300)
        for name, words in WIRES.items():
            with self.subTest(wire=name):
                self.check_wire(words, truth)

    def watch_wire(self, words, port):
        """Returns the metrics, the records, what happened on the wire, and the seconds it took."""
        began = time.monotonic()
        with Network(**words) as network:
            host = network.target
            with Tgtd(host.prefix, [host.address], port) as tgtd, \
                    Serve(port) as serve, Trace(port) as trace:
                target = tgtd.add_target(TARGET)
                lun = target.add_lun()
                stopped = self.stop_in_the_middle(network, tgtd, target.url(lun), serve)
                self.run_tools(target.url(lun), network.initiator.prefix)
                metrics = serve.settled()
                trace.stop()
                records = trace.records()
            return metrics, records, network.stop(), stopped, time.monotonic() - began

    def check_wire(self, words, truth):
        port = free_port()
        metrics, records, happened, stopped, seconds = measure(
            lambda: self.watch_wire(words, port), port)
        self.check_tgtd_counted_the_same(*stopped)
        for fault, times in happened.items():
            self.assertGreater(times, 0, fault)
        if "drop" in happened:
            for role in ROLES:
                self.assertGreater(
                    metrics.total("tcp_retransmitted_segments_total", role=role), 0, role)
        check_nothing_lost(self, metrics)
        self.assertEqual(metrics.total("unparsed_bytes_total"), 0)
        for role in ROLES:
            mine = facts(role_of(records, role))
            self.assertEqual((mine - truth, truth - mine), ({}, {}), role)
        ends = [identities(role_of(records, role)) for role in ROLES]
        self.assertEqual((ends[0] - ends[1], ends[1] - ends[0]), ({}, {}), "the ends differ")
        self.assertGreater(ends[0].total(), truth.total() + PERF_COMMANDS)
        check_names(self, records)
        check_durations(self, records, seconds)

    def test_torn_off_and_taken_up_again(self):
        """Sockets are destroyed under iscsi-perf, which logs in again and goes on, until it is."""
        port = free_port()
        # A reset throws away bytes that were sent: the ends' bytes are not the same.
        metrics, records = measure(lambda: self.tear_off(port), port, is_whole=False)
        for role in ROLES:
            seen, reported, unreported, in_flight = metrics.accounts(role)
            self.assertEqual((seen, in_flight), (reported + unreported, 0))
            self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                           reason="connection_closed"), unreported)
        logins = [metrics.total("logins_total", role=role) for role in ROLES]
        self.assertEqual(*logins)
        self.assertGreaterEqual(logins[0], RESETS + 1)
        self.assertGreater(metrics.accounts("initiator")[2], 0)
        ends = [identities(answered(role_of(records, role))) for role in ROLES]
        self.assertEqual(ends[0] - ends[1], {}, "answered, but never sent")
        for role in ROLES:
            self.assertEqual(len(role_of(records, role)) - len(answered(role_of(records, role))),
                             metrics.accounts(role)[2], "a record for each that was not answered")
        for name in ("stream_gaps_total", "unparsed_bytes_total", "events_lost_total"):
            self.assertEqual(metrics.total(name), 0, name)

    def tear_off(self, port):
        with Network(drop=1) as network:
            host = network.target
            with Tgtd(host.prefix, [host.address], port) as tgtd, Serve(port) as serve, \
                    Trace(port) as trace:
                target = tgtd.add_target(TARGET)
                with perf_at(network.initiator, target.url(target.add_lun())) as perf:
                    for _ in range(RESETS):
                        self.wait_for_commands(serve, serve.metrics().accounts("target")[0])
                        self.reset(network.initiator, port, serve, perf)
                    self.wait_for_commands(serve, serve.metrics().accounts("target")[0])
                    perf.kill()
                wait_until(lambda: serve.metrics().total("commands_in_flight") == 0,
                         CLIENT_SECONDS, "the last connection to end")
                metrics = serve.settled()
                trace.stop()
                return metrics, trace.records()

    def reset(self, initiator, port, serve, perf):
        """Both ends have seen a login more when this returns."""
        before = [serve.metrics().total("logins_total", role=role) for role in ROLES]
        initiator.run("ss", "-K", "dport", "=", port)

        def is_back():
            now = serve.metrics()
            return all(now.total("logins_total", role=role) > logins
                       for role, logins in zip(ROLES, before))
        perf.wait_for(is_back, CLIENT_SECONDS, "the next login")

    def wait_for_commands(self, serve, before=0):
        wait_until(lambda: serve.metrics().accounts("target")[0] > before + PERF_COMMANDS,
                 CLIENT_SECONDS, "commands")

    def stop_in_the_middle(self, network, tgtd, url, serve):
        """Counts of tgtd and lunscope while iscsi-perf is stopped: tgtd forgets at its end."""
        with perf_at(network.initiator, url) as perf:
            self.wait_for_commands(serve)
            perf.signal(signal.SIGSTOP)

            def settled():
                """Both counts, while nothing that was lost is still on its way."""
                before, metrics = tgtd.idle_statistics(1), serve.standing()
                return (before, metrics) if before and before == tgtd.idle_statistics(1) else None

            counted, metrics = wait_until(settled, CLIENT_SECONDS, "tgtd to be idle")
            perf.signal(signal.SIGCONT)
            perf.finish()
        return counted, metrics

    def check_tgtd_counted_the_same(self, counted, metrics):
        # Answers that TCP has not sent yet, as nobody reads, are in flight.
        in_flight = metrics.accounts("target")[3]
        self.assertEqual(metrics.total("read_bytes_total", role="target", lun="1") +
                         in_flight * PERF_BYTES, counted.read_done_bytes)
        self.assertEqual(metrics.total("command_errors_total", role="target", lun="1"),
                         counted.errors)


if __name__ == "__main__":
    main()
