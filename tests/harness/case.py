# SPDX-License-Identifier: Apache-2.0
"""The base classes of the live tests, and how a test file is run."""

import os
import signal
import sys
import time
import unittest

from harness.process import LUNSCOPE


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


def _end_tests(*_):
    LiveTest.ending = True
    sys.exit(2)


def main():
    """Run the tests of the calling module. A runner's SIGTERM ends them with their clean-up."""
    signal.signal(signal.SIGTERM, _end_tests)
    unittest.main()
