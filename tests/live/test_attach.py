# SPDX-License-Identifier: Apache-2.0
"""lunscope started in the middle of saturated sessions: it finds the boundaries by itself.

iscsi-perf sends one command after the other with ascending CmdSN, so what is seen of it must be one
unbroken row; a PDU that was missed or invented breaks the row. So does the NOP-Out that
libiscsi sends now and then, which is no command and takes a CmdSN all the same.

LUNSCOPE_ATTACHES sets how often test_nothing_is_left_behind attaches and detaches (40).
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import threading
import time

from harness.capture import Capture
from harness.case import TgtdTest, main
from harness.compare import ROLES, answered
from harness.lunscope import Serve, Trace
from harness.pdus import read_10
from harness.perf import Perf, read_with_perf
from harness.process import run, wait_until
from harness.scripted import BLOCK, Initiator
from harness.tgtd import Tgtd
from harness.witness import measure

ATTACHES = 13  # of each kind of iscsi-perf, more than 50 in all
COMMANDS = 2000
# No tool here asks for data digests; a script does, and is slower.
SCRIPTED_ATTACHES, SCRIPTED_COMMANDS = 6, 600
CAPTURED_COMMANDS = 5000
COUNT_SECONDS = 60
IN_SYNC_BYTES = 256 << 10  # both ways: four times what it took at most
NOP_OUT_SECONDS = 5  # between two NOP-Outs of iscsi-perf
LUN_BYTES = 16 << 20
OFTEN = int(os.environ.get("LUNSCOPE_ATTACHES", "40"))


def capture_of_iscsi(folder, digest):
    """A file of LUN_BYTES that holds captured iSCSI sessions with or without digests."""
    path = folder / f"payload{len(digest)}.img"
    with Tgtd() as tgtd:
        target = tgtd.add_target("iqn.2026-01.org.lunscope.test:captured")
        url = target.url(target.add_lun())
        with Capture(tgtd.port) as capture:
            read_with_perf(tgtd, url + digest, CAPTURED_COMMANDS, "-b", 1, "-m", 32)
            capture.stop()
            shutil.copyfile(capture.file, path)
    captured = path.read_bytes()
    assert b"\x25\x81" in captured, "no Data-In in the capture"
    path.write_bytes((captured * (LUN_BYTES // len(captured) + 1))[:LUN_BYTES])
    return path


def ownerless_objects():
    """{(kind, id)} of the BPF objects that no process has open; others may be at work here."""
    return {(kind, found["id"]) for kind in ("prog", "map", "link")
            for found in json.loads(run(["bpftool", "-j", kind, "show"])[1])
            if not found.get("pids")}


def storage_bytes(port):
    """Bytes that the sockets of a port, at both ends, are charged for besides their traffic."""
    _, sockets, _, _ = run(["ss", "-tanmOH", f"( sport = :{port} or dport = :{port} )"])
    return sum(map(int, re.findall(r"skmem:\([^)]*\bo(\d+)", sockets)))


@contextlib.contextmanager
def reading(port, target, header_digest, data_digest):
    """A scripted initiator that reads block after block, 32 at a time, as long as this lasts."""
    stop = threading.Event()

    def read(initiator):
        while not stop.is_set():
            initiator.run([(read_10(lba, 1), BLOCK) for lba in range(32)])

    with Initiator(port) as initiator:
        initiator.login(b"iqn.2026-01.org.lunscope.test:reader", target.encode(), header_digest,
                        data_digest)
        thread = threading.Thread(target=read, args=(initiator,))
        thread.start()
        try:
            yield thread
        finally:
            stop.set()
            thread.join(60)


class Attach(TgtdTest):
    TARGET = "iqn.2026-01.org.lunscope.test:attach"
    LUNS = 0

    def attach(self, role, command, count):
        """Trace so many commands of a running session. Returns the metrics of a Serve beside it,
        and how many CmdSN the row of commands is short of.
        """
        with Serve(self.tgtd.port, options=["--role", role]) as serve, \
                Trace(self.tgtd.port, options=["--count", count, "--role", role]) as trace:
            wait_until(lambda: not trace.process.running, COUNT_SECONDS, f"commands of the {role}")
            metrics = serve.metrics()
            _, lost = trace.stop()
            records = trace.records()
        self.assertEqual(lost, 0)
        numbers = sorted(record["cmdsn"] for record in records)
        # Commands end out of order: the first and the last few are of a row that goes on.
        inner = [n for n in numbers if numbers[0] + 64 <= n <= numbers[-1] - 64]
        self.assertGreater(len(inner), count / 2)
        self.assertEqual(len(set(inner)), len(inner), f"a command of the {role} twice")
        self.assertEqual({(record["command"], record["status"]) for record in answered(records)},
                         {(command, "Good")})
        # The answers by which boundaries were found are over when these are proven.
        self.assertLessEqual({record["no_status"] for record in records if "no_status" in record},
                             {"gap"})
        return metrics, inner[-1] + 1 - inner[0] - len(inner)

    def check(self, path, digest):
        url = self.target.url(self.target.add_lun(path=path)) + digest
        perf = self.use(Perf(url, "-b", 8, "-m", 32, "-r"))
        self.tgtd.wait_for_commands(1)
        began = time.monotonic()
        gaps = self.attach_often(ATTACHES, "Read(16)", COMMANDS)
        self.assertLessEqual(gaps, 1 + (time.monotonic() - began) // NOP_OUT_SECONDS)
        self.assertTrue(perf.running, perf.stderr)

    def attach_often(self, times, command, count):
        """Attach in turn at both ends. Returns how many CmdSN all the rows are short of."""
        unparsed, short_of = [], 0
        for i in range(times):
            metrics, missing = measure(lambda: self.attach(ROLES[i % 2], command, count),
                                       self.tgtd.port, is_whole=False)
            unparsed.append(metrics.total("unparsed_bytes_total"))
            short_of += missing
        print(f"{times} attaches, in sync after at most {max(unparsed):.0f} bytes")
        self.assertLess(max(unparsed), IN_SYNC_BYTES)
        return short_of

    def test_nothing_is_left_behind(self):
        """Attached and detached under load: the kernel is as before, and so is the traffic."""
        url = self.target.url(self.target.add_lun())
        tainted = pathlib.Path("/proc/sys/kernel/tainted").read_text()
        before = ownerless_objects()
        # Nice to the observer, for a start takes an emulated machine long enough as it is.
        perf = self.use(Perf(url, "-b", 8, "-m", 32, "-r", prefix=["nice"]))
        self.tgtd.wait_for_commands(1)
        self.assertEqual(storage_bytes(self.tgtd.port), 0)
        most = 0
        for _ in range(OFTEN):
            with Trace(self.tgtd.port, options=["--count", 100]) as trace:
                wait_until(lambda: not trace.process.running or trace.process.stdout, 60,
                           "commands")
                most = max(most, storage_bytes(self.tgtd.port))
                commands, lost = trace.stop()
            self.assertGreater(commands, 0)
            self.assertEqual(lost, 0)
        self.assertGreater(most, 0, "no storage was ever charged")
        wait_until(lambda: ownerless_objects() <= before, 20, "programs, maps and links to go")
        wait_until(lambda: not storage_bytes(self.tgtd.port), 20, "the sockets' storage to go")
        perf.finish()
        self.assertNotRegex(perf.stdout.decode() + perf.stderr, r"(?i)fail|error|busy [^0]")
        self.assertEqual(pathlib.Path("/proc/sys/kernel/tainted").read_text(), tainted)

    def test_data_digests(self):
        self.target.add_lun()
        for header_digest in (b"None", b"CRC32C"):
            with reading(self.tgtd.port, self.target.name, header_digest, b"CRC32C") as thread:
                gaps = self.attach_often(SCRIPTED_ATTACHES, "Read(10)", SCRIPTED_COMMANDS)
                self.assertEqual(gaps, 0)
                self.assertTrue(thread.is_alive())

    def test_zeros(self):
        self.check(None, "")

    def test_zeros_with_header_digests(self):
        self.check(None, "?header_digest=crc32c")

    def test_a_capture_as_payload(self):
        self.check(capture_of_iscsi(self.tgtd.folder, ""), "")

    def test_a_capture_as_payload_with_header_digests(self):
        digest = "?header_digest=crc32c"
        self.check(capture_of_iscsi(self.tgtd.folder, digest), digest)


if __name__ == "__main__":
    main()
