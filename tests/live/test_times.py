# SPDX-License-Identifier: Apache-2.0
"""Durations and phases against the times of tshark's frames, command by command, of the same run.

A frame of the loopback gets its time behind the sender's hook and ahead of the receiver's. So the
initiator's duration is longer than that of the frames, and the target's is shorter. The test
demands that of each command, whatever else the machine does; only commands in whose time the wall
clock was set are left out. By how much is a figure of the machine: each run prints it, and
docs/OVERHEAD.md has some.
"""

import collections
import itertools
import json
import statistics

from harness.capture import Capture, decode_pdus
from harness.case import TgtdTest, main
from harness.compare import ROLES, check_nothing_lost, initiator_port
from harness.lunscope import Serve, Trace
from harness.pdus import DATA_IN, DATA_OUT, R2T, SCSI_COMMAND, TEST_UNIT_READY, read_10
from harness.perf import read_with_perf
from harness.scripted import BLOCK, Initiator
from harness.wall_clock import WatchedWallClock

INITIATOR = b"iqn.2024-01.org.lunscope.test:times"
COMMANDS = 1500
READ_BLOCKS, WRITE_BYTES = 64, 16 << 10
MOST_BYTES = COMMANDS * READ_BLOCKS * BLOCK
# lunscope rounds each phase down to 64 ns, and a write here has up to three pieces of data.
ROUNDED_US = 0.2
# Whose figure cannot be below that of the frames. Both moments of an answer are at the same side.
LONGER = {"duration": "initiator", "data": "target"}


class Frames:
    """One command by the times of its frames."""

    def __init__(self, pdu):
        self.begun = self.ended = pdu.time_ns
        self.answered = self.due = None
        self.data_ns = 0

    def note(self, pdu):
        if pdu.opcode == R2T:
            self.due = pdu.time_ns
        elif pdu.opcode == DATA_OUT:
            self.data_ns += pdu.time_ns - self.due
            self.due = pdu.time_ns
        if pdu.opcode == DATA_IN or pdu.status is not None:
            self.answered = self.answered or pdu.time_ns
        if pdu.status is not None:
            self.ended = pdu.time_ns

    def figures(self):
        """{figure: us}"""
        return {"duration": (self.ended - self.begun) / 1e3, "data": self.data_ns / 1e3,
                "answer": (self.ended - self.answered) / 1e3}


def figures_of_record(record):
    phases = record["phases_us"]
    return {"duration": record["duration_us"],
            "data": phases.get("data_out", 0) + phases.get("transfer_in", 0),
            "answer": phases.get("transfer", 0) + phases.get("transfer_out", 0)}


def commands_of_frames(pdus):
    """{(initiator's port, ITT): its commands in order}"""
    commands = collections.defaultdict(list)
    for pdu in pdus:
        key = pdu.initiator_port, pdu.itt
        if pdu.opcode == SCSI_COMMAND:
            commands[key].append(Frames(pdu))
        elif key in commands:
            commands[key][-1].note(pdu)
    return commands


def commands_of_records(records):
    """{(initiator's port, ITT): {role: its records in order}}"""
    commands = collections.defaultdict(lambda: collections.defaultdict(list))
    for record in records:
        commands[initiator_port(record), record["itt"]][record["role"]].append(record)
    return commands


def percentiles(values):
    cuts = statistics.quantiles(values, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


def print_figures(name, figure, rows):
    """rows: [(us by the frames, by the initiator, by the target)]"""
    frames, initiator, target = (percentiles(values) for values in zip(*rows))
    middle = percentiles([(one + other) / 2 for _, one, other in rows])
    found = {which: {"frames_us": frames[which], **{
        end: values[which] - frames[which] for end, values in
        (("initiator", initiator), ("target", target), ("middle", middle))}} for which in frames}
    print(json.dumps({"traffic": name, "figure": figure, "commands": len(rows), **{
        which: {end: round(us, 2) for end, us in values.items()}
        for which, values in found.items()}}), flush=True)


class Times(TgtdTest):
    TARGET = "iqn.2024-01.org.lunscope.test:times"
    ROWS = {"no data": "run_units_ready", "reads of 32 KiB": "run_reads",
            "writes of 16 KiB": "run_writes", "iscsi-perf, depth 16": "run_perf"}

    def scripted(self, work):
        with Initiator(self.tgtd.port) as initiator:
            self.assertEqual(initiator.login(INITIATOR, self.TARGET.encode()), (0, 0))
            initiator.run([(TEST_UNIT_READY, 0)])  # the unit attention of a new session
            for _ in range(COMMANDS):
                work(initiator)

    def run_units_ready(self):
        self.scripted(lambda initiator: initiator.run([(TEST_UNIT_READY, 0)]))

    def run_reads(self):
        self.scripted(lambda initiator: initiator.run(
            [(read_10(0, READ_BLOCKS), READ_BLOCKS * BLOCK)]))

    def run_writes(self):
        """Half of the data is immediate, an R2T asks for the rest."""
        self.scripted(lambda initiator: initiator.write(0, bytes(WRITE_BYTES)))

    def run_perf(self):
        read_with_perf(self.tgtd, self.url, COMMANDS, "-m", 16)

    def test_rows(self):
        for name, work in self.ROWS.items():
            with self.subTest(name), Serve(self.tgtd.port) as serve, \
                    Capture(self.tgtd.port, expected_bytes=MOST_BYTES) as capture, \
                    Trace(self.tgtd.port, options=["--ring-size", 16 << 20]) as trace, \
                    WatchedWallClock() as clock:
                getattr(self, work)()
                check_nothing_lost(self, serve.settled())
                trace.stop()
                capture.stop()
                frames = commands_of_frames(decode_pdus(capture.file, self.tgtd.port))
                self.compare(name, frames, commands_of_records(trace.records()), clock)

    def compare(self, name, frames, records, clock):
        self.assertEqual(frames.keys(), records.keys())
        figures = collections.defaultdict(list)
        for key, commands in frames.items():
            ends = [records[key][role] for role in ROLES]
            for frame, *pair in zip(commands, *ends, strict=True):
                if clock.was_set_within(frame.begun, frame.ended):
                    continue
                true = frame.figures()
                initiator, target = map(figures_of_record, pair)
                for figure, us in true.items():
                    figures[figure].append((us, initiator[figure], target[figure]))
                    self.check_order(figure, *figures[figure][-1])
        for figure, rows in figures.items():
            self.assertGreaterEqual(len(rows), COMMANDS // 4, "beside a clock that is being set")
            if any(itertools.chain(*rows)):
                print_figures(name, figure, rows)

    def check_order(self, figure, us, initiator, target):
        if figure not in LONGER:
            return
        ends = (initiator, target) if LONGER[figure] == "initiator" else (target, initiator)
        self.assertGreaterEqual(ends[0] + ROUNDED_US, us, figure)
        self.assertLessEqual(ends[1] - ROUNDED_US, us, figure)


if __name__ == "__main__":
    main()
