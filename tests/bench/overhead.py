#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the cost of lunscope. Figures are for docs/OVERHEAD.md; nothing here is asserted.

  overhead.py iops      operations a second that are kept, for each arm, under one load
  overhead.py loads     the same of `lunscope serve` under every load
  overhead.py cpu       processor time per command: programs, by the kernel's count, and collector
  overhead.py filter    the programs' time per packet of TCP that is not iSCSI
  overhead.py boot      the boot time of a VM, direct, observed and through a proxy
  overhead.py complete  what is counted against the target's count, over a long run
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import signal
import sys
import tempfile
import time

from harness.lunscope import Serve
from harness.process import ROOT, Process, run, wait_until
from harness.tgtd import Tgtd

from arms import ARMS, nothing
from cost import cost_of, cpu_seconds, program_statistics
from loads import LOADS, SATURATING_DEPTH, iscsi_perf_words, other_tcp
from pairs import estimate_of, measure_pairs
from place import TARGET, add_lun, served_lun
from steps import STEPS, spent_under
from switched import measure_switched, steady_load

_SATURATING = "read 4k, depth 32"
# Metrics above 0 if something was not seen, and a metric that may show the reason.
_MISSED = ("events_lost_total", "stream_gaps_total", "unparsed_bytes_total",
           "unmatched_responses_total", "probe_misses_total", "untracked_connections_total",
           "tcp_retransmitted_segments_total")
# A boot behind a proxy that takes longer than this many direct ones has not ended for our purposes.
_BOOT_PATIENCE = 20
_NO_PORT = 1  # nobody's
_MANY_RUNS = 1000  # fewer tell nothing
# What is lost behind a proxy is no matter of one per cent.
_PROXY_PAIRS = 3
_MODES = {"both ends": [], "one end": ["--role", "target"],
          "aggregate, both ends": ["--mode", "aggregate"],
          "aggregate, one end": ["--mode", "aggregate", "--role", "target"]}


def say(text):
    print(text, file=sys.stderr, flush=True)


def compare(base, arms, pairs, unit):
    return show(measure_pairs(base, arms, pairs, say), unit)


def show(results, unit):
    ratios = [estimate_of(name, [arm / first for first, arm in runs])
              for name, runs in results.items()]
    return {"unit": unit, "ratios": print_estimates(ratios, unit), "runs": results}


def print_estimates(estimates, unit):
    print(f"{unit:<26} median  [95 % interval]")
    for estimate in estimates:
        print(estimate)
    return [dataclasses.asdict(estimate) for estimate in estimates]


def under_load(load, arms, options):
    """The ratios of these arms to nothing."""
    with served_lun() as (tgtd, url_by):
        def measured(arm):
            def measure():
                with arm(tgtd.port) as port:
                    return LOADS[load](url_by(port), options.seconds)
            return measure

        LOADS[load](url_by(tgtd.port), 2)  # caches warm, processes paged in
        return compare(measured(nothing), {name: measured(ARMS[name]) for name in arms},
                       options.pairs, load)


def bench_iops(options):
    """A proxy has a port of its own, and so a run of its own."""
    arms = options.arms or ARMS
    proxies = [name for name in arms if name.startswith("proxy")]
    switched = {name: ARMS[name] for name in arms if name not in proxies}
    report = {}
    if switched:
        with served_lun() as (tgtd, url_by), \
                steady_load(tgtd, url_by(tgtd.port), options.seconds, options.one_cpu) as measure:
            report["switched"] = show(measure_switched(measure, switched, options.pairs, say),
                                      f"{_SATURATING}{', one CPU' if options.one_cpu else ''}")
    if proxies:
        options.pairs = min(options.pairs, _PROXY_PAIRS)
        report["proxies"] = under_load(_SATURATING, proxies, options)
    return report


def bench_loads(options):
    arms = options.arms or ["serve, both ends", "serve, target's end"]
    return {load: under_load(load, arms, options) for load in options.loads or LOADS}


def bench_cpu(options):
    report = {}
    with served_lun() as (tgtd, url_by), program_statistics():
        for mode, words in _MODES.items():
            with Serve(tgtd.port, options=words) as serve:
                before = cpu_seconds(serve.process.pid)
                LOADS[_SATURATING](url_by(tgtd.port), options.seconds)
                report[mode] = cost = cost_of(serve, before)
            programs = sum(cost["program_ns"].values())
            print(f"{mode:<22} programs {programs:6.1f} ns  collector {cost['collector_ns']:5.1f} ns"
                  f"  together {programs + cost['collector_ns']:6.1f} ns a command and end"
                  f"  ({cost['commands']:.0f} commands, {cost['records']:.5f} records and"
                  f" {cost['wakeups_per_1000'] / 1000:.6f} wakeups each, lost {cost['lost']:.0f},"
                  f" gaps {cost['gaps']:.0f})")
            for name, spent in sorted(cost["program_ns"].items()):
                if spent:
                    print(f"    {name:<18} {spent:6.1f} ns in {cost['program_runs'][name]:.2f} runs")
    return report


