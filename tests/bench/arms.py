# SPDX-License-Identifier: Apache-2.0
"""The arms of a comparison with nothing: lunscope in its modes, its peers, and unavoidable costs.

An arm is a context manager over a port. Within it the load runs at the port that it gives. Only a
proxy gives another port.
"""

import contextlib
import os
import pathlib
import sys
import tempfile

from harness.lunscope import Serve, Trace
from harness.process import Process, wait_until

from steps import programs_up_to

_BENCH = pathlib.Path(__file__).resolve().parent
_START_SECONDS = 20
_EXAMINED_BYTES = 128  # enough for the headers of TCP and the first PDU of a segment


@contextlib.contextmanager
def nothing(port):
    yield port


def _serve(*options):
    @contextlib.contextmanager
    def arm(port):
        with Serve(port, options=options):
            yield port
    return arm


@contextlib.contextmanager
def _trace(port):
    with Trace(port):
        yield port


@contextlib.contextmanager
def _capturing(*words):
    """It captures into a file of its own as well, which it leaves behind when it is ended."""
    with tempfile.TemporaryDirectory(prefix="lunscope-bench-") as folder, \
            Process(words, env={**os.environ, "TMPDIR": folder}) as capture:
        capture.wait_for_line("Capturing on", _START_SECONDS)
        yield


@contextlib.contextmanager
def _dumpcap(port):
    with _capturing("dumpcap", "-q", "-i", "lo", "-s", _EXAMINED_BYTES, "-B", "64",
                    "-f", f"tcp port {port}"):
        yield port


@contextlib.contextmanager
def _tshark(port):
    with _capturing("tshark", "-q", "-i", "lo", "-f", f"tcp port {port}",
                    "-d", f"tcp.port=={port},iscsi", "-z", "scsi,srt,0"):
        yield port


def _proxy(*options):
    @contextlib.contextmanager
    def arm(port):
        with Process([sys.executable, _BENCH / "proxy.py", port, *options]) as proxy:
            wait_until(lambda: proxy.stdout, _START_SECONDS, "the proxy's port")
            yield int(proxy.stdout)
    return arm


@contextlib.contextmanager
def _floor(port):
    """Empty programs at the hooks of lunscope's."""
    with programs_up_to(0, port):
        yield port


@contextlib.contextmanager
def _placebo(port):
    """A process that wakes up as often as an idle collector does, and does nothing."""
    with Process([sys.executable, "-c", "import time\nwhile True: time.sleep(1)"]):
        yield port


ARMS = {
    "serve, both ends": _serve(),
    "serve, target's end": _serve("--role", "target"),
    "serve, initiator's end": _serve("--role", "initiator"),
    "aggregate, both ends": _serve("--mode", "aggregate"),
    "aggregate, target's end": _serve("--mode", "aggregate", "--role", "target"),
    "trace": _trace,
    "floor": _floor,
    "placebo": _placebo,
    "dumpcap": _dumpcap,
    "tshark": _tshark,
    "proxy": _proxy(),
    "proxy, TCP_NODELAY": _proxy("--nodelay"),
}
