# SPDX-License-Identifier: Apache-2.0
"""Phases: a fault made on purpose takes its time in the phase of whoever made it, at both ends.

Two scripted peers wait, or read late, at one place of a command. Real initiators and targets do so
because they are stopped. The time lands in the right phase within 5 %, and in all others at most
5 % of it does. The phases of each command add up to its duration.
"""

import collections
import math
import os
import signal
import threading
import time

from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES, check_nothing_lost, initiator_port, role_of
from harness.dialogue import I, Stage, T, login
from harness.lunscope import Serve, Trace
from harness.pdus import (FINAL, NO_DIGESTS, SCSI_COMMAND, SIMPLE, STATUS_PRESENT, TEST_UNIT_READY,
                          WRITE, command, data_in, data_out, lun, pdu, r2t, read, read_10, response,
                          write, write_10)
from harness.perf import read_with_perf
from harness.phases import BEHIND, PIECES, check_sums, phases_of
from harness.scripted import Initiator

INITIATOR = b"iqn.2024-01.org.lunscope.test:phases-initiator"
TARGET = "iqn.2024-01.org.lunscope.test:phases"
# Seconds. An emulated machine takes so long for the rest that its pauses have to be longer.
INJECTED = float(os.environ.get("LUNSCOPE_PAUSE_SECONDS", 0.5))
SHARE = 0.05

PAUSE = object()


class Send:
    """One end sends this, or the first bytes of it; the other does not read yet."""

    def __init__(self, step, first=None, rest=None):
        self.sender = step.sender
        self.wire = step.wire(NO_DIGESTS)[rest:first]


class Read(Send):
    """The other end reads it."""


def read_late(step):
    """The other end lets it lie in its socket."""
    return [Send(step), PAUSE, Read(step)]


def in_pieces(step, at):
    """The rest of it is sent late."""
    return [Send(step, first=at), Read(step, first=at), PAUSE, Send(step, rest=at),
            Read(step, rest=at)]


BLOCK = bytes(range(256)) * 2
PIECE = {"ttt": 1, "data": BLOCK}
# A write whose data comes without being asked for.
UNSOLICITED = pdu(SCSI_COMMAND, SIMPLE | WRITE, lun=lun(1), itt=1, cmdsn=1, exp_statsn=1,
                  expected_data_transfer_length=512, cdb=write_10(1, 1))
