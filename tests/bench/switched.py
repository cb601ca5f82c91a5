# SPDX-License-Identifier: Apache-2.0
"""A load that goes on while arms are switched on and off: none of what a run's start decides, where
processes and buffers are placed above all, differs between an arm and its base.
"""

import contextlib
import pathlib
import time

from harness.process import Process

from arms import nothing
from loads import SATURATING_DEPTH, iscsi_perf_words
from place import ON_ONE_CPU, pin

_SETTLE_SECONDS = 0.3
_FOREVER_SECONDS = 86_400


def _bytes_read(pid):
    """By read() and its like, from disk and network: as many for each command of one kind."""
    return int(pathlib.Path(f"/proc/{pid}/io").read_text(encoding="ascii").split()[1])


@contextlib.contextmanager
def steady_load(tgtd, url, seconds, is_on_one_cpu):
    """Sequential reads at saturation. Gives measure(arm): bytes that tgtd reads a second under it."""
    words = iscsi_perf_words(SATURATING_DEPTH, url, _FOREVER_SECONDS)
    if is_on_one_cpu:
        pin(tgtd)
        words = [*ON_ONE_CPU, *words]
    with Process(words) as load:
        def measure(arm):
            with arm(tgtd.port):
                time.sleep(_SETTLE_SECONDS)
                if not load.running:
                    raise RuntimeError(f"the load has ended: {load.stderr}")
                begin, before = time.perf_counter(), _bytes_read(tgtd.process.pid)
                time.sleep(seconds)
                after, end = _bytes_read(tgtd.process.pid), time.perf_counter()
            return (after - before) / (end - begin)

        time.sleep(2)  # caches warm, processes paged in
        yield measure


def measure_switched(measure, arms, rounds, progress):
    """{name: [(base, arm), ...]}: an arm's base is the mean of the stretches before and after it."""
    arms = {"A/A": nothing, **arms}
    results = {name: [] for name in arms}
    before = measure(nothing)
    for i in range(rounds):
        for name, arm in arms.items():
            found = measure(arm)
            after = measure(nothing)
            results[name].append(((before + after) / 2, found))
            before = after
            progress(f"round {i + 1}/{rounds}  {name:<24} ratio {found / results[name][-1][0]:.4f}")
    return results
