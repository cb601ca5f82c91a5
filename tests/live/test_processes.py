# SPDX-License-Identifier: Apache-2.0
"""The process at this host's end of a connection: its guest, control group, network namespace.

In a namespace and in control groups of the test's own; compared with what /proc says of the
processes that the test started.

LUNSCOPE_CONTROL_GROUPS sets how many control groups a host of many has (2000).
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from harness.case import LiveTest, main
from harness.control_group import control_group, in_group
from harness.compare import role_of
from harness.lunscope import Serve, Trace
from harness.process import Process, run, wait_until
from harness.tgtd import Tgtd

CONTROL_GROUPS = int(os.environ.get("LUNSCOPE_CONTROL_GROUPS", "2000"))
DEAD_READERS = 12
SCRAPING_SECONDS = 2
HELD_UP_SECONDS = 4  # on a slow machine; here 0.1
TARGET = "iqn.2024-01.org.lunscope.test:processes"
GUEST = "guest of a test"
# QEMU opens the disk and, stopped before its first instruction, keeps it.
QEMU = ("qemu-system-x86_64 -accel tcg -machine q35 -nodefaults -display none -S -nic none -drive "
        "file={url},if=none,id=disk,format=raw -device virtio-blk-pci,drive=disk -name").split()


@contextlib.contextmanager
def namespace():
    """A network namespace with a name and a loopback device; yields the name and what to put in
    front of a command that is to run in it."""
    name = f"lunscope-test-{os.getpid()}"
    run(["ip", "netns", "add", name])
    try:
        # Not by ip-netns: that remounts the root, which in a chroot is no mount.
        inside = ["nsenter", f"--net=/run/netns/{name}"]
        run([*inside, "ip", "link", "set", "lo", "up"])
        yield name, inside
    finally:
        run(["ip", "netns", "delete", name])


class Processes(LiveTest):

    def setUp(self):
        super().setUp()
        self.name, self.inside = self.use(namespace())
        self.group = self.use(control_group())
        self.tgtd = self.use(Tgtd(prefix=self.inside))
        self.target = self.tgtd.add_target(TARGET)
        self.lun = self.target.add_lun()

    def start(self, *words):
        """It is in the group before it runs: its first PDU may come at once."""
        return self.use(Process([*self.inside, *in_group(self.group), *words]))

    def seen(self, serve, role, comm):
        """The process of this role as `sessions` has it, once it is this one."""
        def found():
            for session in serve.sessions()["sessions"]:
                for connection in session["connections"]:
                    process = connection.get("process", {})
                    if session["role"] == role and process.get("comm") == comm:
                        return process
            return None
        return wait_until(found, 60, f"{comm} as {role}")

    def check(self, process, started, **names):
        cgroup = pathlib.Path(f"/proc/{started.pid}/cgroup").read_text()
        (own,) = [line[3:] for line in cgroup.splitlines() if line.startswith("0::")]
        self.assertEqual(process, {"id": started.pid, "cgroup": own,
                                   "network_namespace": self.name, **names})

    def test_ends_of_a_connection_in_a_namespace(self):
        serve = self.use(Serve(self.tgtd.port))
        trace = self.use(Trace(self.tgtd.port))
        perf = self.start("iscsi-perf", "-t", "600", "-m", "1", self.target.url(self.lun))
        self.check(self.seen(serve, "target", "tgtd"), self.tgtd.process, comm="tgtd")
        initiator = self.seen(serve, "initiator", "iscsi-perf")
        self.check(initiator, perf, comm="iscsi-perf")
        self.assertEqual(serve.metrics().total(
            "connections", role="initiator", target=TARGET, comm="iscsi-perf", guest="",
            cgroup=initiator["cgroup"], network_namespace=self.name), 1)
        trace.stop()
        self.assertTrue(any(record.get("process") == initiator for record in trace.records()))
        perf.end()

    def test_process_that_is_gone(self):
        """lunscope stands still while it lives: its group is found by the group's number."""
        trace = self.use(Trace(self.tgtd.port))
        trace.process.signal(signal.SIGSTOP)
        url = self.target.url(self.lun)
        run([*self.inside, *in_group(self.group), "iscsi-inq", url])
        trace.process.signal(signal.SIGCONT)
        wait_until(trace.records, 60, "the records")
        trace.stop()
        processes = [record["process"] for record in role_of(trace.records(), "initiator")]
        self.assertEqual({(process["comm"], pathlib.PurePath(process["cgroup"]).name)
                          for process in processes}, {("iscsi-inq", self.group.name)})

    def test_guest_of_qemu(self):
        serve = self.use(Serve(self.tgtd.port))
        words = [word.format(url=self.target.url(self.lun)) for word in QEMU]
        qemu = self.start(*words, f"guest={GUEST},debug-threads=on")
        # As the kernel has it: not asked of the process, which is still nsenter for a moment.
        comm = pathlib.PurePath(words[0]).name[:15]
        process = self.seen(serve, "initiator", comm)
        self.check(process, qemu, comm=comm, guest=GUEST)

    @contextlib.contextmanager
    def under_load(self, serve):
        """Commands all the time, and scrapes. None of the commands may be lost."""
        load = self.start("iscsi-perf", "-t", "600", "-m", "8", self.target.url(self.lun))
        self.seen(serve, "initiator", "iscsi-perf")
        yield
        load.end()
        metrics = serve.settled()
        for role in "initiator", "target":
            seen, reported, unreported, in_flight = metrics.accounts(role)
            # Those that were in flight when their connection ended have no status.
            ended = metrics.total("commands_unreported_total", role=role, reason="connection_closed")
            self.assertEqual((unreported - ended, in_flight), (0, 0), role)
            self.assertGreater(reported, 0)
            self.assertEqual(seen, reported + unreported)

    def scrape_for(self, serve, seconds):
        """The longest of the scrapes."""
        until, longest = time.monotonic() + seconds, 0
        while (began := time.monotonic()) < until:
            serve.scrape()
            longest = max(longest, time.monotonic() - began)
        print(f"the longest scrape took {longest:.3f} s", file=sys.stderr)

    def test_command_line_that_blocks_its_reader(self):
        """The name of one process never comes. Nothing else waits for it."""
        serve = self.use(Serve(self.tgtd.port))
        with self.under_load(serve), tempfile.TemporaryDirectory() as folder:
            fifo = pathlib.Path(folder, "fifo")
            os.mkfifo(fifo)
            blocked = self.use(Process([*self.inside, "sh", "-c", 'read -r go && exec "$@"', "sh",
                                        "iscsi-perf", "-t", "600", "-m", "1",
                                        self.target.url(self.lun)], stdin=subprocess.PIPE))
            command_line = f"/proc/{blocked.pid}/cmdline"
            # The mount goes with the process.
            run(["mount", "--bind", fifo, command_line])
            with blocked.popen.stdin as stdin:
                stdin.write(b"go\n")
            wait_until(lambda: serve.metrics().total("connections", role="initiator") == 2, 60,
                       "the other connection")
            self.scrape_for(serve, SCRAPING_SECONDS)
            blocked.end()
        # One of its threads still waits for that name.
        serve.process.signal(signal.SIGTERM)
        self.assertLess(serve.process.seconds_to_end(60), HELD_UP_SECONDS)
        self.assertEqual(serve.process.wait(1), 0)

    def test_readers_that_are_gone_among_many_control_groups(self):
        serve = self.use(Serve(self.tgtd.port))
        groups = [self.group / f"{number}" for number in range(CONTROL_GROUPS)]
        with self.under_load(serve):
            try:
                for group in groups:
                    group.mkdir()
                for _ in range(DEAD_READERS):
                    url = self.target.url(self.lun)
                    run([*self.inside, *in_group(groups[-1]), "iscsi-inq", url])
                self.scrape_for(serve, SCRAPING_SECONDS)
            finally:
                for group in groups:
                    with contextlib.suppress(FileNotFoundError):
                        wait_until(lambda: not (group / "cgroup.procs").read_text(), 10, "the group")
                        group.rmdir()


if __name__ == "__main__":
    main()
