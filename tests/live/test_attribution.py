# SPDX-License-Identifier: Apache-2.0
"""Faults of networks and initiators, with a real target: their time lands in the right phase.

tests/vm/test_attribution.py has the faults that need modules of the kernel: netem and dm-delay.
test_phases.py has a target that is stopped, and what no real peer does at will.
"""

import contextlib
import time

from harness.attribution import (DELAYED, LOSSY, NOTHING, R2T_ONLY, Commands, Shares, check,
                                 check_end, log_in, read, write)
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES, initiator_port, role_of
from harness.dialogue import I, Stage, T, login
from harness.lunscope import Trace
from harness.network import Network
from harness.pdus import (FINAL, NO_DIGESTS, WRITE, data_in, data_out, r2t, read_10, response,
                          write_10)
from harness.pdus import read as read_pdu
from harness.pdus import write as write_pdu
from harness.phases import phases_of
from harness.process import free_port
from harness.scripted import BLOCK, Initiator
from harness.tgtd import Tgtd

TARGET = "iqn.2024-01.org.lunscope.test:attribution"
RETRANSMITTED = 0.15  # seconds; a lost segment is sent again after 200 ms
NAGLE = 0.04


@contextlib.contextmanager
def network_with_tgtd(port, route=(), **faults):
    """Yields the host of the initiator, tgtd's target, and the address of the target.

    BBR, where it is the default, spreads what a host sends over 4 % of a round trip: a fault of its
    own, and partly ahead of a command's first byte.
    """
    with Network(route=["congctl", "reno", *route], **faults) as network:
        host = network.target
        with Tgtd(host.prefix, [host.address], port) as tgtd:
            target = tgtd.add_target(TARGET)
            target.add_lun()
            yield network.initiator, target, host.address


class Networks(LiveTest):

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.trace = self.use(Trace(self.port))

    def log_in(self, host, address, **keys):
        with host.entered():
            initiator = self.use(Initiator(self.port, address))
        return log_in(initiator, TARGET, **keys)

    def records(self):
        self.trace.stop()
        return self.trace.records()


def one_read(initiator):
    return initiator.command(read_10(0, 1), BLOCK)


def one_write(initiator):
    return initiator.command(write_10(0, 1), BLOCK, FINAL | WRITE, bytes(BLOCK))


def send_in_window(commands, command, count):
    """The initiator wants to send all of them now, and sends each when the target's window is open.
    Each command's time is counted from now on.
    """
    initiator, began, open_now = commands.initiator, time.monotonic(), 0
    left, max_cmdsn = count, initiator.session.cmdsn  # a window of one is open in any case
    while left or open_now:
        while left and initiator.session.cmdsn <= max_cmdsn:
            initiator.send(command(initiator))
            left, open_now = left - 1, open_now + 1
        answer = initiator.receive()
        max_cmdsn = answer.field("max_cmdsn")
        if answer.ends_command:
            commands.itts.append(answer.itt)
            commands.seconds.append(time.monotonic() - began)
            open_now -= 1
    return commands


class Delayed(Networks):
    ROWS = DELAYED

    def test_rows(self):
        without = self.run_rows(0, 200)
        delayed = {delay: self.run_rows(delay, times)
                   for delay, times in ((1, 200), (5, 60), (20, 20))}
        records = self.records()
        for delay, found in delayed.items():
            for name, (_, _, crossings, shares) in self.ROWS.items():
                check(self, f"network, {delay} ms: {name}", (without[name], found[name]), records,
                      shares, crossings * delay / 1000)

    def run_rows(self, delay, times):
        with network_with_tgtd(self.port, delay=delay) as (host, _, address):
            return {name: self.log_in(host, address, **keys).time(work, times).quickest()
                    for name, (work, keys, _, _) in self.ROWS.items()}


