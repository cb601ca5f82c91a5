# SPDX-License-Identifier: Apache-2.0
"""Where a load runs: the target that serves it, and the CPU of both."""

import contextlib
import os

from harness.tgtd import Tgtd

TARGET = "iqn.2026-01.org.lunscope:bench"
ON_ONE_CPU = ["taskset", "--cpu-list", "0"]


def add_lun(tgtd, **options):
    """A target with one LUN. Gives the URL of the LUN by the port that leads there."""
    target = tgtd.add_target(TARGET)
    url = target.url(target.add_lun(**options))
    return lambda port: url.replace(f":{tgtd.port}/", f":{port}/")


@contextlib.contextmanager
def served_lun():
    """A tgtd with one LUN. Gives the Tgtd, and the URL of the LUN by the port that leads there."""
    with Tgtd() as tgtd:
        yield tgtd, add_lun(tgtd, size=256 << 20)


def pin(tgtd):
    """All of its threads to the CPU of ON_ONE_CPU."""
    for task in os.listdir(f"/proc/{tgtd.process.pid}/task"):
        os.sched_setaffinity(int(task), {int(ON_ONE_CPU[-1])})
