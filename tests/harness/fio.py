# SPDX-License-Identifier: Apache-2.0
"""fio on a LUN: fio speaks NBD to qemu-nbd, which speaks iSCSI. One request of fio is one command.

fio keeps a log of its requests, in their order: what it did, by its own account.
"""

import contextlib
import dataclasses
import json
import pathlib
import tempfile

from harness.process import Process, start

_START_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Request:
    time_us: int
    direction: str
    offset: int
    bytes: int


class Fio:
    """A job on the LUN of a URL. `words`: its options. `cache`: how qemu-nbd treats writes."""

    def __init__(self, url, *words, cache="none"):
        self._url, self._words, self._cache = url, words, cache
        self._stack = contextlib.ExitStack()
        self._folder = None
        self._process = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._folder = pathlib.Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="lunscope-fio-")))
            socket = self._folder / "nbd"
            stack.enter_context(start(
                ["qemu-nbd", "--format", "raw", "--persistent", "--cache", self._cache,
                 "--socket", socket, self._url],
                lambda _: socket.exists(), _START_SECONDS, "the socket of qemu-nbd"))
            self._process = stack.enter_context(Process(
                ["fio", "--name", "job", "--ioengine", "nbd", f"--uri=nbd+unix:///?socket={socket}",
                 f"--write_iolog={self._folder / 'log'}", "--output-format", "json",
                 *self._words]))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def finish(self, seconds):
        """Waits for its end. Returns its figures, the `jobs` of its JSON."""
        code = self._process.wait(seconds)
        out = self._process.stdout.decode()
        if code != 0:
            raise RuntimeError(f"fio ended with {code}: {out} {self._process.stderr}")
        # A line of the engine comes before it.
        return json.loads(out[out.index("{"):])["jobs"][0]

    def requests(self):
        """The requests in the order in which fio made them."""
        lines = (self._folder / "log").read_text(encoding="ascii").splitlines()
        words = (line.split() for line in lines[1:])
        return [Request(int(word[0]), word[2], int(word[3]), int(word[4])) for word in words
                if word[2] in ("read", "write")]
