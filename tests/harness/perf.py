# SPDX-License-Identifier: Apache-2.0
"""iscsi-perf for as long as a test wants: it ends after so many commands, and not after a time."""

import signal

from harness.process import Process

_UNTIL_ENDED_SECONDS = 3600
_FINISH_SECONDS = 60


class Perf(Process):
    """Reads the LUN of a URL until finish() is called. `words` are options of iscsi-perf."""

    def __init__(self, url, *words, prefix=()):
        super().__init__([*prefix, "iscsi-perf", "-t", _UNTIL_ENDED_SECONDS, *words, url])

    def finish(self):
        """It sends no further command, receives what is on its way, and logs out."""
        self.signal(signal.SIGINT)
        if self.wait(_FINISH_SECONDS) != 0:
            raise RuntimeError(f"iscsi-perf failed: {self.stderr}")


def read_with_perf(tgtd, url, commands, *words):
    """At least so many reads by one session of iscsi-perf, as tgtd counts them."""
    with Perf(url, *words) as perf:
        tgtd.wait_for_commands(commands)
        perf.finish()
