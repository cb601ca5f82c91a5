#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/KERNELS.md: what was tested on which kernel, from the output of the tests that did it.

  kernels_page.py --tests BUILD    checks the page against the tests that ctest has in BUILD
  LUNSCOPE_WRITES_PAGE=1 ctest -V ... | kernels_page.py --write
                                   puts what has run into the page; the rest stays

The tests themselves compare the page's cells with those they have just filled (matrix.py), and its
facts with what `check` says of the kernel (tests/vm/test_check.py): not while it is written.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = _ROOT / "docs" / "KERNELS.md"
WRITING = "LUNSCOPE_WRITES_PAGE"
HOW = (f"docs/KERNELS.md is out of date: {WRITING}=1 ctest --test-dir build -V -L 'live|vm' | "
       "tests/harness/kernels_page.py --write")

HOST = "this machine's"
KERNELS = ("6.1", "6.12", HOST)
INITIATORS = ("libiscsi", "QEMU", "open-iscsi")
TARGETS = ("tgtd", "LIO", "istgt")
NOT_TESTED, NEEDS_MODULES = "not tested", "needs modules"


@dataclasses.dataclass(frozen=True)
class Feature:
    """The tests that show it: vm.GUEST.KERNEL and live.HOST, or None; and the fact about it that a
    guest's test reports.
    """

    guest: str | None
    host: str | None
    fact: str | None = None

    def test(self, kernel):
        if kernel == HOST:
            return self.host and f"live.{self.host}"
        return self.guest and f"vm.{self.guest}.{kernel}"


FEATURES = {
    "Scripted conversations: every kind of PDU, command and error": Feature("scripted", "scripted"),
    "Reader of packets, found by a trial load": Feature("check", "check", "reader"),
    "Hook of the kernel's initiator (fentry)": Feature("check", "check", "hook"),
    "The kernel's initiator: a file system, digests, a work queue where the kernel has it":
        Feature("open_iscsi", None),
    "LIO: two connections, many R2Ts, error recovery level 2, LUNs above 255, ACLs":
        Feature("lio", None),
    "Modules that come later, go and come again": Feature("modules", None),
    "Loss and reordering": Feature("netem", "loss"),
    "Sent bytes that were missed, read in the retransmit queue": Feature("heal", None),
    "Tape and changer: names by device type": Feature("device_types", "device_types"),
    "`--source scsi`: the SCSI mid-layer": Feature("scsi", None),
    "`--source target`: LIO, any fabric": Feature("scsi", None),
    "`--source iscsi,scsi`: time above the wire": Feature("scsi", None),
    "`check`": Feature("check", "check"),
    "Digests, also found out in the middle of a session": Feature(None, "digests"),
    "Attaching and detaching under load": Feature(None, "attach"),
    "Namespaces, control groups, processes": Feature(None, "processes"),
    "A boot from iSCSI: QEMU, iPXE": Feature(None, "boot"),
}

_HEAD = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/harness/kernels_page.py from the output of tests, which check it. -->
# Kernels, initiators, targets

Each row below was tested, and every run of `scripts/test` tests it again. 6.1 and 6.12 are Debian's
kernels, in guests (`tests/vm/run`). The third is the kernel of the machine that runs the tests: Linux
{host} when this was written.

## Initiators and targets

Each cell is a session in which the initiator reads and writes a LUN of the target while lunscope
watches both ends. The cell names the programs whose count of the commands is lunscope's count, at
either end, with a difference of 0:

- tshark: a capture of the same traffic, command by command
- libiscsi: the program that calls it
- open-iscsi: `iscsiadm -m session -s`
- tgtd: `tgtadm --op stat`, which counts commands with data only
- LIO: its statistics of the LUN
- istgt: the commands that it says it queues

QEMU does not say how many commands it has sent.

"""
_MODULES = """
*Needs modules*: open-iscsi and LIO are modules of the kernel. A test loads them in a guest only. On
the machine itself it would change what others use, and a kernel without modules has neither.

## Features

Each cell names the test that shows the feature, as ctest knows it.

