# SPDX-License-Identifier: Apache-2.0
"""Every initiator against every target: each of them must count the same commands.

The part for any kernel is here. tests/live/test_matrix.py runs it on this machine, and
tests/vm/test_matrix.py in guests, with the initiator and the target that are the kernel's.
docs/KERNELS.md says of each cell that it was tested, if and only if it was: see kernels_page.py.

An initiator is a function of a Served and of its own name. Within the context that it gives, it has
done its commands and is still logged in; its value is how many the initiator itself counted, or
None if it does not say.
"""

import contextlib
import dataclasses
import subprocess
from collections.abc import Callable
from typing import Any

from harness import kernels_page
from harness.capture import Capture
from harness.case import LiveTest
from harness.compare import (ROLES, check_names, check_nothing_lost, check_same_commands,
                             initiator_port, role_of)
from harness.istgt import LUN, Istgt
from harness.libiscsi import Libiscsi
from harness.lunscope import Serve, Trace
from harness.phases import check_sums, expected_phases
from harness.process import Process
from harness.tgtd import Tgtd

NAME = "iqn.2024-01.org.lunscope.test:"
BLOCK = 512
DATA = bytes([3]) * 65536
ROUNDS = 8  # of DATA, written and read
LAST_WORD = "Synchronize cache"  # what an initiator may still say when it logs out
_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Served:
    """A LUN of a target. `commands()` is how many the target has counted up to now: those whose
    records `counts` is true of.
    """

    server: Any
    target: Any
    lun: int
    commands: Callable
    counts: Callable


@contextlib.contextmanager
def serve_with_tgtd():
    with Tgtd() as tgtd:
        target = tgtd.add_target(NAME + "tgtd")
        lun = target.add_lun()
        yield Served(tgtd, target, lun,
                     lambda: sum(line.read_done_commands + line.written_done_commands
                                 for line in tgtd.statistics() if line.lun == lun),
                     lambda record: record["lun"] == str(lun) and "expected_bytes" in record)


@contextlib.contextmanager
def serve_with_istgt():
    with Istgt(talks=True) as istgt:
        yield Served(istgt, istgt, LUN, istgt.commands, lambda _: True)


@contextlib.contextmanager
def libiscsi(served, name):
    with Libiscsi(name, served.server.portal(), served.target.name) as session:
        lun, none = served.lun, [0] * 5
        session.wait_until_ready(lun)
        session.command("inquiry", lun, 0, 0, 255)
        session.command("readcapacity16", lun)
        for lba in range(0, ROUNDS * len(DATA) // BLOCK, len(DATA) // BLOCK):
            session.command("write10", lun, lba, DATA, len(DATA), BLOCK, *none)
            session.command("read10", lun, lba, len(DATA), BLOCK, *none)
        session.command("synchronizecache10", lun, 0, 0, 0, 0)
        yield session.commands


@contextlib.contextmanager
def qemu(served, name):
    image = ("driver=raw,file.driver=iscsi,file.transport=tcp,"
             f"file.portal={served.server.portal()},file.target={served.target.name},"
             f"file.lun={served.lun},file.initiator-name={name}")
    with Process(["qemu-io", "--image-opts", image], stdin=subprocess.PIPE) as process:
        for offset in range(0, ROUNDS * len(DATA), len(DATA)):
            for command, answer in (("write", "wrote"), ("read", "read")):
                done = f"{answer} {len(DATA)}/{len(DATA)} bytes at offset {offset}\n".encode()
                process.popen.stdin.write(f"{command} -P {DATA[0]} {offset} {len(DATA)}\n".encode())
                process.popen.stdin.flush()
                process.wait_for(lambda: done in process.stdout, _SECONDS, command)
        yield None
        process.popen.stdin.close()
        if process.wait(_SECONDS) != 0:
            raise RuntimeError(process.stderr)


@dataclasses.dataclass(frozen=True)
class Cell:
    """An initiator and a target, and how many commands each of them counted."""

    initiator: str
    target: str
    by_initiator: int | None
    by_target: int

    @property
    def name(self):
        """The name of the initiator."""
        return NAME + self.initiator.lower()

    @property
    def witnesses(self):
        """Those whose count is lunscope's, as the page has them."""
        return ", ".join(["tshark", *[self.initiator] * (self.by_initiator is not None),
                          self.target])


class Matrix(LiveTest):
    """Not run by itself: `KERNEL` is its name on the page."""

    KERNEL = None
    INITIATORS = {"libiscsi": libiscsi, "QEMU": qemu}
    TARGETS = {"tgtd": serve_with_tgtd, "istgt": serve_with_istgt}

    def test_cells(self):
        self.served = {name: self.use(serve()) for name, serve in self.TARGETS.items()}
        ports = [served.server.port for served in self.served.values()]
        serve, trace = self.use(Serve(*ports)), self.use(Trace(*ports))
        capture = self.use(Capture(*ports))
        cells = [self.fill(initiator, target) for initiator in self.INITIATORS
                 for target in self.TARGETS]
        metrics = serve.settled()
        trace.stop()
        self.records, self.commands = trace.records(), capture.commands()
        check_nothing_lost(self, metrics)
        check_names(self, self.records)
        self.check_phases()
        # All of them together: what lunscope missed altogether is in no cell.
        check_same_commands(self, self.records, self.commands)
        for role in ROLES:
            self.assertEqual(metrics.accounts(role), (len(self.commands),) * 2 + (0, 0), role)
        for cell in cells:
            with self.subTest(initiator=cell.initiator, target=cell.target):
                self.check_cell(cell)
        kernels_page.hold(self, kernels_page.read().tested(self.KERNEL),
                          {(cell.initiator, cell.target): cell.witnesses for cell in cells})

    def check_phases(self):
        """Each command has all phases of its kind, and they add up to its duration."""
        known, without = check_sums(self, self.records)
        self.assertEqual(without, [])
        for record in self.records:
            self.assertEqual(record["phases_us"].keys(), expected_phases(record), record)
        for role in ROLES:
            self.assertEqual(known[role], len(self.commands), role)
        kernels_page.report(self.KERNEL, commands_with_phases=known)

    def fill(self, initiator, target):
        served = self.served[target]
        before = served.commands()
        with self.INITIATORS[initiator](served, NAME + initiator.lower()) as by_initiator:
            during = served.commands()
        # tgtd forgets with the session; the others count on until its end.
        return Cell(initiator, target, by_initiator, max(during, served.commands()) - before)

    def check_cell(self, cell):
        served = self.served[cell.target]
        records = [record for record in self.records
                   if (record["initiator"], record["target"]) == (cell.name, served.target.name)]
        ports = {initiator_port(record) for record in records}
        captured = [command for command in self.commands if command.initiator_port in ports]
        self.assertGreater(len(captured), 2 * ROUNDS)
        check_same_commands(self, records, captured)
        self.assertEqual(sum(map(served.counts, role_of(records, "target"))), cell.by_target,
                         "the target's count")
        if cell.by_initiator is not None:
            late = role_of(records, "initiator")[cell.by_initiator:]
            self.assertEqual([record["command"] for record in late
                              if not record["command"].startswith(LAST_WORD)], [],
                             "behind what the initiator counted")
            self.assertLessEqual(cell.by_initiator, len(captured))
        kernels_page.report(self.KERNEL, initiator=cell.initiator, target=cell.target,
                            commands=len(captured), by_initiator=cell.by_initiator,
                            by_target=cell.by_target, witnesses=cell.witnesses)
