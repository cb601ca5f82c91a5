# SPDX-License-Identifier: Apache-2.0
"""The loads, which make the traffic.

A load runs at a URL for some seconds and returns operations a second.
"""

import contextlib
import re
import socket
import threading
import time

from harness.libiscsi import Libiscsi
from harness.process import run

_INITIATOR = "iqn.2026-01.org.lunscope:bench"
_AVERAGE = re.compile(r"iops average (\d+)")
_RUN_COMPLETED = re.compile(r"Run completed in ([\d.]+) seconds")
_SLACK_SECONDS = 60
SATURATING_DEPTH = 32


def iscsi_perf_words(depth, url, seconds):
    """Sequential 4 KiB reads."""
    return ["iscsi-perf", "-i", _INITIATOR, "-b", 8, "-m", depth, "-t", seconds, url]


def iscsi_perf(depth, prefix=()):
    """By iscsi-perf's own count. prefix: words before the command."""
    def load(url, seconds):
        _, output, _, _ = run([*prefix, *iscsi_perf_words(depth, url, seconds)],
                              timeout=seconds + _SLACK_SECONDS)
        return float(_AVERAGE.findall(output)[-1])
    return load


def qemu_img(kibibytes, depth, *options):
    """`qemu-img bench` through QEMU's iSCSI driver; it counts operations, not seconds."""
    rate = []

    def bench(url, count):
        _, output, _, _ = run(["qemu-img", "bench", "-f", "raw", "-t", "none", "-c", count,
                               "-d", depth, "-s", f"{kibibytes}k", *options, url],
                              timeout=600)
        return count / float(_RUN_COMPLETED.search(output)[1])

    def load(url, seconds):
        if not rate:
            rate.append(bench(url, 500))
        return bench(url, max(100, int(rate[0] * seconds)))
    return load


def latency(quantile):
    """4 KiB reads, one after the other: how many a second there were if all took as long as this
    quantile of them.
    """
    def load(url, seconds):
        portal, target, lun = url.removeprefix("iscsi://").split("/")
        took = []
        with Libiscsi(_INITIATOR, portal, target) as session:
            session.wait_until_ready(int(lun))
            begin = time.perf_counter()
            end = begin + seconds
            while begin < end:
                session.command("read10", int(lun), 0, 4096, 512, *[0] * 5)
                took.append(time.perf_counter() - begin)
                begin = time.perf_counter()
        return 1 / sorted(took)[int(quantile * len(took))]
    return load


LOADS = {
    "read 4k, depth 32": iscsi_perf(SATURATING_DEPTH),
    "read 4k, depth 1": iscsi_perf(1),
    "latency at depth 1, p50": latency(0.5),
    "latency at depth 1, p99": latency(0.99),
    "QEMU, read 4k, depth 16": qemu_img(4, 16),
    "QEMU, write 4k, depth 16": qemu_img(4, 16, "-w"),
    "QEMU, read 64k, depth 16": qemu_img(64, 16),
    "QEMU, write 64k, depth 16": qemu_img(64, 16, "-w"),
    "QEMU, read 1M, depth 4": qemu_img(1024, 4),
    "QEMU, write 1M, depth 4": qemu_img(1024, 4, "-w"),
}


def _drain(listener):
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        while connection.recv(1 << 16):
            pass


def other_tcp(seconds):
    """Bytes over the loopback, on ports that nobody watches; returns how many."""
    sent, block = 0, bytes(1 << 14)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = threading.Thread(target=_drain, args=(listener,))
        reader.start()
        with socket.create_connection(listener.getsockname()) as sender:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                sender.sendall(block)
                sent += len(block)
        reader.join()
    return sent
