# SPDX-License-Identifier: Apache-2.0
"""Processor time per command: of the programs, by the kernel's own count, and of the collector."""

import contextlib
import ctypes
import os
import pathlib
import platform

from harness.process import text_of

_SYS_BPF = {"x86_64": 321, "aarch64": 280}
_BPF_ENABLE_STATS = 32


def cpu_seconds(pid):
    """On a CPU so far, all threads. The scheduler's own figure: /proc/PID/stat counts whole ticks."""
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(text.split()[0]) for text in map(text_of, tasks) if text) / 1e9


@contextlib.contextmanager
def program_statistics():
    """The kernel counts programs' time meanwhile (bpf(2), BPF_ENABLE_STATS), as long as this process
    lives at most: the sysctl would outlive it.
    """
    run_time = ctypes.c_uint32(0)  # BPF_STATS_RUN_TIME
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(_SYS_BPF[platform.machine()], _BPF_ENABLE_STATS,
                              ctypes.byref(run_time), ctypes.sizeof(run_time))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "the kernel does not count the time of programs")
    try:
        yield
    finally:
        os.close(descriptor)


def cost_of(serve, cpu_before):
    """Per command and observed end: nanoseconds of each program and of the collector, records."""
    cpu = cpu_seconds(serve.process.pid) - cpu_before
    metrics = serve.metrics()
    commands = metrics.total("commands_seen_total")
    programs = {sample.labels["program"]: sample.value / commands * 1e9
                for sample in metrics.select("bpf_run_seconds_total")}
    runs = {sample.labels["program"]: sample.value / commands
            for sample in metrics.select("bpf_runs_total")}
    return {"commands": commands, "program_ns": programs, "program_runs": runs,
            "collector_ns": cpu / commands * 1e9,
            "records": metrics.total("events_total") / commands,
            "wakeups_per_1000": metrics.total("wakeups_total") / commands * 1000,
            "lost": metrics.total("events_lost_total"),
            "gaps": metrics.total("stream_gaps_total")}
