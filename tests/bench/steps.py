#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the cost of each step of the programs for a command: the programs stop after the step, and
the kernel counts their time.

The first step is empty programs at the same hooks. They cost, for the most part, what the kernel's
accounting costs. Initiator and target run on one CPU, where no cache line has to come from another, and
then as the scheduler places them. Rounds run through all steps in turn; a figure is the median of the
rounds. Both ends of the connection are observed. engine_bench runs beside it: following PDUs and
pairing alone, at one end. Nothing is asserted.

--against measures the whole programs of another build and of this one in turn, as pairs with an A/A arm;
of this one with phases and without.
"""

import argparse
import contextlib
import functools
import json
import pathlib
import signal
import statistics
import sys

from harness.process import LUNSCOPE, Process, run, wait_until

from cost import program_statistics
from loads import SATURATING_DEPTH, iscsi_perf
from pairs import estimate_of, measure_pairs
from place import ON_ONE_CPU, pin, served_lun

_PROGRAM = (LUNSCOPE.parent / "steps",)
_WITHOUT_PHASES = (*_PROGRAM, "no-phases")
_ENGINE = LUNSCOPE.parent / "engine_bench"
# By the numbers of enum lunscope_step.
STEPS = ["empty programs", "port test", "storage", "read", "parse and pair", "record"]
_PLACES = {"on one CPU": ON_ONE_CPU, "as scheduled": []}
_ENDS = 2


@contextlib.contextmanager
def programs_up_to(step, port, program=_PROGRAM):
    """The process that holds lunscope's programs, each of which stops after this step. program: with
    its options."""
    path, *options = program
    with Process([path, port, step, *options]) as programs:
        wait_until(lambda: programs.stdout, 20, "the programs")
        yield programs


def spent_under(load, port, step, program=_PROGRAM):
    """Run load() under the programs. Returns what it does, and {program: (runs, nanoseconds)}."""
    with programs_up_to(step, port, program) as programs:
        found = load()
        programs.signal(signal.SIGTERM)
        if programs.wait(20) != 0:
            raise RuntimeError(programs.stderr)
        lines = [line.split() for line in programs.stdout.decode().splitlines()[1:]]
    return found, {name: (int(runs), int(ns)) for name, runs, ns in lines}


def measure(load, port, step, seconds, program=_PROGRAM):
    """{program: nanoseconds per command and end}"""
    rate, spent = spent_under(load, port, step, program)
    return {name: ns / (rate * seconds * _ENDS) for name, (_, ns) in spent.items()}


def say(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def load_at(place, seconds):
    """A target in this place. Gives a function that loads it, and its port."""
    with served_lun() as (tgtd, url_by), program_statistics():
        if place:
            pin(tgtd)
        yield functools.partial(iscsi_perf(SATURATING_DEPTH, place), url_by(tgtd.port),
                                seconds), tgtd.port


def measure_rounds(options):
    """{place: {step: [what measure() returned, one of each round]}}"""
    results = {}
    for name, place in _PLACES.items():
        results[name] = {step: [] for step in STEPS}
        with load_at(place, options.seconds) as (load, port):
            for i in range(options.rounds):
                for number, step in enumerate(STEPS):
                    found = measure(load, port, number, options.seconds)
                    results[name][step].append(found)
                    say(f"round {i + 1}/{options.rounds}  {name}, up to {step}:"
                        f" {sum(found.values()):.0f} ns")
    results["engine alone, in caches"] = measure_engine(options.rounds)
    return results


def measure_engine(rounds):
    """The same for engine_bench: {step: [{"engine": nanoseconds}]}"""
    results = {}
    for _ in range(rounds):
        for line in run([*ON_ONE_CPU, _ENGINE], timeout=60)[1].splitlines():
            number, nanoseconds = line.split()
            results.setdefault(STEPS[int(number)], []).append({"engine": float(nanoseconds)})
    return results


def show(results):
    for place, steps in results.items():
        print(f"{place}: ns per command and end up to this step [least - most]")
        for step, rounds in steps.items():
            sums = [sum(found.values()) for found in rounds]
            programs = "  ".join(
                f"{name} {statistics.median(found[name] for found in rounds):.0f}"
                for name in ("arrival", "consumption", "transmit") if name in rounds[0])
            print(f"{step:>16} {statistics.median(sums):7.0f} [{min(sums):.0f} - {max(sums):.0f}]"
                  f"  {programs}")


def compare(options):
    """{place: {arm: [(nanoseconds of the other build, of this one), a pair of each round]}}"""
    results = {}
    for name, place in _PLACES.items():
        with load_at(place, options.seconds) as (load, port):
            def whole(program, load=load, port=port):
                return sum(measure(load, port, len(STEPS) - 1, options.seconds, program).values())

            say(f"{name}: ns per command and end")
            arms = {"this build": _PROGRAM, "without phases": _WITHOUT_PHASES}
            results[name] = measure_pairs(
                functools.partial(whole, (options.against / "steps",)),
                {arm: functools.partial(whole, program) for arm, program in arms.items()},
                options.rounds, say)
    return results


def show_pairs(results):
    for place, arms in results.items():
        print(f"{place}: ns per command and end, this build / the other [95 % interval]")
        for arm, pairs in arms.items():
            medians = [statistics.median(figures) for figures in zip(*pairs, strict=True)]
            print(f"{estimate_of(arm, [new / old for old, new in pairs])}"
                  f"  {medians[1]:.0f} / {medians[0]:.0f} ns")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each step")
    parser.add_argument("--seconds", type=int, default=3, help="length of a measurement")
    parser.add_argument("--quick", action="store_true", help="each step once: does it run?")
    parser.add_argument("--against", type=pathlib.Path, metavar="FOLDER",
                        help="compare with the programs of another build, which is in this folder")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    if options.against and not (options.against / "steps").is_file():
        parser.error(f"{options.against} has no program steps; build it there: scripts/build release steps")
    results = compare(options) if options.against else measure_rounds(options)
    (show_pairs if options.against else show)(results)
    if options.json:
        options.json.write_text(json.dumps({"benchmark": "steps", "costs": results}, indent=1),
                                encoding="ascii")


if __name__ == "__main__":
    main()
