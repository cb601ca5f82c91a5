# SPDX-License-Identifier: Apache-2.0
"""Faults made on purpose: the time that a fault takes lands in the phase of whoever caused it.

The same commands run without the fault and with it. The initiator's own clock, around each command,
says how long the fault took. Each phase is then compared: it has grown by its share of that.
"""

import dataclasses
import json
import statistics
import time

from harness.compare import ROLES, initiator_port
from harness.pdus import TEST_UNIT_READY, read_10
from harness.phases import PIECES, expected_phases, phases_of
from harness.scripted import BLOCK

INITIATOR = b"iqn.2024-01.org.lunscope.test:attribution"
SHARE = 0.05


@dataclasses.dataclass
class Commands:
    """Commands of one connection, one at a time: their tags, and how long each took."""

    initiator: object
    itts: list = dataclasses.field(default_factory=list)
    seconds: list = dataclasses.field(default_factory=list)

    def time(self, work, times):
        """Each call of work(initiator) is one command."""
        for _ in range(times):
            began = time.monotonic()
            work(self.initiator)
            self.seconds.append(time.monotonic() - began)
            self.itts.append(self.initiator.commands[-1].itt)
        return self

    def quickest(self, part=4):
        """The quickest quarter, or another part, of commands that all have the fault: the others
        had to wait for a CPU as well.
        """
        order = sorted(range(len(self.itts)), key=lambda place: self.seconds[place])
        quickest = order[:-(-len(order) // part)]
        return Commands(self.initiator, [self.itts[place] for place in quickest],
                        [self.seconds[place] for place in quickest])

    def slower_than(self, seconds):
        """Those that the fault hit, where it hits only some."""
        hit = [place for place, each in enumerate(self.seconds) if each > seconds]
        return Commands(self.initiator, [self.itts[place] for place in hit],
                        [self.seconds[place] for place in hit])

    def records(self, records, role):
        tags = set(self.itts)
        found = {record["itt"]: record for record in records if record["role"] == role
                 and initiator_port(record) == self.initiator.port and record["itt"] in tags}
        return [found[itt] for itt in self.itts]


def log_in(initiator, target_name, **keys):
    """A session in which no unit attention waits. `keys` go with the login."""
    asked = {name.encode(): str(value).encode() for name, value in keys.items()}
    answer = initiator.login(INITIATOR, target_name.encode(), more_keys=asked)
    if answer != (0, 0):
        raise RuntimeError(f"the login ended with {answer}")
    if asked.get(b"ImmediateData") == b"No":
        initiator.keys[b"ImmediateData"] = b"No"  # a target need not answer that
    initiator.run([(TEST_UNIT_READY, 0)])
    return Commands(initiator)


def read(size):
    return lambda initiator: initiator.run([(read_10(0, size // BLOCK), size)])


def write(size):
    return lambda initiator: initiator.write(0, bytes(size))


@dataclasses.dataclass(frozen=True)
class Shares:
    """Where the time of a fault goes, at each end: {phase: its share of what the initiator waited}.
    A share of None: any. All other phases have none.
    """

    initiator: dict
    target: dict

    def of(self, role):
        return self.initiator if role == "initiator" else self.target


R2T_ONLY = {"ImmediateData": "No"}
NOTHING = {}
# A network in which each packet takes its time. Columns: the command, keys of the login, how often
# the command crosses the network, and the phases.
DELAYED = {
    "read": (read(4096), {}, 2, Shares({"wait": 1}, NOTHING)),
    "write, immediate data": (write(4096), {}, 2, Shares({"wait": 1}, NOTHING)),
    "write, data asked for": (write(4096), R2T_ONLY, 4,
                              Shares({"wait": 1}, {"transfer_in": 0.5})),
}
# A network that loses segments of one packet. The sender's host has handed them to its device, so
# the time until they come again is the network's, and the peer's at an end that awaits data.
LOSSY = {
    "read": (read(BLOCK), {}, Shares({"wait": 1}, NOTHING)),
    "write, immediate data": (write(BLOCK), {}, Shares({"wait": 1}, NOTHING)),
    "write, data asked for": (write(BLOCK), R2T_ONLY, Shares({"wait": 1}, {"transfer_in": None})),
}


def phases_by_name(records):
    """{phase: mean seconds}"""
    names = set().union(*map(expected_phases, records))
    return {name: statistics.fmean(phases_of(record)[name] for record in records)
            for name in names}


def check(test, name, commands, records, shares, least, is_felt=True):
    """commands: (without the fault, with it). least: seconds that the fault took at least. If the
    fault is not to be felt, these are what it may be compared with.
    """
    without, with_it = commands
    injected = least
    if is_felt:
        injected = statistics.fmean(with_it.seconds) - statistics.fmean(without.seconds)
        test.assertGreaterEqual(injected, least * (1 - SHARE), f"the fault itself: {name}")
    for role in ROLES:
        before, after = (phases_by_name(each.records(records, role))
                         for each in (without, with_it))
        grown = {phase: after[phase] - before.get(phase, 0) for phase in after}
        check_end(test, name, role, grown, shares.of(role), injected)


def check_end(test, name, role, grown, shares, injected):
    """grown: by how much each phase of this end has, {phase: seconds}."""
    print(json.dumps({"fault": name, "role": role, "injected_us": round(injected * 1e6), **{
        phase: f"{grown[phase] / injected:.1%}" for phase in PIECES[role] if phase in grown}}),
        flush=True)
    with test.subTest(name, role=role):
        check_shares(test, grown, shares, injected)


def check_shares(test, grown, shares, injected):
    left = dict(grown)
    for phase, share in shares.items():
        found = left.pop(phase)
        if share is not None:
            test.assertAlmostEqual(found, share * injected, delta=SHARE * share * injected,
                                   msg=(phase, grown))
    for phase, seconds in left.items():
        test.assertLessEqual(abs(seconds), SHARE * injected, (phase, grown))
