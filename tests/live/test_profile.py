# SPDX-License-Identifier: Apache-2.0
"""The profile of a known workload: fio's jobs through QEMU to tgtd, at both ends.

Each figure is compared with fio's options (a share, a size, a depth, a rate), and with the log of its
requests.
"""

import bisect
import collections
import dataclasses

from harness.capture import Capture
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES
from harness.fio import Fio
from harness.lunscope import Metrics, Serve, replay
from harness.process import wait_until
from harness.tgtd import Tgtd

TARGET = "iqn.2024-01.org.lunscope.test:profile"
BLOCK = 512
TOLERANCE = 0.02
SIZE = "256M"
DEPTH = 16
REQUESTS = 4000
JOB_SECONDS = 120
SEEK_BOUNDS = [4 ** i for i in range(16)]
REMEMBERED = 16
# Each read and write of the backing file takes this long, so that nothing else of a command counts.
# -D: strace is the child of tgtd, and ends with it.
SLOW_US = 800_000
SLOW_TARGET = f"{TARGET}-slow"
SLOW = ("strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null",
        "-e", "trace=pread64,pwrite64",
        "-e", f"inject=pread64,pwrite64:delay_enter={SLOW_US}")


@dataclasses.dataclass(frozen=True)
class Job:
    """The options of fio, and the figures that follow from them."""

    words: list
    size: int
    reads: float  # share of reads
    aligned: float  # share of requests that begin and end at 4 KiB
    sequential: float = 0  # share of requests that begin where one of the last ended
    fua: float = 0  # share of writes
    cache: str = "none"


MIXED = ["--rw=randrw", "--rwmixread=70"]
JOBS = {
    "random 70/30, 4k, aligned": Job([*MIXED, "--bs=4k"], 4096, 0.7, 1),
    "random 70/30, 4k, at any block": Job([*MIXED, "--bs=4k", "--blockalign=512"], 4096, 0.7,
                                          1 / 8),
    "random 70/30, 64k, aligned": Job([*MIXED, "--bs=64k", "--blockalign=4k"], 65536, 0.7, 1),
    "random 70/30, 64k, at any block": Job([*MIXED, "--bs=64k", "--blockalign=512"], 65536, 0.7,
                                           1 / 8),
    "sequential reads, 4k": Job(["--rw=read", "--bs=4k"], 4096, 1, 1, 1),
    "reads, 40 % of them random, 4k": Job(["--rw=randread", "--percentage_random=40", "--bs=4k"],
                                          4096, 1, 1, 0.6),
    "writes with FUA, 4k": Job(["--rw=randwrite", "--bs=4k"], 4096, 0, 1, 0, 1, "writethrough"),
}


