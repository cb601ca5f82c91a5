#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_admitted() with rows of counters, as an exposition has them: admitted, or not."""

import dataclasses
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.lunscope import Metrics
from harness.witness import Holes, check_admitted

PDU_BYTES = 48
HOLES = [Holes(40000, 3260, 1, 96)]


@dataclasses.dataclass(frozen=True)
class Missed:
    """100 commands without data and their responses, and what one end did not see of them."""

    commands: int = 0  # that the initiator sent and did not see, with their answers unmatched
    answers: int = 0  # that the target sent and did not see
    unparsed: int | None = None  # bytes; None: what is missing
    gaps: int = 1
    reason: str = "missing_bytes"
    unmatched: int | None = None  # None: one for each command
    lost_events: int = 0
    unaccounted: int = 0  # commands of the initiator that are in no count

    def metrics(self):
        count = 100
        sent, answered = count - self.commands, count - self.answers
        unparsed = (PDU_BYTES * (self.commands + self.answers)
                    if self.unparsed is None else self.unparsed)
        unmatched = self.commands if self.unmatched is None else self.unmatched
        values = {
            f'stream_gaps_total{{reason="{self.reason}"}}': self.gaps,
            f'unparsed_bytes_total{{reason="{self.reason}"}}': unparsed,
            'events_lost_total{reason="full"}': self.lost_events,
            'unmatched_responses_total{role="initiator"}': unmatched,
            **_accounts("initiator", sent + self.unaccounted, sent, 0),
            **_accounts("target", count, answered, self.answers),
            **_traffic("initiator", "sent", sent, "scsi_command"),
            **_traffic("target", "received", count, "scsi_command"),
            **_traffic("target", "sent", answered, "scsi_response"),
            **_traffic("initiator", "received", count, "scsi_response"),
        }
        return Metrics("".join(f"lunscope_{name} {value}\n" for name, value in values.items()))


def _accounts(role, seen, reported, in_flight):
    return {f'commands_{what}{{role="{role}"}}': value for what, value in (
        ("seen_total", seen), ("reported_total", reported), ("in_flight", in_flight))}


def _traffic(role, way, count, opcode):
    return {f'{way}_bytes_total{{role="{role}"}}': count * PDU_BYTES,
            f'pdus_{way}_total{{role="{role}",opcode="{opcode}"}}': count}


ADMITTED = {
    "nothing is missing": Missed(gaps=0),
    "two commands": Missed(commands=2),
    "two answers": Missed(answers=2),
    "a command that was not answered": Missed(commands=1, unmatched=0),
}
NOT_ADMITTED = {
    "more gaps than holes": Missed(commands=2, gaps=2),
    "a gap of another reason": Missed(commands=2, reason="bad_header"),
    "bytes that are not counted": Missed(commands=2, unparsed=PDU_BYTES),
    "bytes that are counted and not missing": Missed(commands=1, unparsed=2 * PDU_BYTES),
    "an answer too many without its command": Missed(commands=1, unmatched=2),
    "lost records": Missed(commands=2, lost_events=1),
    "a command in no count": Missed(unaccounted=1),
}


class Admitted(unittest.TestCase):

    def test_admitted(self):
        for name, missed in ADMITTED.items():
            with self.subTest(name):
                check_admitted(missed.metrics(), HOLES)

    def test_not_admitted(self):
        for name, missed in NOT_ADMITTED.items():
            with self.subTest(name), self.assertRaisesRegex(AssertionError, "does not admit it"):
                check_admitted(missed.metrics(), HOLES)


if __name__ == "__main__":
    unittest.main()
