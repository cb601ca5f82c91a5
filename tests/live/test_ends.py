# SPDX-License-Identifier: Apache-2.0
"""How lunscope ends: by a signal within a second, whatever others do, and with nothing left.

The second is that of a machine at rest; each run prints the longest end. A slow machine has more,
for what is held against it here is that lunscope waits for somebody.
"""

import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from harness.case import TgtdTest, main
from harness.lunscope import Serve, Trace
from harness.perf import read_with_perf
from harness.process import LUNSCOPE, Process, free_port, run, text_of, wait_until

SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
WAIT_SECONDS = 60
END_SECONDS = 4
MANY = 2000  # commands, whose lines are more than a pipe holds
ATTACH_SECONDS = 0.6
MOMENTS = 8  # of an attach, at which a signal comes
FAILURE = 1
WRITTEN = "cannot write to standard output"
# Subcommands that print; {web}: where a `lunscope serve` listens.
PRINTING = ("version", "metrics", "metrics -o json", "check", "check -o json", "--help",
            "trace --help", "sessions --web.listen-address {web}",
            "sessions -o json --web.listen-address {web}")


def programs():
    """The ids of all BPF programs in the kernel."""
    return {program["id"] for program in json.loads(run(["bpftool", "-j", "prog", "list"])[1])}


def programs_of(pid):
    """The ids of those that this process holds, directly or by a link."""
    found = set()
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        found |= {int(number) for number in
                  re.findall(r"^prog_id:\s*(\d+)$", text_of(info), re.MULTILINE)}
    return found


class Ends(TgtdTest):

    def check_end(self, process, number):
        """Returns its exit code."""
        process.signal(number)
        seconds = process.seconds_to_end(WAIT_SECONDS)
        self.longest = max(self.longest, seconds)
        self.assertLess(seconds, END_SECONDS)
        return process.wait(1)

    def setUp(self):
        super().setUp()
        self.longest = 0

    def tearDown(self):
        print(f"longest end: {self.longest:.3f} s", file=sys.stderr)
        super().tearDown()

    def start(self, *words, **options):
        return self.use(Process([LUNSCOPE, *words], **options))

    def test_by_a_signal(self):
        for runner in Trace, Serve:
            for number in SIGNALS:
                with self.subTest(runner.__name__, signal=number.name), \
                        runner(self.tgtd.port) as running:
                    run(["iscsi-inq", self.url])
                    self.assertEqual(self.check_end(running.process, number), 0,
                                     running.process.stderr)
                    if runner == Trace:
                        # It drains the rings before it prints; the last line has the commands.
                        self.assertGreater(len(running.records()), 0)
                        self.assertRegex(running.process.stderr.splitlines()[-1],
                                         rf"\b{len(running.records())} commands, 0 lost")

    def test_while_it_attaches(self):
        chance = random.Random(17)
        before = programs()
        for words in ["trace"], ["serve", "--web.listen-address", f"127.0.0.1:{free_port()}"]:
            for number in SIGNALS:
                for _ in range(MOMENTS):
                    seconds = chance.random() * ATTACH_SECONDS
                    with self.subTest(words[0], signal=number.name, seconds=seconds):
                        process = self.start(*words, "--port", self.tgtd.port)
                        time.sleep(seconds)
                        # Before it has begun to attach, the signal ends it as it does any program.
                        self.assertIn(self.check_end(process, number), (0, -number), process.stderr)
        wait_until(lambda: programs() <= before, WAIT_SECONDS, "the programs to be gone")

    def test_while_nobody_reads_its_output(self):
        for options in [], ["--pdu", "-o", "json"], ["--summary"]:
            for number in SIGNALS:
                with self.subTest(options=options, signal=number.name):
                    self.check_unread(options, number)

    def check_unread(self, options, number):
        with tempfile.TemporaryDirectory() as folder:
            errors = pathlib.Path(folder, "errors")
            reader, writer = os.pipe()
            with open(reader, "rb"), errors.open("wb") as to_errors:
                with open(writer, "wb") as to_nobody:
                    traced = self.use(subprocess.Popen(
                        [LUNSCOPE, "trace", "--port", str(self.tgtd.port), *options],
                        stdout=to_nobody, stderr=to_errors))
                self.addCleanup(traced.kill)
                wait_until(lambda: b"watching" in errors.read_bytes(), WAIT_SECONDS, "the programs")
                read_with_perf(self.tgtd, self.url, MANY, "-m", 32)
                began = time.monotonic()
                traced.send_signal(number)
                self.assertEqual(traced.wait(WAIT_SECONDS), FAILURE)
                self.assertLess(time.monotonic() - began, END_SECONDS)  # here 0.6
            self.assertIn(WRITTEN, errors.read_text())

    def test_while_it_waits_for_others(self):
        """For a server that does not answer, and for a capture that nobody writes."""
        listener = self.use(socket.create_server(("127.0.0.1", 0)))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with tempfile.TemporaryDirectory() as folder:
            fifo = pathlib.Path(folder, "fifo")
            os.mkfifo(fifo)
            for words in ["sessions", "--web.listen-address", address], ["replay", fifo]:
                for number in SIGNALS:
                    with self.subTest(words[0], signal=number.name):
                        process = self.start(*words)
                        time.sleep(0.2)
                        self.assertEqual(self.check_end(process, number), -number)

    def test_output_that_cannot_be_written(self):
        with Serve(self.tgtd.port) as serve, open("/dev/full", "wb") as full:
            for words in PRINTING:
                with self.subTest(words):
                    done = subprocess.run([LUNSCOPE, *words.format(web=serve.address).split()],
                                          stdout=full, stderr=subprocess.PIPE, timeout=WAIT_SECONDS,
                                          check=False)
                    self.assertEqual(done.returncode, FAILURE)
                    self.assertIn(WRITTEN, done.stderr.decode())
            # A trace ends by itself when its first line has no room.
            traced = subprocess.run([LUNSCOPE, "trace", "--port", str(self.tgtd.port)], stdout=full,
                                    stderr=subprocess.PIPE, timeout=WAIT_SECONDS, check=False)
            self.assertEqual(traced.returncode, FAILURE)
            self.assertIn(WRITTEN, traced.stderr.decode())

    def test_kill_leaves_no_program_in_the_kernel(self):
        with Serve(self.tgtd.port) as serve:
            mine = programs_of(serve.process.pid)
            self.assertGreater(len(mine), 0)
            self.assertLessEqual(mine, programs())
            serve.process.kill()
            wait_until(lambda: not mine & programs(), WAIT_SECONDS, f"programs {mine} to be gone")


if __name__ == "__main__":
    main()
