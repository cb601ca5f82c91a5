#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each step of the programs costs a command: they stop after it, and the kernel counts their time.

The first step is empty programs at the same hooks: what the kernel's accounting itself costs, for the
most part. Measured with initiator and target on one CPU, where no cache line has to come from another,
and as the scheduler places them. Rounds run through all steps in turn; a figure is the median of the
rounds. Both ends of the connection are observed. Nothing is asserted.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import statistics
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT / "tests" / "live"))

# pylint: disable=wrong-import-position
from cost import program_statistics  # noqa: E402
from harness import LUNSCOPE, Process, run, wait_until  # noqa: E402
from loads import iscsi_perf_words  # noqa: E402
from tgtd import Tgtd  # noqa: E402

_TARGET = "iqn.2026-01.org.lunscope:bench"
_PROGRAM = LUNSCOPE.parent / "steps"
STEPS = ["empty programs", "port test", "storage", "read", "parse and pair", "record"]  # enum lunscope_step
ON_ONE_CPU = ["taskset", "--cpu-list", "0"]
_PLACES = {"on one CPU": ON_ONE_CPU, "as scheduled": []}
_DEPTH = 32
_ENDS = 2
_AVERAGE = re.compile(r"iops average (\d+)")


def pin(pid):
    """All threads of the process to the CPU of ON_ONE_CPU."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {int(ON_ONE_CPU[-1])})


@contextlib.contextmanager
def served_on(place):
    """A tgtd with one LUN, on the CPU of the place. Gives its port and the LUN's URL."""
    with Tgtd() as tgtd:
        target = tgtd.add_target(_TARGET)
        url = target.url(target.add_lun(size=256 << 20))
        if place:
            pin(tgtd.process.pid)
        yield tgtd.port, url


def spent_under(load, port, step):
    """Run load() under the programs. Returns what it does, and {program: (runs, nanoseconds)}."""
    with Process([_PROGRAM, port, step]) as programs:
        wait_until(lambda: programs.stdout, 20, "the programs")
        found = load()
        programs.signal(signal.SIGTERM)
        if programs.wait(20) != 0:
            raise RuntimeError(programs.stderr)
        lines = [line.split() for line in programs.stdout.decode().splitlines()[1:]]
    return found, {name: (int(runs), int(ns)) for name, runs, ns in lines}


def measure(seconds, place, port, url, step):
    """{program: nanoseconds per command and end}"""
    def load():
        words = [*place, *iscsi_perf_words(_DEPTH, url, seconds)]
        return float(_AVERAGE.findall(run(words, timeout=seconds + 60)[1])[-1])
    rate, spent = spent_under(load, port, step)
    return {name: ns / (rate * seconds * _ENDS) for name, (_, ns) in spent.items()}


def measure_rounds(options):
    """{place: {step: [what measure() returned, one of each round]}}"""
    results = {}
    for name, place in _PLACES.items():
        results[name] = {step: [] for step in STEPS}
        with served_on(place) as (port, url), program_statistics():
            for i in range(options.rounds):
                for number, step in enumerate(STEPS):
                    found = measure(options.seconds, place, port, url, number)
                    results[name][step].append(found)
                    print(f"round {i + 1}/{options.rounds}  {name}, up to {step}:"
                          f" {sum(found.values()):.0f} ns", file=sys.stderr, flush=True)
    return results


def show(results):
    for place, steps in results.items():
        print(f"{place}: ns per command and end up to this step [least - most]")
        for step, rounds in steps.items():
            sums = [sum(found.values()) for found in rounds]
            programs = "  ".join(
                f"{name} {statistics.median(found[name] for found in rounds):.0f}"
                for name in ("arrival", "consumption", "transmit"))
            print(f"{step:>16} {statistics.median(sums):7.0f} [{min(sums):.0f} - {max(sums):.0f}]"
                  f"  {programs}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each step")
    parser.add_argument("--seconds", type=int, default=3, help="length of a measurement")
    parser.add_argument("--quick", action="store_true", help="each step once: does it run?")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    results = measure_rounds(options)
    show(results)
    if options.json:
        options.json.write_text(json.dumps({"benchmark": "steps", "costs": results}, indent=1),
                                encoding="ascii")


if __name__ == "__main__":
    main()