class Lossy(Networks):
    """2 % of the packets are lost."""

    ROWS = LOSSY

    def test_rows(self):
        with network_with_tgtd(self.port, route=["rto_min", "200ms"], drop=2) as (
                host, _, address):
            found = {name: self.log_in(host, address, **keys).time(work, 300)
                     for name, (work, keys, _) in self.ROWS.items()}
        records = self.records()
        for name, (_, _, shares) in self.ROWS.items():
            check(self, f"2 % lost: {name}",
                  (found[name].quickest(), found[name].slower_than(RETRANSMITTED).quickest(2)),
                  records, shares, RETRANSMITTED)


class Windows(Networks):
    """Limits of the target that cost round trips, on a network of 20 ms."""

    DELAY = 0.02
    SIZE, BURST = 64 << 10, 8192
    BURSTS = SIZE // BURST
    QUEUED = 16

    def test_short_bursts(self):
        """Each burst of a write waits for its R2T. Reads do not wait for anything."""
        cost = (self.BURSTS - 1) * 2 * self.DELAY
        found = {}
        with network_with_tgtd(self.port, delay=self.DELAY * 1000, offloads=True) as (
                host, _, address):
            for burst in (self.SIZE, self.BURST):
                for name, work in (("read", read), ("write", write)):
                    found[name, burst] = self.log_in(
                        host, address, **R2T_ONLY, MaxBurstLength=burst,
                        FirstBurstLength=self.BURST).time(work(self.SIZE), 8).quickest()
        records = self.records()
        check(self, "bursts of 8 KiB: write", [found["write", burst] for burst in
                                               (self.SIZE, self.BURST)],
              records, Shares({"wait": 1}, {"transfer_in": 1}), cost)
        check(self, "bursts of 8 KiB: read", [found["read", burst] for burst in
                                              (self.SIZE, self.BURST)],
              records, Shares(NOTHING, NOTHING), cost, is_felt=False)

    def test_one_command_at_a_time(self):
        """MaxQueueCmd 1: commands wait in the initiator, ahead of the wire and of all phases."""
        found = {}
        with network_with_tgtd(self.port, delay=self.DELAY * 1000) as (host, target, address):
            target.update("MaxQueueCmd", 1)
            for name, command in (("read", one_read), ("write", one_write)):
                alone, queued = (self.log_in(host, address) for _ in range(2))
                for _ in range(self.QUEUED):
                    send_in_window(alone, command, 1)
                found[name] = alone.quickest(), send_in_window(queued, command, self.QUEUED)
        records = self.records()
        for name, pair in found.items():
            check(self, f"MaxQueueCmd 1: {name}", pair, records, Shares(NOTHING, NOTHING),
                  2 * self.DELAY)


