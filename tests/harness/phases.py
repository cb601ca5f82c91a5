# SPDX-License-Identifier: Apache-2.0
"""The phases of commands, as the records of `trace -o json` have them: they add up."""

import collections

# These lie behind the duration.
BEHIND = {"pickup"}
PIECES = {"initiator": ("send", "data_out", "transfer", "pickup", "wait"),
          "target": ("arrival", "queue", "transfer_in", "transfer_out", "service")}
OF_A_WRITE = {"data_out", "transfer_in"}


def phases_of(record):
    """{phase: seconds}"""
    return {phase: us / 1e6 for phase, us in record["phases_us"].items()}


def expected_phases(record):
    """Those of a command that ended with a status, was seen from its first byte, and had readers
    that lunscope sees reading.
    """
    is_write = record["operation"] == "write"
    return {phase for phase in PIECES[record["role"]] if is_write or phase not in OF_A_WRITE}


def _nanoseconds(microseconds):
    """A record has three decimals, so this is what lunscope has."""
    return round(microseconds * 1000)


def check_sums(test, records):
    """The phases of each command add up to its duration, to the nanosecond. Returns how many
    commands have phases, by role, and the records without.
    """
    known, without = collections.Counter(), []
    for record in records:
        if "phases_us" not in record:
            without.append(record)
            continue
        known[record["role"]] += 1
        inside = sum(_nanoseconds(us) for phase, us in record["phases_us"].items()
                     if phase not in BEHIND)
        test.assertEqual(inside, _nanoseconds(record["duration_us"]), record)
        test.assertGreaterEqual(min(record["phases_us"].values()), 0, record)
    return known, without
