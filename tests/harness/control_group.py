# SPDX-License-Identifier: Apache-2.0
"""A control group of the test's own: a folder that goes when the last process in it has ended."""

import contextlib
import os
import pathlib

from harness.process import wait_until

# Words before a command line that runs in a group. It is in the group before it runs.
_ENTER = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"']


def _hierarchies():
    """[(where it is mounted, its type, its options)]"""
    lines = pathlib.Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    return [(pathlib.Path(point), kind, options.split(","))
            for _, point, kind, options, *_ in map(str.split, lines) if kind.startswith("cgroup")]


def in_group(group):
    return [*_ENTER, group]


@contextlib.contextmanager
def _group_below(root):
    folder = root / f"lunscope-test-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        wait_until(lambda: not (folder / "cgroup.procs").read_text(), 10, "the group to be empty")
        folder.rmdir()


@contextlib.contextmanager
def control_group():
    """One of version 2, as lunscope names it."""
    roots = [root for root, kind, _ in _hierarchies() if kind == "cgroup2"]
    if not roots:
        raise RuntimeError("no control groups: mount -t cgroup2 none /sys/fs/cgroup")
    with _group_below(roots[0]) as folder:
        yield folder


@contextlib.contextmanager
def memory_group(limit):
    """One whose processes, and the kernel for them, have so many bytes of memory."""
    for root, kind, options in _hierarchies():
        file = "memory.limit_in_bytes"
        if kind == "cgroup2":
            if "memory" not in (root / "cgroup.controllers").read_text().split():
                continue
            (root / "cgroup.subtree_control").write_text("+memory")
            file = "memory.max"
        elif "memory" not in options:
            continue
        with _group_below(root) as folder:
            (folder / file).write_text(str(limit))
            yield folder
        return
    raise RuntimeError("no control groups that limit memory")