class Log:
    """The figures of fio's log of its requests."""

    def __init__(self, requests):
        self.counts = collections.Counter(request.direction for request in requests)
        self.aligned = sum(request.offset % 4096 == 0 and request.bytes % 4096 == 0
                           for request in requests)
        self.sequential = 0
        self.seeks = {"forward": [], "backward": []}
        ends = collections.deque(maxlen=REMEMBERED)
        for request in requests:
            first = request.offset // BLOCK
            self.sequential += first in ends
            if ends:
                distance = first - (ends[-1] - 1)
                self.seeks["forward" if distance > 0 else "backward"].append(abs(distance))
            ends.append(first + request.bytes // BLOCK)


class Profile(LiveTest):

    def check_close(self, found, expected, what, whole=None):
        """Within the tolerance of what is expected, or of the whole of which it is a part."""
        self.assertAlmostEqual(found, expected, delta=TOLERANCE * (whole or expected), msg=what)


class Workload(Profile, TgtdTest):

    TARGET = f"{TARGET}-0"

    def test_known_jobs(self):
        serve = self.serve("--profile")
        for number, (name, job) in enumerate(JOBS.items(), 1):
            target = self.tgtd.add_target(f"{TARGET}-{number}")
            with self.subTest(name), self.run_job(job, target) as fio:
                figures = fio.finish(JOB_SECONDS)
                self.check(serve.settled(), job, figures, Log(fio.requests()), target)

    def test_a_capture_of_one(self):
        job = JOBS["random 70/30, 4k, at any block"]
        with Capture(self.tgtd.port) as capture:
            with self.run_job(job, self.target) as fio:
                figures = fio.finish(JOB_SECONDS)
                log = Log(fio.requests())
            capture.stop()
            _, out, _ = replay(capture.file, "--port", self.tgtd.port, "--role", "both", "-o",
                               "metrics", "--profile")
        self.check(Metrics(out), job, figures, log, self.target)

    def run_job(self, job, target):
        return Fio(target.url(target.add_lun(256 << 20)), *job.words, f"--size={SIZE}",
                   f"--io_size={REQUESTS * job.size}", f"--iodepth={DEPTH}", "--norandommap",
                   "--randseed=1", cache=job.cache)

    def check(self, metrics, job, figures, log, target):
        for role in ROLES:
            of = {"role": role, "target": target.name}
            self.check_options(metrics, job, of)
            self.check_log(metrics, figures, log, of)
            self.check_seeks(metrics, log, of)

    def check_options(self, metrics, job, of):
        reads, writes = (metrics.total("commands_total", operation=operation, **of)
                         for operation in ("read", "write"))
        both = reads + writes
        self.check_close(reads / both, job.reads, "share of reads", 1)
        self.check_close(metrics.total("commands_by_alignment_total", alignment="aligned", **of),
                         job.aligned * both, "aligned", both)
        self.check_close(metrics.total("sequential_commands_total", **of), job.sequential * both,
                         "sequential", both)
        self.check_close(metrics.total("fua_commands_total", **of), job.fua * writes, "FUA", both)
        for operation, commands in (("read", reads), ("write", writes)):
            self.check_close(metrics.total("command_size_bytes_sum", operation=operation, **of),
                             job.size * commands, "size")

    def check_log(self, metrics, figures, log, of):
        """Nothing between fio and the LUN made two requests of one, so these are the same."""
        for operation in ("read", "write"):
            of_operation = {"operation": operation, **of}
            commands = metrics.total("commands_total", **of_operation)
            self.assertEqual(commands, log.counts[operation])
            self.assertEqual(commands, figures[operation]["total_ios"])
            self.assertEqual(metrics.total("interarrival_seconds_count", **of_operation), commands)
        self.assertEqual(metrics.total("commands_by_alignment_total", alignment="aligned", **of),
                         log.aligned)
        self.assertEqual(metrics.total("commands_by_alignment_total", alignment="unknown", **of), 0)
        self.assertEqual(metrics.total("unordered_commands_total", **of), 0)
        self.check_close(metrics.total("sequential_commands_total", **of), log.sequential,
                         "sequential", sum(log.counts.values()))

    def check_seeks(self, metrics, log, of):
        whole = sum(log.counts.values())
        for direction, distances in log.seeks.items():
            of_direction = {"direction": direction, **of}
            counts = collections.Counter(bisect.bisect_left(SEEK_BOUNDS, distance)
                                         for distance in distances)
            expected = 0
            for i, bound in enumerate(SEEK_BOUNDS):
                expected += counts[i]
                found = metrics.total("seek_distance_blocks_bucket", le=str(bound), **of_direction)
                self.check_close(found, expected, (direction, bound), whole)
            self.check_close(metrics.total("seek_distance_blocks_sum", **of_direction),
                             sum(distances), direction)


class Course(Profile, TgtdTest):
    """Figures of a job that runs, between two scrapes: its beginning and end are left out."""

    TARGET = TARGET

    def watch(self, url, port, words, steps):
        """The metrics when so many reads have begun, and the requests."""
        with Serve(port, options=["--profile"]) as serve, Fio(
                url, "--rw=randread", "--bs=4k", f"--size={SIZE}", "--randseed=1", *words) as fio:
            def reached(reads):
                metrics = serve.metrics()
                found = metrics.total("interarrival_seconds_count", operation="read",
                                      role="initiator")
                return metrics if found >= reads else None
            seen = [wait_until(lambda: reached(reads), JOB_SECONDS, f"{reads} reads")
                    for reads in steps]
            fio.finish(JOB_SECONDS)
            return seen, fio.requests()

    def growth(self, seen, name, **labels):
        before, after = (metrics.total(name, **labels) for metrics in seen)
        return after - before

    def test_depth(self):
        with Tgtd(prefix=SLOW) as tgtd:
            target = tgtd.add_target(SLOW_TARGET)
            seen, _ = self.watch(target.url(target.add_lun(256 << 20)), tgtd.port,
                                 [f"--iodepth={DEPTH}", f"--io_size={4096 * 260}"], [48, 200])
        for role in ROLES:
            time = self.growth(seen, "queue_depth_count", role=role)
            self.check_close(self.growth(seen, "queue_depth_sum", role=role) / time, DEPTH,
                             (role, "mean depth"))
            deep, shallow = (self.growth(seen, "queue_depth_bucket", role=role, le=str(depth))
                             for depth in (DEPTH, DEPTH // 2))
            self.check_close((deep - shallow) / time, 1, (role, "time at more than half of it"))

    def test_interarrival(self):
        """fio keeps a rate on the average, and its log has the time of each request."""
        rate = 200
        seen, requests = self.watch(self.url, self.tgtd.port,
                                    [f"--rate_iops={rate}", f"--io_size={4096 * rate * 7}"],
                                    [rate, rate * 6])
        self.check_close((requests[-1].time_us - requests[0].time_us) / 1e6,
                         (len(requests) - 1) / rate, "fio's own rate")
        for role in ROLES:
            first, last = (int(metrics.total("interarrival_seconds_count", role=role,
                                             operation="read")) - 1 for metrics in seen)
            self.check_close(self.growth(seen, "interarrival_seconds_sum", role=role),
                             (requests[last].time_us - requests[first].time_us) / 1e6, role)


if __name__ == "__main__":
    main()
