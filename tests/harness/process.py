# SPDX-License-Identifier: Apache-2.0
"""Processes and waiting.

A live test loads the real programs, makes real traffic on the loopback and compares what lunscope
says with what others counted. Every piece of the harness keeps these rules:

- What is started is ended by its own pid, also when the test fails or is itself killed.
- A test waits for a condition and not for a time, so that it is as sure on a busy machine. Every
  wait has a limit, far above what it takes.
- Ports, control numbers and files are the test's own, so that live tests may run side by side.
- A test that cannot run fails and says why: nothing is skipped.
"""

import contextlib
import ctypes
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LUNSCOPE = pathlib.Path(os.environ.get("LUNSCOPE", ROOT / "build" / "lunscope")).resolve()

_PR_SET_PDEATHSIG = 1
_END_SECONDS = 5
_GIVEN = set()  # ports
_libc = ctypes.CDLL(None)


def _die_with_parent(death_signal):
    """For the child: a test that is killed takes what it started along."""
    return lambda: _libc.prctl(_PR_SET_PDEATHSIG, death_signal)


def require(program):
    """Full path of `program`, looked for in the sbin folders too."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise RuntimeError(f"{program} is not installed: the live tests need it")
    return path


def wait_until(condition, timeout, what):
    """Poll `condition` until it is true and return its value; `what` names it in the failure."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(0.02)


def port_of_nobody():
    """A free port on 127.0.0.1 that no program gets unless it asks for it, and that this process
    never got before. The kernel may choose a port again as soon as its connection has ended, and
    records that are found by their port would then be those of two connections.
    """
    first, last = map(int, text_of("/proc/sys/net/ipv4/ip_local_port_range").split())
    while True:
        port = random.randrange(10000, 65536)
        if first <= port <= last or port in _GIVEN:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _GIVEN.add(port)
            return port


def free_port():
    """A TCP port nobody listens on, on 127.0.0.1 and on ::1."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as four:
            four.bind(("127.0.0.1", 0))
            port = four.getsockname()[1]
            with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as six:
                try:
                    six.bind(("::1", port))
                except OSError:
                    continue
        return port


class Process:
    """One started program. Output goes to files: a full pipe can never stop what is measured.

    `death_signal` ends it when it is no longer needed or the test dies; a script, which has to end
    what it started itself, needs SIGTERM.
    """

    def __init__(self, command, death_signal=signal.SIGKILL, **popen):
        self.command = [str(word) for word in command]
        self.command[0] = require(self.command[0])
        self._death_signal = death_signal
        self._folder = tempfile.TemporaryDirectory(prefix="lunscope-live-")
        self._stdout = pathlib.Path(self._folder.name, "stdout")
        self._stderr = pathlib.Path(self._folder.name, "stderr")
        self.started = time.monotonic()
        popen.setdefault("stdin", subprocess.DEVNULL)
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.popen = subprocess.Popen(self.command, stdout=out, stderr=err,
                                          preexec_fn=_die_with_parent(death_signal), **popen)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self._folder.cleanup()

    @property
    def pid(self):
        return self.popen.pid

    @property
    def running(self):
        return self.popen.poll() is None

    @property
    def stdout(self):
        return self._stdout.read_bytes()

    @property
    def stderr(self):
        return self._stderr.read_text(errors="replace")

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout):
        """Exit code; a program that does not end in time is ended and reported."""
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.end()
            raise TimeoutError(f"{' '.join(self.command)} did not end within {timeout} s; "
                               f"it said: {self.stderr}") from None

    def seconds_to_end(self, timeout):
        """Wait for its end. Returns the seconds that passed, less those that its threads could have
        run and had no CPU: what the program itself, and the kernel for it, takes to end.
        """
        began, before, last = time.monotonic(), self._seconds_without_cpu(), {}
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            last |= self._seconds_without_cpu()
            if time.monotonic() - began > timeout:
                self.wait(0)
            time.sleep(0.005)
        passed = time.monotonic() - began
        return passed - sum(last.values()) + sum(before.get(thread, 0) for thread in last)

    def _seconds_without_cpu(self):
        """{thread: seconds on a run queue}"""
        found = {}
        for path in pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat"):
            if text := text_of(path):
                found[path.parent.name] = int(text.split()[1]) / 1e9
        return found

    def wait_for(self, condition, timeout, what):
        """Return when `condition()` is true; an early end is a failure with its message."""
        def is_so():
            if condition():
                return True
            if not self.running:
                raise RuntimeError(f"{' '.join(self.command)} ended with {self.popen.returncode} "
                                   f"before {what}: {self.stderr}")
            return False
        try:
            wait_until(is_so, timeout, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error} of {self.command[0]}: {self.stderr}") from None

    def wait_for_line(self, text, timeout):
        """Return when `text` stands on stderr."""
        self.wait_for(lambda: text in self.stderr, timeout, f"the line {text!r}")

    def end_politely(self):
        """SIGTERM, and what it says then is there; other exit codes than 0 are failures."""
        self.signal(signal.SIGTERM)
        code = self.wait(_END_SECONDS * 12)
        if code != 0:
            raise RuntimeError(f"{' '.join(self.command)} ended with {code}: {self.stderr}")

    def end(self):
        if self.running:
            self.popen.send_signal(self._death_signal)
            try:
                self.popen.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        if self.running:
            self.popen.kill()
        self.popen.wait()


def start(command, is_ready, timeout, what, **popen):
    """A Process of which `is_ready(process)` is true; one that does not get there is ended."""
    process = Process(command, **popen)
    try:
        process.wait_for(lambda: is_ready(process), timeout, what)
    except BaseException:
        process.__exit__()
        raise
    return process


def text_of(path):
    """The text of a file of /proc; "" if its thread, process or descriptor is gone by now."""
    try:
        return pathlib.Path(path).read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def status_of(path):
    """{name: value} of a status file of /proc; {} if its process is gone by now."""
    return dict(re.findall(r"^(\w+):\s*(.*)$", text_of(path), re.M))


def run(command, timeout=120, check=True, **popen):
    """Run to the end. Returns (exit code, stdout text, stderr text, wall seconds)."""
    with Process(command, **popen) as process:
        code = process.wait(timeout)
        wall = time.monotonic() - process.started
        out = process.stdout.decode(errors="replace")
        if check and code != 0:
            raise RuntimeError(f"{' '.join(process.command)} ended with {code}: "
                               f"{process.stderr}{out}")
        return code, out, process.stderr, wall
