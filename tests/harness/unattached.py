# SPDX-License-Identifier: Apache-2.0
"""A lunscope that believes a BPF program attached which the kernel does not run."""

import contextlib
import pathlib
import re
import tempfile

from harness.lunscope import Serve

_NO_DESCRIPTOR = 1000
_TRIES = 10


def _traced(file, *words):
    """With -D the program is the child, and strace ends with it."""
    return ["strace", "-D", "-f", "-qq", "-v", "-s", "64", "-o", file, "-e", "trace=bpf", *words]


class _Calls:
    """The calls of bpf(2) of the thread that loads the programs, as strace writes them."""

    def __init__(self, file):
        # Neither signals nor the second halves of calls.
        lines = [line for line in file.read_text(encoding="ascii").splitlines() if " bpf(" in line]
        thread = lines[0].split()[0]
        self._lines = [line for line in lines if line.startswith(f"{thread} ")]

    def attaching(self, program):
        """The number, from 1 on, of the call that attaches a program, and its line."""
        loads = [re.search(rf'prog_name="{program}".* = (\d+)$', line) for line in self._lines]
        *_, descriptor = (found[1] for found in loads if found)
        *_, call = ((number, line) for number, line in enumerate(self._lines, 1)
                    if "BPF_LINK_CREATE" in line and f"prog_fd={descriptor}," in line)
        return call


@contextlib.contextmanager
def serve_without(program, *ports):
    """A running Serve that takes this program for attached, which it is not.

    strace answers instead of the kernel, to the call with a certain number. libbpf repeats
    a load that was interrupted, and the number is then another one. So it is tried until it fits.
    """
    with tempfile.TemporaryDirectory(prefix="lunscope-strace-") as folder:
        file = pathlib.Path(folder, "calls")
        with Serve(*ports, prefix=_traced(file)):
            number, _ = _Calls(file).attaching(program)
        for _ in range(_TRIES):
            inject = f"inject=bpf:retval={_NO_DESCRIPTOR}:when={number}"
            with Serve(*ports, prefix=_traced(file, "-e", inject)) as serve:
                if "INJECTED" in _Calls(file).attaching(program)[1]:
                    yield serve
                    return
    raise RuntimeError(f"{program} was attached in {_TRIES} tries")
