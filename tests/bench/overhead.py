#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What lunscope costs: IOPS kept at saturation, and the boot time of a VM.

  overhead.py iops   iscsi-perf, 4 KiB reads, depth 32, tgtd on the same host (both ends observed)
  overhead.py boot   QEMU boots the demo's guest from tgtd

Prints a table and writes JSON (--json FILE). Nothing here asserts: figures are for docs/OVERHEAD.md.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import re
import shutil
import sys
import tempfile
import time

_ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_ROOT / "tests" / "live"))

# pylint: disable=wrong-import-position
from harness import run  # noqa: E402
from lunscope import Serve  # noqa: E402
from pairs import measure_pairs, ratio_of  # noqa: E402
from tgtd import Tgtd  # noqa: E402

_AVERAGE = re.compile(r"iops average (\d+)")


def cpu_seconds(pid):
    """On a CPU so far, all threads. The scheduler's own figure: /proc/PID/stat counts whole ticks."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def say(text):
    print(text, file=sys.stderr, flush=True)


def iops(url, seconds):
    """Average IOPS of one iscsi-perf run, by its own count."""
    _, output, _, _ = run(["iscsi-perf", "-i", "iqn.2026-01.org.lunscope:bench", "-b", 8, "-m", 32,
                           "-t", seconds, url], timeout=seconds + 30)
    return float(_AVERAGE.findall(output)[-1])


@dataclasses.dataclass
class Costs:
    """What the collector said of itself, summed over the observed runs."""

    commands: int = 0
    command_records: int = 0
    records: int = 0
    wakeups: int = 0
    lost: int = 0
    gaps: int = 0
    cpu_seconds: float = 0

    def add(self, serve, cpu_before):
        """A run is over; cpu_before is what the collector had used when it began."""
        metrics = serve.metrics()
        self.commands += int(metrics.total("commands_seen_total"))
        self.command_records += int(metrics.total("commands_reported_total"))
        self.records += int(metrics.total("events_total"))
        self.wakeups += int(metrics.total("wakeups_total"))
        self.lost += int(metrics.total("events_lost_total"))
        self.gaps += int(metrics.total("stream_gaps_total"))
        self.cpu_seconds += cpu_seconds(serve.process.pid) - cpu_before

    def lines(self):
        per_command = 1 / max(self.commands, 1)
        return [f"commands seen             {self.commands}",
                f"command records per cmd.  {self.command_records * per_command:.5f}",
                f"all records per command   {self.records * per_command:.5f}",
                f"wakeups per 1,000         {1000 * self.wakeups * per_command:.4f}",
                f"collector CPU per command {1e9 * self.cpu_seconds * per_command:.0f} ns",
                f"records lost, gaps        {self.lost}, {self.gaps}"]


def compare(base, observed, pairs, unit):
    results = measure_pairs(base, {"lunscope serve": observed}, pairs, say)
    ratios = [ratio_of(name, [arm / first for first, arm in runs])
              for name, runs in results.items()]
    print(f"{unit} with / without{'':<10} median  [95 % interval]")
    for ratio in ratios:
        print(ratio)
    return {"ratios": [dataclasses.asdict(ratio) for ratio in ratios], "runs": results}


def bench_iops(options):
    costs = Costs()
    with Tgtd() as tgtd:
        target = tgtd.add_target("iqn.2026-01.org.lunscope:bench")
        url = target.url(target.add_lun())

        def observed():
            with Serve(tgtd.port) as serve:
                loaded = cpu_seconds(serve.process.pid)
                result = iops(url, options.seconds)
                costs.add(serve, loaded)
                return result

        iops(url, 2)  # caches warm, processes paged in
        report = compare(lambda: iops(url, options.seconds), observed, options.pairs, "IOPS")
    print("\n".join(costs.lines()))
    return {**report, "costs": dataclasses.asdict(costs)}


@contextlib.contextmanager
def served_copy(image):
    """A fresh copy of the image behind a tgtd of its own. Gives the port and the LUN's URL."""
    with Tgtd() as tgtd:
        copy = tgtd.folder / "disk.img"
        shutil.copyfile(image, copy)
        target = tgtd.add_target("iqn.2026-01.org.lunscope:boot")
        yield tgtd.port, target.url(target.add_lun(path=copy))


def boot_seconds(url):
    """From QEMU's start to the guest's login line, by scripts/guest."""
    return float(run([_ROOT / "scripts" / "guest", "boot", url], timeout=300)[1])


def bench_boot(options):
    with tempfile.TemporaryDirectory(prefix="lunscope-bench-") as folder:
        image = pathlib.Path(folder, "disk.img")
        run([_ROOT / "scripts" / "guest", "image", image], timeout=300)

        def direct():
            with served_copy(image) as (_, url):
                return boot_seconds(url)

        def observed():
            with served_copy(image) as (port, url), Serve(port):
                return boot_seconds(url)

        direct()
        return compare(direct, observed, options.pairs, "boot time")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=["iops", "boot"])
    parser.add_argument("--pairs", type=int, help="pairs per arm (default: iops 20, boot 5)")
    parser.add_argument("--seconds", type=int, default=5, help="length of an iscsi-perf run")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    options.pairs = options.pairs or {"iops": 20, "boot": 5}[options.name]
    start = time.monotonic()
    report = {"iops": bench_iops, "boot": bench_boot}[options.name](options)
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, "
          f"{time.monotonic() - start:.0f} s in all")
    if options.json:
        options.json.write_text(json.dumps({"benchmark": options.name, **report}, indent=1))


if __name__ == "__main__":
    main()
