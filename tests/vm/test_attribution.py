# SPDX-License-Identifier: Apache-2.0
"""Faults that the kernel makes, netem and dm-delay: their time lands in the right phase, at both
ends. tests/live/test_attribution.py has those that need no modules.

The faults are long: an emulated machine takes milliseconds for a command, and more when it is busy.
"""

import contextlib
import pathlib

from harness.attribution import (DELAYED, LOSSY, Commands, Shares, check, log_in, read,
                                 write)
from harness.case import main
from harness.lunscope import Trace
from harness.process import run, wait_until
from harness.scripted import Initiator
from harness.tgtd import Tgtd

from guest import GuestTest, load
from lio import Lio

TARGET = "iqn.2024-01.org.lunscope.test:attribution"
DISK_MIB, SECTORS_PER_MIB = 16, 2048
# An emulated CPU that sleeps wakes up late, by milliseconds on a busy machine. So shorter delays are
# for tests/live/test_attribution.py.
SLOW_MS, DELAY_MS = 1000, 300
TURNS, BATCH = 3, 4
AGAIN_SECONDS = 1  # after which a lost segment is sent again


class SlowDisk:
    """A disk of memory behind dm-delay, without a delay at first."""

    def __init__(self, name, memory):
        self.device = None
        self._name, self._memory = name, memory

    def __enter__(self):
        self._run("create", self._name, "--table", self._table(0))
        # There is no udev to make a link with the name.
        self.device = pathlib.Path("/dev/dm-" + self._run(
            "info", "--columns", "--noheadings", "-o", "minor", self._name).strip())
        wait_until(self.device.is_block_device, 20, str(self.device))
        return self

    def __exit__(self, *_):
        self._run("remove", "--force", self._name)

    def delay(self, milliseconds):
        self._run("reload", self._name, "--table", self._table(milliseconds))
        self._run("resume", self._name)

    def _table(self, milliseconds):
        return f"0 {DISK_MIB * SECTORS_PER_MIB} delay {self._memory} 0 {milliseconds}"

    @staticmethod
    def _run(*words):
        return run(["dmsetup", "--noudevsync", *words])[1]


class BackingStores(GuestTest):
    """A slow backing store is the target's time: `service` at its end, `wait` at the other."""

    ROWS = {"read": read(4096), "write": write(4096)}
    SHARES = Shares({"wait": 1}, {"service": 1})

    def setUp(self):
        super().setUp()
        load("brd", rd_nr=2, rd_size=DISK_MIB << 10)
        load("dm-delay")
        self.disks = [self.use(SlowDisk(f"slow{number}", f"/dev/ram{number}"))
                      for number in range(2)]

    def test_rows(self):
        lio, tgtd = self.use(Lio()), self.use(Tgtd())
        targets = {"LIO": lio.add_target(TARGET), "tgtd": tgtd.add_target(TARGET)}
        self.addCleanup(targets["LIO"].remove)
        targets["LIO"].add_lun(kind="iblock", device=self.disks[0].device)
        targets["tgtd"].add_lun(path=self.disks[1].device, open_flags=["direct"])
        trace = self.use(Trace(lio.port, tgtd.port))
        found = {}
        for name, server, disk in (("LIO", lio, self.disks[0]), ("tgtd", tgtd, self.disks[1])):
            for delay in (0, SLOW_MS):
                disk.delay(delay)
                for operation, work in self.ROWS.items():
                    with Initiator(server.port) as initiator:
                        commands = log_in(initiator, TARGET).time(work, 4)
                    found[name, operation, delay] = commands.quickest(2)
            disk.delay(0)
        trace.stop()
        records = trace.records()
        for name in targets:
            for operation in self.ROWS:
                check(self, f"dm-delay below {name}, {SLOW_MS} ms: {operation}",
                      [found[name, operation, delay] for delay in (0, SLOW_MS)], records,
                      self.SHARES, SLOW_MS / 1000)


@contextlib.contextmanager
def netem(*words):
    run(["tc", "qdisc", "add", "dev", "lo", "root", "netem", *words])
    try:
        yield
    finally:
        run(["tc", "qdisc", "del", "dev", "lo", "root"])


class Networks(GuestTest):
    """netem on the loopback delays, or loses, in both directions."""

    def setUp(self):
        super().setUp()
        load("sch_netem")
        tgtd = self.use(Tgtd())  # LIO pings a slow initiator, which a script does not answer
        tgtd.add_target(TARGET).add_lun()
        self.port = tgtd.port
        self.trace = self.use(Trace(self.port))

    def run_rows(self, rows, times):
        found = {}
        for name, (work, keys, *_) in rows.items():
            with Initiator(self.port) as initiator:
                found[name] = log_in(initiator, TARGET, **keys).time(work, times)
        return found

    def run_in_turn(self):
        """{row: (without the delay, with it)}: a few commands of each at a time."""
        found = {}
        for name, (work, keys, *_) in DELAYED.items():
            with Initiator(self.port) as initiator:
                without = log_in(initiator, TARGET, **keys)
                with_it = Commands(initiator)
                for _ in range(TURNS):
                    without.time(work, BATCH)
                    with netem("delay", f"{DELAY_MS}ms"):
                        with_it.time(work, BATCH)
                found[name] = (without, with_it)
        return found

    def test_delay(self):
        found = self.run_in_turn()
        self.trace.stop()
        records = self.trace.records()
        for name, (_, _, crossings, shares) in DELAYED.items():
            check(self, f"netem, {DELAY_MS} ms: {name}", [each.quickest() for each in found[name]],
                  records, shares, crossings * DELAY_MS / 1000)

    def test_loss(self):
        run(["ip", "route", "replace", "local", "127.0.0.1", "dev", "lo", "table", "local", "src",
             "127.0.0.1", "rto_min", f"{AGAIN_SECONDS}s"])
        with netem("loss", "2%"):
            found = self.run_rows(LOSSY, 150)
        self.trace.stop()
        records = self.trace.records()
        for name, (_, _, shares) in LOSSY.items():
            hit = found[name].slower_than(AGAIN_SECONDS * 0.8)
            check(self, f"netem, 2 % lost: {name}", (found[name].quickest(), hit.quickest(2)),
                  records, shares, AGAIN_SECONDS * 0.8)


if __name__ == "__main__":
    main()
