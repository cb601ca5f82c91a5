# SPDX-License-Identifier: Apache-2.0
"""Rows of tables that no real pair of peers speaks.

A row is what the two ends say, in turns, and what lunscope has to make of it. Everything that
follows from the script itself (PDUs by opcode, bytes, commands) is expected without being written
down, and nothing else may be counted: gaps, answers without a command, lost records. The ends of
the connection are two vantage points, which must agree.
"""

import collections
import dataclasses
import time
import typing

from harness.capture import Capture, decode_pdus
from harness.compare import (PDU_LABELS, ROLES, answered, facts_like, facts_of_pdu, initiator_port,
                             role_of, script_fields, snake_case, streams_of)
from harness.dialogue import DROPPED, SEEN, Stage, login
from harness.lunscope import Serve, Trace, records_of, replay
from harness.pdus import NO_DIGESTS, SCSI_COMMAND, Digests
from harness.scripted import read_exactly

_SETTLE_SECONDS = 60
WAYS = [("initiator", "initiator", "sent"), ("initiator", "target", "received"),
        ("target", "target", "sent"), ("target", "initiator", "received")]  # role, sender, way
# The counters that a row is held to; of their labels, those that say what was counted.
_COUNTERS = {"lunscope_" + name for name in (
    "logins_total", "login_failures_total", "logouts_total", "rejects_total",
    "login_redirections_total", "task_management_requests_total", "async_messages_total", "header_digest_errors_total",
    "commands_total", "command_errors_total", "commands_seen_total", "commands_reported_total",
    "commands_unreported_total", "unmatched_responses_total", "pdus_sent_total",
    "pdus_received_total", "sent_bytes_total", "received_bytes_total", "read_bytes_total",
    "written_bytes_total", "stream_gaps_total", "stream_resyncs_total", "unparsed_bytes_total",
    "events_lost_total", "untracked_connections_total", "dropped_series_total")}
_LABELS = ("opcode", "reason", "status", "function", "event")


def done(length=512, **expected):
    """The expected record of a command that ends well, with so much data."""
    return {"status": "Good", "transferred_bytes": length, **expected}


def written(length=512, **expected):
    return done(length, is_write=True, **expected)


@dataclasses.dataclass
class Row:
    """A script, and what it is to lunscope."""

    steps: list
    # The records of `trace` for each command that it completes, in order: the keys that matter.
    commands: list = dataclasses.field(default_factory=list)
    # Counts of each end that do not follow from the script: "rejects_total reason=..." -> n.
    counters: dict = dataclasses.field(default_factory=dict)
    # The same for counters without a role, both ends together.
    in_all: dict = dataclasses.field(default_factory=dict)
    digests: Digests = NO_DIGESTS
    logs_in: bool = True  # the login goes without saying
    reader: typing.Callable = read_exactly  # (socket, bytes): how both ends read
    tshark_differs: str = ""  # why; then it has to
    is_for_tshark: bool = True  # what it makes of the bytes says nothing

    def __post_init__(self):
        if self.logs_in:
            self.steps = [*login(self.digests), *self.steps]
            self.counters = {"logins_total": 1, **self.counters}

    def pdus(self, sender, *fates):
        return [each for step in self.steps if step.sender == sender and step.fate in fates
                for each in step.pdus]

    def bytes(self, sender):
        return sum(len(each.wire(self.digests)) for each in self.pdus(sender, SEEN, DROPPED))

    def expected(self):
        """{(role, counter): growth}"""
        counts = collections.Counter({(None, name): n for name, n in self.in_all.items()})
        for role, peer in (ROLES, ROLES[::-1]):
            mine = collections.Counter(self.counters)
            for way, sender in (("sent", role), ("received", peer)):
                mine[f"{way}_bytes_total"] += self.bytes(sender)
                for each in self.pdus(sender, SEEN):
                    mine[f"pdus_{way}_total opcode={PDU_LABELS[each.opcode]}"] += 1
            mine["commands_seen_total"] += sum(
                each.opcode == SCSI_COMMAND for each in self.pdus("initiator", SEEN))
            for counter in ("commands_reported_total", "commands_total"):
                mine[counter] += len(self.commands)
            for command in self.commands:
                status = command.get("status", "Good") or "target failure"
                if status not in ("Good", "Condition Met"):
                    mine[f"command_errors_total status={snake_case(status)}"] += 1
                way = "written" if command.get("is_write") else "read"
                moved = {f"{way}_bytes": command.get("transferred_bytes", 0), **command}
                for name in ("read_bytes", "written_bytes"):
                    mine[f"{name}_total"] += moved.get(name, 0)
            counts.update({(role, name): n for name, n in mine.items()})
        return +counts


def _counts(metrics):
    counts = collections.Counter()
    for sample in metrics.samples:
        if sample.name in _COUNTERS:
            labels = [f"{name}={sample.labels[name]}" for name in _LABELS if name in sample.labels]
            counts[sample.labels.get("role"),
                   " ".join([sample.name.removeprefix("lunscope_"), *labels])] += int(sample.value)
    return counts