# A course of events, and the phase that has the pause at (the initiator, the target).
ROWS = {
    "read: slow target": ([I(read()), PAUSE, T(data_in()), T(response())], ("wait", "service")),
    "read: slow target, status in the Data-In": (
        [I(read()), PAUSE, T(data_in(flags=FINAL | STATUS_PRESENT))], ("wait", "service")),
    "write: slow target before its R2T": (
        [I(write()), PAUSE, T(r2t()), I(data_out(**PIECE)), T(response())], ("wait", "service")),
    "write: slow target behind the data": (
        [I(write()), T(r2t()), I(data_out(**PIECE)), PAUSE, T(response())], ("wait", "service")),
    "write: slow target between two R2Ts": (
        [I(write(length=1024)), T(r2t()), I(data_out(**PIECE)), PAUSE, T(r2t(offset=512, ttt=2)),
         I(data_out(offset=512, ttt=2)), T(response())], ("wait", "service")),
    "no data: slow target": ([I(command()), PAUSE, T(response())], ("wait", "service")),
    "read: target reads late": (
        [*read_late(I(read())), T(data_in()), T(response())],
        ("wait", "queue")),
    "write: target reads the command late": (
        [*read_late(I(write())), T(r2t()), I(data_out(**PIECE)), T(response())],
        ("wait", "queue")),
    "write: target reads the data late": (
        [I(write()), T(r2t()), *read_late(I(data_out(**PIECE))), T(response())], ("wait", "queue")),
    "write: target reads immediate data late": (
        [Send(I(write(data=BLOCK))), Read(I(write(data=BLOCK)), first=48), PAUSE,
         Read(I(write(data=BLOCK)), rest=48), T(response())], ("wait", "queue")),
    "write: initiator late with Data-Out": (
        [I(write()), T(r2t()), PAUSE, I(data_out(**PIECE)), T(response())],
        ("data_out", "transfer_in")),
    "write: initiator reads the R2T late": (
        [I(write()), *read_late(T(r2t())), I(data_out(**PIECE)), T(response())],
        ("data_out", "transfer_in")),
    "write: the end of a Data-Out late": (
        [I(write()), T(r2t()), *in_pieces(I(data_out(**PIECE)), 300), T(response())],
        ("data_out", "transfer_in")),
    "write: immediate data late": (
        [*in_pieces(I(write(data=BLOCK)), 60), T(response())], ("data_out", "transfer_in")),
    "write: unsolicited data late": (
        [I(UNSOLICITED), PAUSE, I(data_out(data=BLOCK)),
         T(response())], ("data_out", "transfer_in")),
    "read: the command's header in pieces": (
        [*in_pieces(I(read()), 20), T(data_in()), T(response())], ("send", "arrival")),
    "write: the command's header in pieces": (
        [*in_pieces(I(write()), 47), T(r2t()), I(data_out(**PIECE)), T(response())],
        ("send", "arrival")),
    "read: late between two Data-Ins": (
        [I(read(length=1024)), T(data_in(flags=0)), PAUSE, T(data_in(offset=512)), T(response())],
        ("transfer", "transfer_out")),
    "read: status late": (
        [I(read()), T(data_in()), PAUSE, T(response())], ("transfer", "transfer_out")),
    "read: the data of the Data-In with the status late": (
        [I(read()), *in_pieces(T(data_in(flags=FINAL | STATUS_PRESENT)), 48)],
        ("transfer", "transfer_out")),
    "read: the last byte of the Data-In with the status late": (
        [I(read()), *in_pieces(T(data_in(flags=FINAL | STATUS_PRESENT)), 559)],
        ("transfer", "transfer_out")),
    "read: initiator reads late": (
        [I(read()), T(data_in()), *read_late(T(response()))],
        ("pickup", None)),
    "write: initiator reads late": (
        [I(write()), T(r2t()), I(data_out(**PIECE)), *read_late(T(response()))], ("pickup", None)),
}


class Phases(LiveTest):

    def check_sums(self, records):
        """Each command has phases, and they add up."""
        self.assertEqual(check_sums(self, records)[1], [])

    def check_attribution(self, record, phase, paused):
        """This phase has the time of the pause, and no other one has more than a share of it."""
        phases = phases_of(record)
        if phase is not None:
            self.assertAlmostEqual(phases[phase], paused, delta=paused * SHARE, msg=record)
        for other, seconds in phases.items():
            if other != phase:
                self.assertLess(seconds, paused * SHARE, (other, record))


class Scripted(Phases):

    def play(self, conversation, steps):
        """Returns how long the pause was."""
        paused = 0
        for step in steps:
            if step is PAUSE:
                began = time.monotonic()
                time.sleep(INJECTED)
                paused = time.monotonic() - began
            elif isinstance(step, Read):
                conversation.read(step.sender, len(step.wire))
            elif isinstance(step, Send):
                conversation.send(step.sender, step.wire)
            else:
                conversation.say([step])
        return paused

    def test_attribution(self):
        pauses, ports = {}, {}
        with Stage() as stage, Trace(stage.port) as trace:
            for name, (steps, _) in ROWS.items():
                with stage.connect() as conversation:
                    conversation.say(login())
                    pauses[name] = self.play(conversation, steps)
                    ports[name] = conversation.port
            trace.stop()
            records = trace.records()
        by_port = collections.defaultdict(dict)
        for record in records:
            by_port[initiator_port(record)][record["role"]] = record
        self.check_sums(records)
        for name, (_, phases) in ROWS.items():
            for role, phase in zip(ROLES, phases):
                with self.subTest(name, role=role):
                    self.check_attribution(by_port[ports[name]][role], phase, pauses[name])


def bound_below(seconds):
    """The label of the last bucket whose bound is below: bounds are 16 us and its doubles."""
    return str(16 * 2 ** int(math.log2(seconds * 1e6 / 16)) / 1e6)