class LateInitiator(TgtdTest):
    """The initiator sleeps at one place of a command: for how long, and whose phase that is."""

    TARGET = TARGET
    # More than both sockets can hold: the kernel lets that of tgtd grow to 4 MiB (tcp_wmem).
    LONG = 8 << 20
    RECEIVE_BYTES = 256 << 10  # fixed, for the kernel would let it grow

    def late_read(self, seconds):
        def work(initiator):
            itts = initiator.queue([(read_10(0, 1), BLOCK)])
            time.sleep(seconds)
            initiator.finish(itts)
        return work

    def late_long_read(self, seconds):
        """It reads the first Data-In at once. TCP has no room for the last ones, nor the status."""
        def work(initiator):
            itts = initiator.queue([(read_10(0, self.LONG // BLOCK), self.LONG)])
            initiator.receive()
            time.sleep(seconds)
            initiator.finish(itts)
        return work

    def late_data(self, seconds):
        """The R2T lies in the socket, or the data is not there yet: to both ends it is the same."""
        def work(initiator):
            initiator.send(initiator.command(write_10(0, 8), 4096, FINAL | WRITE))
            time.sleep(seconds)
            initiator.answer_r2ts(initiator.commands[-1], bytes(4096))
        return work

    def late_status(self, seconds):
        def work(initiator):
            initiator.send(initiator.command(write_10(0, 8), 4096, FINAL | WRITE, bytes(4096)))
            time.sleep(seconds)
            initiator.answer_r2ts(initiator.commands[-1], bytes(4096), asked=4096)
        return work

    ROWS = {
        "write: late with Data-Out": (late_data, 0.2, Shares({"data_out": 1}, {"transfer_in": 1})),
        "read: does not read": (late_read, 0.2, Shares({"pickup": 1}, NOTHING)),
        "write: does not read": (late_status, 0.2, Shares({"pickup": 1}, NOTHING)),
        "long read: does not read": (
            late_long_read, 1, Shares({"transfer": 1}, {"transfer_out": 1})),
    }

    def test_rows(self):
        found = {}
        with Trace(self.tgtd.port) as trace:
            for name, (late, seconds, _) in self.ROWS.items():
                initiator = self.use(Initiator(self.tgtd.port))
                initiator.limit_receive_buffer(self.RECEIVE_BYTES)
                log_in(initiator, TARGET)
                found[name] = [Commands(initiator).time(late(self, each), 6).quickest(3)
                               for each in (0, seconds)]
            trace.stop()
            records = trace.records()
        for name, (_, seconds, shares) in self.ROWS.items():
            check(self, f"initiator, {name}", found[name], records, shares, seconds / 2)


DATA = bytes(BLOCK)
# Columns: the steps before; a PDU whose rest Nagle holds back; where it is cut; the steps after;
# the phases at (the initiator, the target).
HELD = {
    "initiator: the header of a read": ([], I(read_pdu()), 24, [T(data_in()), T(response())],
                                        ("send", "arrival")),
    "initiator: immediate data": ([], I(write_pdu(data=DATA)), 48, [T(response())],
                                  ("data_out", "transfer_in")),
    "initiator: the data of a Data-Out": (
        [I(write_pdu()), T(r2t())], I(data_out(ttt=1)), 48, [T(response())],
        ("data_out", "transfer_in")),
    "target: the status behind the Data-In": ([I(read_pdu())], T(data_in(), response()), -48, [],
                                              ("transfer", "transfer_out")),
    "target: the status of a write": ([I(write_pdu(data=DATA))], T(response()), 24, [],
                                      ("transfer", "transfer_out")),
    "target: the R2T": ([I(write_pdu())], T(r2t()), 24, [I(data_out(ttt=1)), T(response())],
                        ("wait", "service")),
}


class Nagle(LiveTest):
    """A sender without TCP_NODELAY, of a PDU in two pieces, waits for the acknowledgement of the
    first piece. A receiver that has nothing to send delays that by 40 ms. It is the sender's time.
    """

    ROWS = HELD
    TIMES = 12  # the quickest counts: the others had to wait for a CPU as well

    def test_rows(self):
        quickest = {}
        with Stage() as stage, Trace(stage.port) as trace:
            for name, row in HELD.items():
                quickest[name] = min(self.play(stage, *row) for _ in range(self.TIMES))
            trace.stop()
            records = trace.records()
        for name, (*_, phases) in HELD.items():
            _, held, port = quickest[name]
            self.assertGreater(held, NAGLE / 2, name)
            for role, phase in zip(ROLES, phases):
                record, = (record for record in role_of(records, role)
                           if initiator_port(record) == port)
                check_end(self, f"Nagle, {name}", role, phases_of(record), {phase: 1}, held)

    def play(self, stage, before, step, cut, after, _):
        """Returns how long all of it took, how long the second piece took, and the port."""
        wire = step.wire(NO_DIGESTS)
        with stage.connect() as conversation:
            conversation.say([*login(), *before])
            conversation.batch(step.sender)
            began = time.monotonic()
            conversation.send(step.sender, wire[:cut])
            conversation.send(step.sender, wire[cut:])
            conversation.read(step.sender, len(wire))
            held = time.monotonic() - began
            conversation.say(after)
            return time.monotonic() - began, held, conversation.port


if __name__ == "__main__":
    main()