@dataclasses.dataclass
class Played:
    """A row, the initiator's port, and what grew while it was played."""

    row: Row
    port: int
    growth: dict


def _play(stage, serve, row, before):
    """Play, and wait for the counters to become what they should; what they are is kept."""
    port = stage.play(row)
    expected = row.expected()
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        now = _counts(serve.metrics())
        growth = now - before
        if growth == expected or time.monotonic() > deadline:
            return Played(row, port, growth), now
        time.sleep(0.01)


class Table:
    """A test case, to be mixed with LiveTest: plays ROWS once, then compares each with its script,
    with tshark's decode of a capture of the same run, and with the replay of that capture.
    """

    ROWS = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stage = cls.enterClassContext(Stage())
        capture = cls.enterClassContext(Capture(stage.port))
        rings = ["--ring-size", 16 << 20]
        with Serve(stage.port, options=rings) as serve, \
                Trace(stage.port, options=rings) as trace, \
                Trace(stage.port, options=["--pdu", *rings]) as pdus:
            cls.played, counts = {}, _counts(serve.metrics())
            for name, row in cls.ROWS.items():
                cls.played[name], counts = _play(stage, serve, row, counts)
            trace.stop()
            pdus.stop()
            cls.exposition = serve.scrape()
            cls.records, cls.streams = trace.records(), streams_of(pdus.records())
            cls.said = [trace.output, pdus.output, serve.process.stderr.encode()]
        capture.stop()
        cls.decoded = collections.defaultdict(list)
        for decoded in decode_pdus(capture.file, stage.port):
            cls.decoded[decoded.initiator_port].append(decoded)
        _, replayed, _ = replay(capture.file, "--port", stage.port, "--role", "both", "--pdu",
                               "-o", "json")
        cls.replayed = streams_of(records_of(replayed))

    def each_row(self, check):
        for name, played in self.played.items():
            with self.subTest(name):
                check(played)

    def test_counters(self):
        self.each_row(self.check_counters)

    def check_counters(self, played):
        """Only the counters that differ are shown: what they are, and what they should be."""
        expected = played.row.expected()
        differ = {name: (played.growth[name], expected[name])
                  for name in {*played.growth, *expected} if played.growth[name] != expected[name]}
        self.assertEqual(differ, {})

    def test_commands(self):
        self.each_row(self.check_commands)

    def check_commands(self, played):
        mine = [record for record in self.records if initiator_port(record) == played.port]
        for role in ROLES:
            ended = role_of(mine, role)
            unanswered = collections.Counter(
                record["no_status"] for record in ended if "no_status" in record)
            self.assertEqual(unanswered, self.unanswered_of(played.row), role)
            found = answered(ended)
            self.assertEqual(len(found), len(played.row.commands), role)
            for record, expected in zip(found, played.row.commands, strict=True):
                wanted = {key: value for key, value in expected.items() if key != "is_write"}
                self.assertEqual({key: record.get(key) for key in wanted}, wanted, role)

    @staticmethod
    def unanswered_of(row):
        """How many commands end without a status, by reason. One that finds no place has no record.
        """
        prefix = "commands_unreported_total reason="
        return collections.Counter({
            name.removeprefix(prefix): n for name, n in row.counters.items()
            if name.startswith(prefix) and not name.endswith("table_full")})

    def test_pdus(self):
        """Each field that the script set is shown, of each PDU, in order, by both ends."""
        self.each_row(self.check_pdus)

    def check_pdus(self, played):
        for role, sender, way in WAYS:
            said = played.row.pdus(sender, SEEN, DROPPED)
            found = self.streams[role, played.port, way]
            self.assertEqual(len(found), len(said), f"{role}, of what the {sender} sent")
            for each, line in zip(said, found, strict=True):
                fields = script_fields(each)
                self.assertEqual({key: line.get(key) for key in fields}, fields, role)

    def test_tshark(self):
        """tshark has the same PDUs; where it is known to have others, it still has."""
        self.each_row(self.check_tshark)

    def check_tshark(self, played):
        ours = [facts_of_pdu(each) for way in ("sent", "received")
                for each in self.streams["initiator", played.port, way]]
        theirs = facts_like(ours, sorted(self.decoded[played.port],
                                         key=lambda each: each.is_from_target))
        if not played.row.is_for_tshark:
            return
        if played.row.tshark_differs:
            self.assertNotEqual(theirs, ours, "tshark is right now: take its exception away")
        else:
            self.assertEqual(theirs, ours)

    def test_replay(self):
        """The capture of the run tells the same, PDU by PDU."""
        self.each_row(self.check_replay)

    def check_replay(self, played):
        for role, _, way in WAYS:
            place = role, played.port, way
            self.assertEqual(self.replayed[place], self.streams[place], place)
