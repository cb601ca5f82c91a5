# SPDX-License-Identifier: Apache-2.0
"""Bad wires: whatever is lost, reordered, repeated or forged, both ends see each command once.

The truth is what the same tools send over the loopback, as tshark counts it there, and what tgtd
counts. In a namespace for each end, with a wire between them that does what a row says.
"""

import collections
import signal

from harness.capture import Capture
from harness.case import LiveTest, main
from harness.compare import (ROLES, check_durations, check_names, check_nothing_lost,
                             check_same_commands, initiator_port, role_of)
from harness.lunscope import Serve, Trace
from harness.network import Network
from harness.process import Process, run, wait_until
from harness.tgtd import Tgtd

TARGET = "iqn.2024-01.org.lunscope.test:loss"
PERF = "iqn.2024-01.org.lunscope.test:perf"
PERF_COMMANDS, PERF_BYTES = 300, 4096  # at least so many, of so many bytes
CLIENT_SECONDS = 30

# Tools that send the same commands however often they are run; the URL of the LUN comes last.
TOOLS = [
    ["iscsi-inq"],
    ["iscsi-readcapacity16"],
    ["iscsi-test-cu", "--dataloss", "--test=ALL.Inquiry"],
    ["iscsi-test-cu", "--dataloss", "--test=ALL.CompareAndWrite"],
    ["iscsi-test-cu", "--dataloss", "--test=ALL.iSCSIResiduals"],
    ["qemu-io", "-f", "raw", "-c", "write -P 3 0 256k", "-c", "read -P 3 0 256k"],
]

# What the wire does: words of Network.
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
    return Process([*host.prefix, "iscsi-perf", "-i", PERF, "-t", CLIENT_SECONDS, "-m", "16", url])


def finish_perf(perf):
    """It sends no further command, receives what is on its way, and logs out."""
    perf.signal(signal.SIGINT)
    if perf.wait(CLIENT_SECONDS) != 0:
        raise RuntimeError(f"iscsi-perf failed: {perf.stderr}")


class Loss(LiveTest):
    ROWS = WIRES  # for docs/HARD-CASES.md

    def run_tools(self, url, prefix=()):
        for words in TOOLS:
            run([*prefix, *words, url], timeout=CLIENT_SECONDS)

    def truth(self):
        """The tools over the loopback: lunscope and tshark agree on each command."""
        with Tgtd() as tgtd, Trace(tgtd.port) as trace, Capture(tgtd.port) as capture:
            target = tgtd.add_target(TARGET)
            self.run_tools(target.url(target.add_lun()))
            trace.stop()
            check_same_commands(self, trace.records(), capture.commands())
            return facts(role_of(trace.records(), "target"))

    def test_wires(self):
        truth = self.truth()
        self.assertGreater(truth.total(), 300)
        for name, words in WIRES.items():
            with self.subTest(wire=name), Network(**words) as network:
                self.check_wire(network, truth)

    def check_wire(self, network, truth):
        host = network.target
        with Tgtd(host.prefix, [host.address]) as tgtd, \
                Serve(tgtd.port) as serve, Trace(tgtd.port) as trace:
            target = tgtd.add_target(TARGET)
            lun = target.add_lun()
            self.check_tgtd_counted_the_same(network, tgtd, target.url(lun), serve)
            self.run_tools(target.url(lun), network.initiator.prefix)
            metrics = serve.settled()
            trace.stop()
            records = trace.records()
        happened = network.stop()
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
        check_durations(self, records, CLIENT_SECONDS)

    def test_torn_off_and_taken_up_again(self):
        """Sockets are destroyed under iscsi-perf, which logs in anew and goes on, until it is."""
        resets = 3
        with Network(drop=1) as network:
            host = network.target
            tgtd = self.use(Tgtd(host.prefix, [host.address]))
            target = tgtd.add_target(TARGET)
            url = target.url(target.add_lun())
            serve, trace = self.use(Serve(tgtd.port)), self.use(Trace(tgtd.port))
            perf = self.use(perf_at(network.initiator, url))
            for logins in range(1, resets + 2):
                self.wait_for_commands(serve, serve.metrics().accounts("target")[0])
                if logins <= resets:
                    network.initiator.run("ss", "-K", "dport", "=", tgtd.port)
                else:
                    perf.kill()
                wait_until(lambda: serve.metrics().total("logins_total") > 2 * logins or
                           not perf.running, CLIENT_SECONDS, "the next login")
            wait_until(lambda: serve.metrics().total("commands_in_flight") == 0, CLIENT_SECONDS,
                       "the last connection to end")
            metrics = serve.settled()
            trace.stop()
        for role in ROLES:
            seen, reported, unreported, in_flight = metrics.accounts(role)
            self.assertEqual((seen, in_flight), (reported + unreported, 0))
            self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                           reason="connection_closed"), unreported)
            self.assertEqual(metrics.total("logins_total", role=role), resets + 1)
        self.assertGreater(metrics.accounts("initiator")[2], 0)
        ends = [identities(role_of(trace.records(), role)) for role in ROLES]
        self.assertEqual(ends[0] - ends[1], {}, "answered, but never sent")
        for name in ("stream_gaps_total", "unparsed_bytes_total", "events_lost_total"):
            self.assertEqual(metrics.total(name), 0, name)

    def wait_for_commands(self, serve, before=0):
        wait_until(lambda: serve.metrics().accounts("target")[0] > before + PERF_COMMANDS,
                   CLIENT_SECONDS, "commands")

    def check_tgtd_counted_the_same(self, network, tgtd, url, serve):
        """tgtd forgets with the session: iscsi-perf is stopped in the middle."""
        with perf_at(network.initiator, url) as perf:
            self.wait_for_commands(serve)
            perf.signal(signal.SIGSTOP)

            def settled():
                """What tgtd and lunscope say, while nothing that was lost is still on its way."""
                before, metrics = tgtd.idle_statistics(1), serve.settled()
                return (before, metrics) if before and before == tgtd.idle_statistics(1) else None

            counted, metrics = wait_until(settled, CLIENT_SECONDS, "tgtd to be idle")
            perf.signal(signal.SIGCONT)
            finish_perf(perf)
        # What tgtd has answered and TCP not sent yet, as nobody reads, is in flight.
        in_flight = metrics.accounts("target")[3]
        self.assertEqual(metrics.total("read_bytes_total", role="target", lun="1") +
                         in_flight * PERF_BYTES, counted.read_done_bytes)
        self.assertEqual(metrics.total("command_errors_total", role="target", lun="1"),
                         counted.errors)


if __name__ == "__main__":
    main()
