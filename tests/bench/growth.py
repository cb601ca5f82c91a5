#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the cost of a command grows with queue depth, connections and LUNs, and a scrape with series.

Each point is the median of rounds that run through all points in turn; the smallest and the largest
of the rounds are the error bars. Both ends of every connection are observed. Nothing is asserted.
"""

import argparse
import json
import pathlib
import statistics
import sys

from harness.lunscope import Serve
from harness.process import ROOT, Process
from harness.tgtd import Tgtd

from cost import cost_of, cpu_seconds, program_statistics
from loads import iscsi_perf_words
from model import medians
from place import TARGET
from plot import plot

_DEPTH = 4  # of each connection, where that is not what grows
_POINTS = {"queue depth": (1, 2, 4, 8, 16, 32, 64, 128),
           "connections to one LUN": (1, 2, 4, 8, 16, 32),
           "LUNs, each with a connection": (1, 2, 4, 8, 16, 32)}
_LUNS = max(_POINTS["LUNs, each with a connection"])


def runs_of(axis, number):
    """[(depth, LUN)] of the initiators that run side by side."""
    if axis == "queue depth":
        return [(number, 1)]
    return [(_DEPTH, 1 + i if axis.startswith("LUNs") else 1) for i in range(number)]


def measure(tgtd, urls, runs, seconds):
    """{"programs", "collector": ns a command and end; "commands", "lost" records, "gaps"}"""
    with Serve(tgtd.port) as serve:
        before = cpu_seconds(serve.process.pid)
        initiators = [Process(iscsi_perf_words(depth, urls[lun - 1], seconds))
                      for depth, lun in runs]
        for initiator in initiators:
            with initiator:
                if initiator.wait(seconds + 60) != 0:
                    raise RuntimeError(initiator.stderr)
        cost = cost_of(serve, before)
    if cost["lost"] or cost["gaps"]:
        print(f"lost {cost['lost']:.0f}, gaps {cost['gaps']:.0f}: what was lost cost less",
              file=sys.stderr)
    return {"programs": sum(cost["program_ns"].values()), "collector": cost["collector_ns"],
            **{key: cost[key] for key in ("commands", "lost", "gaps")}}


def grow(options):
    """{axis: {number: [what measure() returned, one of each round]}}"""
    points = {axis: numbers[:2] if options.quick else numbers for axis, numbers in _POINTS.items()}
    results = {axis: {number: [] for number in numbers} for axis, numbers in points.items()}
    with Tgtd() as tgtd, program_statistics():
        target = tgtd.add_target(TARGET)
        urls = [target.url(target.add_lun()) for _ in range(_LUNS)]
        for i in range(options.rounds):
            for axis, numbers in points.items():
                for number in numbers:
                    found = measure(tgtd, urls, runs_of(axis, number), options.seconds)
                    results[axis][number].append(found)
                    print(f"round {i + 1}/{options.rounds}  {axis} {number}:"
                          f" {found['programs']:.0f} + {found['collector']:.0f} ns",
                          file=sys.stderr, flush=True)
    return results


def scrapes(options):
    """{series: milliseconds of CPU}"""
    found = medians(options.bench, options, "^BM_Scrape/")
    return {round(figures["series"]): figures["real_time"] for figures in found.values()}


def of_rounds(rounds, what):
    """(median, least, most)"""
    values = [found[what] for found in rounds]
    return statistics.median(values), min(values), max(values)


def show(results, series):
    for axis, points in results.items():
        print(f"{axis:>30}  programs ns  collector ns  [least - most together]")
        for number, rounds in points.items():
            together = [found["programs"] + found["collector"] for found in rounds]
            print(f"{number:>30}  {of_rounds(rounds, 'programs')[0]:11.0f}"
                  f"  {of_rounds(rounds, 'collector')[0]:12.0f}"
                  f"  [{min(together):.0f} - {max(together):.0f}]")
    for number, milliseconds in sorted(series.items()):
        print(f"a scrape of {number} series: {milliseconds:.1f} ms of CPU")


def draw(results, series, folder):
    for axis, points in results.items():
        lines = {what: [(number, *of_rounds(rounds, what)) for number, rounds in points.items()]
                 for what in ("programs", "collector")}
        name = axis.split(",", maxsplit=1)[0].replace(" ", "-").lower()
        plot(folder / f"{name}.png", axis, "ns per command and end", lines)
    plot(folder / "series.png", "series of a scrape", "ms of CPU",
         {"scrape": [(number, ms, ms, ms) for number, ms in sorted(series.items())]}, log_y=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default=ROOT / "build" / "model_bench")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each point")
    parser.add_argument("--seconds", type=int, default=3, help="length of a measurement")
    parser.add_argument("--quick", action="store_true", help="two points, once: does it run?")
    parser.add_argument("--plots", type=pathlib.Path, help="draw PNGs into this folder")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    results = grow(options)
    options.cpu, options.repetitions = "0", 1 if options.quick else 5
    options.seconds = 0.01 if options.quick else 0.3
    series = scrapes(options)
    show(results, series)
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        draw(results, series, options.plots)
    if options.json:
        options.json.write_text(json.dumps({"benchmark": "growth", "costs": results,
                                            "scrapes": series}, indent=1), encoding="ascii")


if __name__ == "__main__":
    main()
