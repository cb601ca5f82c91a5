# SPDX-License-Identifier: Apache-2.0
"""A program with an HTTP endpoint, for tests: started on a free loopback port, and ended."""

import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

HTTP_TIMEOUT_S = 10
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10
# Another process may take the free port before the program has it, so one failure says little.
START_ATTEMPTS = 3

# No proxy: an http_proxy of the environment has no business with a loopback address.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerError(RuntimeError):
    """The program did not start or did not answer."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A program of our own, its files in a folder that goes with it. It answers at /-/ready.

    Use with `with`: on entry it is started and ready, on exit it is gone, whatever was raised. A
    subclass has command(address): its options, which are to make it listen at `address`.
    """

    error = ServerError

    def __init__(self, binary):
        self.binary = binary
        self.url = None
        self._process = None
        self._folder = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix=f"lunscope-{Path(self.binary).name}-")
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    @property
    def pid(self):
        return self._process.pid

    @property
    def folder(self):
        """Where its config, data and log are while it runs."""
        return Path(self._folder.name)

    @property
    def address(self):
        return self.url.removeprefix("http://")

    def command(self, address):
        """The options of the program."""
        raise NotImplementedError

    def require_running(self):
        status = self._process.poll()
        if status is not None:
            raise self.error(f"{self.binary} ended with status {status}\n{self._log_tail()}")

    def _start(self):
        for attempt in range(START_ATTEMPTS):
            try:
                self._start_once()
                return
            except ServerError:
                self._end_process()
                if attempt + 1 == START_ATTEMPTS:
                    raise

    def _start_once(self):
        address = f"127.0.0.1:{free_port()}"
        command = [self.binary, *self.command(address)]
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=subprocess.STDOUT, cwd=self.folder)
        self.url = f"http://{address}"
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            self.require_running()
            try:
                OPENER.open(f"{self.url}/-/ready", timeout=HTTP_TIMEOUT_S).close()
                return
            except OSError:
                time.sleep(0.1)
        raise self.error(f"not ready in {START_TIMEOUT_S} s\n{self._log_tail()}")

    def _log_tail(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def _end_process(self):
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _stop(self):
        try:
            self._end_process()
        finally:
            self._folder.cleanup()
