#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lunscope replay` beside `tshark -z scsi,srt`, on one capture of real commands.

Prints packets per second and the largest resident memory of each, and the ratios; writes JSON
(--json FILE). Nothing here asserts a figure.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from harness.capture import Capture
from harness.process import LUNSCOPE, run

from loads import iscsi_perf_words
from pairs import estimate_of, measure_pairs
from place import served_lun

_DEPTH = 32
_ARMS = {"replay": (), "replay -o json": ("-o", "json"), "replay -o metrics": ("-o", "metrics")}


def say(text):
    print(text, file=sys.stderr, flush=True)


def spent(words):
    """(seconds, KiB at most) of a program that runs to its end."""
    began = time.monotonic()
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{words} ended with {process.returncode}")
    return time.monotonic() - began, usage.ru_maxrss


def packets_of(path):
    return int(run(["capinfos", "-M", "-T", "-r", "-c", path], timeout=600)[1].split()[-1])


class Readers:
    """Functions that give packets a second, and the memory that each took at most."""

    def __init__(self, path, port):
        self.path, self.port = path, port
        self.packets = packets_of(path)
        self.memory_kib = {}

    def tshark(self):
        return self.measure("tshark", ["tshark", "-q", "-n", "-r", self.path, "-d",
                                       f"tcp.port=={self.port},iscsi", "-z", "scsi,srt,0"])

    def replay(self, name):
        return self.measure(name, [LUNSCOPE, "replay", self.path, "--port", self.port,
                                   *_ARMS[name]])

    def measure(self, name, words):
        seconds, kib = spent(words)
        self.memory_kib[name] = max(kib, self.memory_kib.get(name, 0))
        return self.packets / seconds


@contextlib.contextmanager
def captured_commands(seconds):
    """A capture of commands that read for so long, and the target's port."""
    with served_lun() as (tgtd, url_by), Capture(tgtd.port) as capture:
        run(iscsi_perf_words(_DEPTH, url_by(tgtd.port), seconds), timeout=seconds + 60)
        capture.stop()
        yield capture.file, tgtd.port


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="length of the capture")
    parser.add_argument("--quick", action="store_true", help="a smoke run: the figures mean little")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure here")
    options = parser.parse_args()
    if options.quick:
        options.pairs, options.seconds = 1, 1
    with captured_commands(options.seconds) as (path, port):
        readers = Readers(path, port)
        arms = {name: lambda name=name: readers.replay(name) for name in _ARMS}
        results = measure_pairs(readers.tshark, arms, options.pairs, say)
    print(f"{readers.packets} packets; packets a second against tshark's:")
    for name, runs in results.items():
        print(estimate_of(name, [arm / base for base, arm in runs]))
    rates = {"tshark": [base for runs in results.values() for base, _ in runs],
             **{name: [arm for _, arm in results[name]] for name in _ARMS}}
    for name, values in rates.items():
        print(f"{name:<24} {statistics.median(values) / 1e3:9.0f} k packets/s "
              f"{readers.memory_kib[name] / 1024:9.1f} MiB at most")
    if options.json:
        options.json.write_text(json.dumps({"benchmark": "replay", "packets": readers.packets,
                                            "runs": results, "memory_kib": readers.memory_kib},
                                           indent=1), encoding="ascii")


if __name__ == "__main__":
    main()