"""
_TAIL = """
The [README](../README.md#requirements) lists the requirements on a kernel. The differences between
kernels are in [ARCHITECTURE.md](ARCHITECTURE.md#kernels). `lunscope check` checks any kernel.
"""


@dataclasses.dataclass
class Page:
    """cells: {(kernel, initiator, target): who counted, or why nobody did}; features: {(feature,
    kernel): text}; host: the kernel of the machine.
    """

    host: str = "?"
    cells: dict = dataclasses.field(default_factory=dict)
    features: dict = dataclasses.field(default_factory=dict)

    def tested(self, kernel):
        """{(initiator, target): who counted} of the cells that claim a test."""
        return {(initiator, target): text for (of, initiator, target), text in self.cells.items()
                if of == kernel and text not in (NOT_TESTED, NEEDS_MODULES)}

    def fact(self, kernel, name):
        """The fact as the page has it, or None."""
        text, = (self.features.get((feature, kernel), "") for feature, row in FEATURES.items()
                 if row.fact == name)
        return text.partition(": ")[0] if ": " in text else None


def parse(text):
    page = Page(*re.findall(r"Linux\s+(\S+)\s+when", text))
    for row in re.findall(r"^\| (.*) \|$", text, re.M):
        head, *cells = row.split(" | ")
        if head in KERNELS:
            initiator, *cells = cells
            page.cells |= {(head, initiator, target): cell
                           for target, cell in zip(TARGETS, cells, strict=True)}
        elif head in FEATURES:
            page.features |= {(head, kernel): cell
                              for kernel, cell in zip(KERNELS, cells, strict=True)}
    return page


def read():
    return parse(PAGE.read_text(encoding="utf-8"))


def render(page):
    def table(heads, rows):
        lines = [heads, ["---"] * len(heads), *rows]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def cell(kernel, initiator, target):
        modules = kernel == HOST and (initiator == "open-iscsi" or target == "LIO")
        return page.cells.get((kernel, initiator, target),
                              NEEDS_MODULES if modules else NOT_TESTED)

    def shown_by(name, kernel):
        text = page.features.get((name, kernel), "")
        return text if f"`{FEATURES[name].test(kernel)}`" in text else NOT_TESTED
    return "".join((
        _HEAD.format(host=page.host),
        table(["kernel", "initiator", *TARGETS],
              [[kernel, initiator, *(cell(kernel, initiator, target) for target in TARGETS)]
               for kernel in KERNELS for initiator in INITIATORS]),
        _MODULES,
        table(["feature", *KERNELS],
              [[name, *(shown_by(name, kernel) for kernel in KERNELS)] for name in FEATURES]),
        _TAIL))


def _line_of(release):
    return ".".join(release.split(".")[:2])


def guest_kernel():
    """The name of the kernel that this runs on, where it is a guest's."""
    return _line_of(os.uname().release)


def report(kernel, **facts):
    """A line for `--write`, and for whoever wants to know."""
    print("\n" + json.dumps({"kernel": kernel, "release": os.uname().release, **facts}), flush=True)


def hold(test, shown, true):
    """The page shows what is true; while it is being written it need not yet."""
    if WRITING not in os.environ:
        test.assertEqual(shown, true, HOW)


def results_of(output):
    """{ctest name: how it ended} of what `ctest` printed."""
    return dict(re.findall(r"Test +#\d+: (\S+) \.+[ *]*(\S.*?) +[\d.]+ sec", output))


def update(page, output):
    """Put in what has run: all cells of a kernel whose matrix was there, the features shown."""
    passed = {name for name, result in results_of(output).items() if result == "Passed"}
    lines = [json.loads(line) for line in re.findall(r'\{"kernel": .*\}', output)]
    facts = {line["kernel"]: line for line in lines if "reader" in line}
    for kernel in {line["kernel"] for line in lines if "witnesses" in line}:
        page.cells = {cell: text for cell, text in page.cells.items() if cell[0] != kernel}
    for line in lines:
        if "witnesses" in line:
            page.cells[line["kernel"], line["initiator"], line["target"]] = line["witnesses"]
        if line["kernel"] == HOST:
            page.host = _line_of(line["release"])
    for name, feature in FEATURES.items():
        for kernel in KERNELS:
            if feature.test(kernel) in passed:
                fact = facts[kernel][feature.fact] + ": " if feature.fact and kernel != HOST else ""
                page.features[name, kernel] = f"{fact}`{feature.test(kernel)}`"


def problems(text, tests):
    """The faults of a page, given the names that ctest knows."""
    page = parse(text)
    if render(page) != text:
        yield "it is not as it would be written"
    for kernel in KERNELS:
        matrix = "live.matrix" if kernel == HOST else f"vm.matrix.{kernel}"
        if bool(page.tested(kernel)) != (matrix in tests):
            yield f"cells of {kernel}, and {matrix}"
        for name, feature in FEATURES.items():
            shown = re.findall(r"`(\S+)`", page.features.get((name, kernel), ""))
            if shown != sorted({feature.test(kernel)} & tests):
                yield f"{name}, {kernel}: {shown}"


def main():
    arguments = argparse.ArgumentParser()
    what = arguments.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true")
    what.add_argument("--tests", metavar="BUILD")
    given = arguments.parse_args()
    if given.write:
        output = sys.stdin.read()
        if failed := {name: result for name, result in results_of(output).items()
                      if result != "Passed"}:
            sys.exit(f"only a run without a failure is written down, and this has {failed}")
        page = read()
        update(page, output)
        PAGE.write_text(render(page), encoding="utf-8")
        return
    listed = subprocess.run(["ctest", "--test-dir", given.tests, "-N"], check=True,
                            capture_output=True, text=True).stdout
    found = list(problems(PAGE.read_text(encoding="utf-8"),
                          set(re.findall(r"Test +#\d+: (\S+)", listed))))
    if found:
        sys.exit("\n".join([HOW, *found]))


if __name__ == "__main__":
    main()
