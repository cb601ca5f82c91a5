# SPDX-License-Identifier: Apache-2.0
"""tests/vm/run itself: what it says and leaves when a guest does not get to its end."""

import pathlib
import signal

from harness.case import main
from harness.process import ROOT, Process, run, text_of, wait_until

from guest import LiveTest

RUN = ROOT / "tests" / "vm" / "run"
KERNEL = "6.12"
NO_RESULT = 125
BOOT_SECONDS = 120  # a limit: a busy machine boots slowly
LIMITS = (20, 60, 180)  # for a guest that hangs


def descendants(pid):
    """The processes below one, by /proc."""
    children = [int(word) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children")
                for word in text_of(task).split()]
    return children + [below for child in children for below in descendants(child)]


def guests_of(pid):
    return [child for child in descendants(pid)
            if text_of(f"/proc/{child}/comm").startswith("qemu-system")]


class Run(LiveTest):

    def ended(self, *words):
        """(exit code, stdout, stderr) of a run; nothing of it is left."""
        code, out, err, _ = run([RUN, KERNEL, *words], timeout=2 * max(LIMITS), check=False,
                                death_signal=signal.SIGTERM)
        return code, out, err

    def test_guest_that_panics(self):
        code, _, said = self.ended("--", "sh", "-c", "echo c >/proc/sysrq-trigger")
        self.assertEqual(code, NO_RESULT)
        self.assertIn("Kernel panic", said)
        self.assertIn("ended before its command did", said)

    def test_guest_that_hangs(self):
        """The command's output up to then is shown. Where the guest has not got to its command within
        the limit, which on a busy machine it may not, the limit was too short to show anything.
        """
        for limit in LIMITS:
            code, out, said = self.ended("--timeout", limit, "--", "sh", "-c",
                                         "echo began; sleep 1000")
            self.assertEqual(code, NO_RESULT)
            self.assertIn(f"did not end within {limit} s", said)
            if out:
                break
        self.assertEqual(out, "began\n")

    def test_guest_of_a_run_that_is_killed(self):
        process = self.use(Process([RUN, KERNEL, "--", "sleep", "1000"],
                                   death_signal=signal.SIGTERM))
        guest, = wait_until(lambda: guests_of(process.pid), BOOT_SECONDS, "the guest")
        process.kill()
        wait_until(lambda: not pathlib.Path(f"/proc/{guest}").exists(), 10, "the guest to end")


if __name__ == "__main__":
    main()
