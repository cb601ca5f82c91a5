#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The collector's ceiling: records per second, scrape, stall and memory, beside what they ought to be.

Runs model_bench and model_memory, and `lunscope serve` for what it takes idle; prints a table and
writes JSON (--json FILE). Figures are medians of repetitions and CPU time of the thread. Nothing here
asserts a figure; --quick only sees to it that all of them are there.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys

from harness.lunscope import Serve
from harness.process import ROOT, free_port, run

_SHAPES = {"hot_lun": "one LUN", "varied": "16 connections, 64 LUNs, 4 operations",
           "connections_10k": "10,000 connections, 1,400 LUNs"}
_MIB = 1024


def medians(bench, options, only="."):
    """{benchmark: {figure: median}} of the repetitions of model_bench, of those that match."""
    words = [bench, "--benchmark_format=json", f"--benchmark_filter={only}",
             f"--benchmark_repetitions={options.repetitions}",
             f"--benchmark_min_time={options.seconds}"]
    output = run(["taskset", "-c", options.cpu, *words], timeout=1200)[1]
    figures = {}
    for each in json.loads(output)["benchmarks"]:
        if each["run_type"] != "iteration":
            continue
        name = re.sub(r"/(iterations:\d+|manual_time|repeats:\d+)", "", each["run_name"])
        for key, value in each.items():
            if isinstance(value, (int, float)):
                figures.setdefault(name, {}).setdefault(key, []).append(value)
    return {name: {key: statistics.median(values) for key, values in of.items()}
            for name, of in figures.items()}


def idle_kib():
    """Resident memory of a serve that has nothing to do."""
    with Serve(free_port()) as serve:
        serve.scrape()
        status = pathlib.Path(f"/proc/{serve.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1])


def rows(bench, memory, idle):
    """(goal, what, figure, unit, wanted) of each line of the table."""
    for name, words in _SHAPES.items():
        rate = bench[f"BM_RingAndModel/{name}"]["items_per_second"]
        yield "G8", f"through rings and model, {words}", rate / 1e6, "M records/s", ">= 6"
    for name, words in _SHAPES.items():
        rate = bench[f"BM_Model/{name}"]["items_per_second"]
        yield "G9", f"model, {words}", 1e9 / rate, "ns a record", "<= 100"
    for name, words in _SHAPES.items():
        rate = bench[f"BM_Profile/{name}"]["items_per_second"]
        yield "", f"model with profiles, {words}", 1e9 / rate, "ns a record", ""
    yield "", "rings alone", 1e9 / bench["BM_Ring"]["items_per_second"], "ns a record", ""
    scrape, stall = bench["BM_Scrape/connections_10k"], bench["BM_Stall"]
    yield "G10", f"scrape of {scrape['series']:.0f} series", scrape["real_time"], "ms", "<= 100"
    for part in ("walk", "copy", "render"):
        yield "", f"  {part}", scrape[f"{part}_ms"], "ms", ""
    for part in ("p50", "p99", "max"):
        yield "G10", f"records wait in a scrape, {part}", stall[f"{part}_ms"], "ms", "<= 1"
    yield "G11", "serve, idle", idle / _MIB, "MiB", "<= 16"
    diagnosis = bench["BM_Diagnosis"]
    yield "G15", "diagnosis, a look at 1,000 sessions, 10,000 LUNs", diagnosis["look_ms"], "ms", "<= 20"
    yield "", "  what it takes of a record", diagnosis["record_ns"], "ns a record", ""
    for key, words in (("known", "model of 10,000 connections"), ("scraped", "after 5 scrapes"),
                       ("peak", "at most"), ("flooded", "after a flood"),
                       ("flooded_again", "after another")):
        yield "G11", words, memory[f"{key}_kib"] / _MIB, "MiB", "<= 128"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default=ROOT / "build" / "model_bench")
    parser.add_argument("--memory", default=ROOT / "build" / "model_memory")
    parser.add_argument("--cpu", default="0", help="the CPU that the benchmark runs on")
    parser.add_argument("--quick", action="store_true", help="a smoke run: the figures mean little")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    options.repetitions, options.seconds = (1, 0.01) if options.quick else (7, 0.3)
    bench = medians(options.bench, options)
    memory = json.loads(run([options.memory, 1 if options.quick else 10], timeout=600)[1])
    idle = idle_kib()
    table = list(rows(bench, memory, idle))
    for goal, what, figure, unit, wanted in table:
        print(f"{goal:<4} {what:<62} {figure:9.2f} {unit:<12} {wanted}")
    if any(not figure > 0 for _, _, figure, _, _ in table):
        sys.exit("a figure is missing")
    if options.json:
        options.json.write_text(json.dumps({"benchmark": "model", "bench": bench, "memory": memory,
                                            "idle_kib": idle}, indent=1), encoding="ascii")


if __name__ == "__main__":
    main()