def bench_filter(options):
    """Against empty programs before and after: the kernel's count of a run costs itself."""
    def ns_a_run(step):
        _, spent = spent_under(lambda: other_tcp(options.seconds), _NO_PORT, step)
        return {name: ns / runs for name, (runs, ns) in spent.items() if runs > _MANY_RUNS}

    figures = {}
    with program_statistics():
        before = ns_a_run(STEPS.index("empty programs"))
        for i in range(options.pairs):
            found = ns_a_run(STEPS.index("record"))
            after = ns_a_run(STEPS.index("empty programs"))
            for name, ns in found.items():
                empty = (before[name] + after[name]) / 2
                figures.setdefault(f"{name}, empty", []).append(empty)
                figures.setdefault(f"{name}, A/A", []).append(after[name] - before[name])
                figures.setdefault(f"{name}, lunscope's", []).append(ns - empty)
            say(f"round {i + 1}/{options.pairs}  "
                + "  ".join(f"{name} {ns:.1f}" for name, ns in found.items()))
            before = after
    return {"estimates": print_estimates([estimate_of(*figure) for figure in figures.items()],
                                         "ns a run"), "rounds": figures}


@contextlib.contextmanager
def served_copy(image, arm):
    """A fresh copy of the image behind a tgtd of its own. Gives the LUN's URL."""
    with Tgtd() as tgtd:
        copy = tgtd.folder / "disk.img"
        shutil.copyfile(image, copy)
        url_by = add_lun(tgtd, path=copy)
        with arm(tgtd.port) as port:
            yield url_by(port)


def bench_boot(options):
    with tempfile.TemporaryDirectory(prefix="lunscope-bench-") as folder:
        image = pathlib.Path(folder, "disk.img")
        run([ROOT / "scripts" / "guest", "image", image], timeout=300)

        def boot(name, timeout=300):
            """From QEMU's start to the guest's login line, by scripts/guest."""
            with served_copy(image, ARMS.get(name, nothing)) as url:
                return float(run([ROOT / "scripts" / "guest", "boot", url], timeout=timeout)[1])

        patience = _BOOT_PATIENCE * boot("nothing")
        report = compare(lambda: boot("nothing"),
                         {name: lambda name=name: boot(name) for name in
                          options.arms or ["serve, both ends"]}, options.pairs, "boot time")
        for name in ("proxy", "proxy, TCP_NODELAY"):
            try:
                report[name] = boot(name, patience)
                print(f"{name}: {report[name]:.1f} s")
            except (RuntimeError, TimeoutError) as error:
                report[name] = None
                print(f"{name}: not booted within {patience:.0f} s ({type(error).__name__})")
        return report


def bench_complete(options):
    """tgtd drops its counts with the session, so the initiator is stopped before they are read."""
    with Tgtd() as tgtd:
        target = tgtd.add_target(TARGET)
        lun = target.add_lun()
        words = iscsi_perf_words(options.depth, target.url(lun), options.seconds + 60)
        with Serve(tgtd.port) as serve, Process(words) as initiator:
            time.sleep(options.seconds)
            initiator.signal(signal.SIGSTOP)
            time.sleep(1)
            counted = wait_until(lambda: tgtd.idle_statistics(lun), 20, "tgtd to be idle")
            metrics = serve.settled()
            initiator.signal(signal.SIGCONT)
            initiator.signal(signal.SIGINT)
            if initiator.wait(60) != 0:
                raise RuntimeError(initiator.stderr)
            last = serve.settled()
    counts = {role: metrics.accounts(role) for role in ("initiator", "target")}
    read = metrics.total("read_bytes_total", role="target", lun=str(lun))
    print(f"bytes read: {counted.read_done_bytes} by tgtd's own count,"
          f" {read - counted.read_done_bytes:+.0f} by lunscope's")
    print(f"seen, reported, unreported, in flight: {counts}")
    missed = [(sample.name, sample.labels, sample.value)
              for name in _MISSED for sample in metrics.select(name) if sample.value]
    print(f"missed: {missed or 'nothing'}")
    in_flight = last.total("commands_in_flight")
    unreported = {tuple(sample.labels.items()): sample.value
                  for sample in last.select("commands_unreported_total") if sample.value}
    print(f"after the logout: {in_flight:.0f} in flight, unreported {unreported or 'none'}")
    return {"counts": counts, "missed": missed, "in_flight": in_flight}


# The function of a benchmark, and its default pairs and seconds a run.
BENCHMARKS = {"iops": (bench_iops, 40, 1), "loads": (bench_loads, 5, 3), "cpu": (bench_cpu, 1, 10),
              "filter": (bench_filter, 20, 2), "boot": (bench_boot, 10, 0),
              "complete": (bench_complete, 1, 600)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--arm", dest="arms", action="append", choices=ARMS,
                        help="only this one; may be given again")
    parser.add_argument("--load", dest="loads", action="append", choices=LOADS,
                        help="of loads: only this one; may be given again")
    parser.add_argument("--one-cpu", action="store_true",
                        help="of iops: initiator and target share one CPU, for less noise")
    parser.add_argument("--pairs", type=int, help="pairs per arm")
    parser.add_argument("--seconds", type=int, help="length of a run")
    parser.add_argument("--depth", type=int, default=SATURATING_DEPTH,
                        help="of complete: commands in flight")
    parser.add_argument("--quick", action="store_true", help="one pair of a second: does it run?")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    bench, pairs, seconds = BENCHMARKS[options.name]
    options.pairs = 1 if options.quick else options.pairs or pairs
    options.seconds = 1 if options.quick else options.seconds or seconds
    start = time.monotonic()
    report = bench(options)
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, "
          f"{time.monotonic() - start:.0f} s in all")
    if options.json:
        options.json.write_text(json.dumps({"benchmark": options.name, "report": report}, indent=1))


if __name__ == "__main__":
    main()
