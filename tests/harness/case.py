# SPDX-License-Identifier: Apache-2.0
"""The base classes of the live tests, and how a test file is run."""

import os
import signal
import sys
import time
import unittest

from harness.lunscope import Serve, Trace
from harness.process import LUNSCOPE
from harness.tgtd import Tgtd


class LiveTest(unittest.TestCase):
    """Checks what every live test needs and prints how long each one took."""

    maxDiff = 4000
    ending = False  # SIGTERM came: no test begins any more

    def run(self, result=None):
        if LiveTest.ending:
            return result
        started = time.monotonic()
        try:
            return super().run(result)
        finally:
            print(f"{self.id()}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)

    def setUp(self):
        if not LUNSCOPE.is_file():
            self.fail(f"no program at {LUNSCOPE}: build it, or set LUNSCOPE")
        if os.geteuid() != 0:
            self.fail("live tests load BPF programs: run them as root")

    def use(self, manager):
        """Enter a context manager for the rest of this test."""
        return self.enterContext(manager)


class TgtdTest(LiveTest):
    """Each test has a tgtd of its own, a target, and LUNs, of which `lun` at `url` is the last one.
    Everything that a test starts here ends with it, by its own pid, also when the test fails.
    """

    TARGET = "iqn.2024-01.org.lunscope.test:target"
    LUNS = 1

    def setUp(self):
        super().setUp()
        self.tgtd = self.use(Tgtd())
        self.target = self.tgtd.add_target(self.TARGET)
        for _ in range(self.LUNS):
            self.lun = self.target.add_lun()
            self.url = self.target.url(self.lun)

    def serve(self, *options):
        """A running `lunscope serve` for the tgtd, until the test ends."""
        return self.use(Serve(self.tgtd.port, options=options))

    def trace(self, *options, output="json"):
        return self.use(Trace(self.tgtd.port, output=output, options=options))


def _end_tests(*_):
    LiveTest.ending = True
    sys.exit(2)


def main():
    """Run the tests of the calling module. A runner's SIGTERM ends them with their clean-up."""
    signal.signal(signal.SIGTERM, _end_tests)
    unittest.main()
