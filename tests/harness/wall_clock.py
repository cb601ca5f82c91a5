# SPDX-License-Identifier: Apache-2.0
"""The wall clock beside the monotonic one. A capture has the first, the kernel half the second, and
a machine may set the first at any time: a duration of a capture is then longer or shorter.
"""

import contextlib
import threading
import time

_LOOKS_NS = 5_000_000
_STEP_NS = 20_000  # the clocks are slewed alike: what is more is a step


class WatchedWallClock(contextlib.AbstractContextManager):
    """Notes when the wall clock was set: `was_set_within(began, ended)`, of wall times in ns."""

    def __enter__(self):
        self._steps = []  # (from, until) in ns of the wall clock: it was set in between
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._is_over.set()
        self._thread.join()

    def was_set_within(self, began, ended):
        return any(began <= until and since <= ended for since, until in self._steps)

    @staticmethod
    def _look():
        """(the wall clock, how far it is ahead of the monotonic one)"""
        while True:
            before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
            if after - before < _STEP_NS // 2:
                return wall, wall - before

    def _watch(self):
        last, ahead = self._look()
        is_over = False
        while not is_over:
            is_over = self._is_over.wait(_LOOKS_NS / 1e9)
            now, further = self._look()
            moved = further - ahead
            if abs(moved) > _STEP_NS:
                # Whichever of the two moments it was at: what the clock may have shown.
                self._steps.append((min(last, last + moved), max(now, now - moved)))
            last, ahead = now, further


class Elapsed:
    """{"live": seconds since it was made by the monotonic clock, "capture": by the wall clock}"""

    _CLOCKS = {"live": time.monotonic, "capture": time.time}

    def __init__(self):
        self._began = {source: clock() for source, clock in self._CLOCKS.items()}

    def seconds(self):
        return {source: clock() - self._began[source] for source, clock in self._CLOCKS.items()}