class Tools(Phases, TgtdTest):
    """A real target and a real initiator that are stopped for a while."""

    TARGET = TARGET

    def test_a_stopped_target(self):
        """Each of these commands comes while tgtd is stopped."""
        with Trace(self.tgtd.port) as trace, Initiator(self.tgtd.port) as initiator:
            self.assertEqual(initiator.login(INITIATOR, TARGET.encode()), (0, 0))
            initiator.run([(TEST_UNIT_READY, 0)])  # the unit attention of a new session
            works = {"Read(10)": lambda: initiator.run([(read_10(0, 8), 4096)]),
                     "Write(10)": lambda: initiator.write(0, bytes(64 << 10))}
            stops = {name: self.stopped(work) for name, work in works.items()}
            trace.stop()
            records = trace.records()
        self.check_sums(records)
        for name, seconds in stops.items():
            for role, phase in zip(ROLES, ("wait", "queue")):
                found = [record for record in role_of(records, role) if record["command"] == name]
                self.assertEqual(len(found), 1, name)
                with self.subTest(name, role=role):
                    self.check_attribution(found[0], phase, seconds)

    def stopped(self, work):
        """Do it while tgtd is stopped, for as long as the result says."""
        pid = self.tgtd.process.pid
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        timer = threading.Timer(INJECTED * 2, os.kill, (pid, signal.SIGCONT))
        timer.start()
        work()
        timer.join()
        return min(INJECTED * 2, time.monotonic() - began)

    def test_metrics(self):
        """Each phase has as many commands as were counted, the sums agree, and a pause is in its
        phase: with a record for each command, and with commands that the kernel adds up."""
        for mode in ([], ["--mode", "aggregate", "--slow", "10"]):
            with self.subTest(mode), Serve(self.tgtd.port, options=mode) as serve:
                read_with_perf(self.tgtd, self.url, 3000, "-m", 4)
                with Initiator(self.tgtd.port) as initiator:
                    initiator.login(INITIATOR, TARGET.encode())
                    initiator.run([(TEST_UNIT_READY, 0)])
                    paused = self.stopped(lambda: initiator.run([(read_10(0, 8), 4096)]))
                metrics = serve.settled()
                check_nothing_lost(self, metrics)
                for role, phase in zip(ROLES, ("wait", "queue")):
                    self.check_metrics(metrics, role)
                    of_phase = {"role": role, "phase": phase, "operation": "read"}
                    quick = metrics.total("command_phase_seconds_bucket",
                                          le=bound_below(paused * (1 - SHARE)), **of_phase)
                    self.assertEqual(
                        metrics.total("command_phase_seconds_count", **of_phase) - quick, 1)
                    self.assertGreater(metrics.total("command_phase_seconds_sum", **of_phase),
                                       paused * (1 - SHARE))

    def test_without_phases(self):
        """The commands are counted as ever, and their time is."""
        with Serve(self.tgtd.port, options=["--no-phases"]) as serve:
            read_with_perf(self.tgtd, self.url, 1000, "-m", 4)
            metrics = serve.settled()
        check_nothing_lost(self, metrics)
        self.assertEqual(metrics.total("command_phase_seconds_count"), 0)
        for role in ROLES:
            self.assertGreater(metrics.total("commands_total", role=role), 1000)
            self.assertGreater(metrics.total("command_duration_seconds_sum", role=role), 0)

    def check_metrics(self, metrics, role):
        labels = {"role": role, "operation": "read"}
        commands = metrics.total("commands_total", **labels)
        self.assertGreater(commands, 100)
        inside = 0
        for phase in PIECES[role]:
            count = metrics.total("command_phase_seconds_count", phase=phase, **labels)
            with self.subTest(role, phase=phase):
                # No phase of data for a read.
                self.assertEqual(count, 0 if phase in ("data_out", "transfer_in") else commands)
            if phase not in BEHIND:
                inside += metrics.total("command_phase_seconds_sum", phase=phase, **labels)
        self.assertAlmostEqual(
            inside, metrics.total("command_duration_seconds_sum", **labels), delta=1e-6)


if __name__ == "__main__":
    main()
