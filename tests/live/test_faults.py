# SPDX-License-Identifier: Apache-2.0
"""lunscope when something is wrong: the host, the network, or the names.

Environment: one line that says what to do, and an exit code of its own. Traffic: whatever is lost
is counted, and the totals still add up.

LUNSCOPE_STOPPED_SECONDS sets how long the collector is stopped under load (2).
"""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import socket
import tempfile
import threading
import time

from harness.capture import Capture
from harness.case import LiveTest, TgtdTest, main
from harness.checked import CAPABILITIES
from harness.compare import ROLES, check_harmless, check_same_counts, role_of
from harness.lunscope import Serve, Trace, check_exposition, fail_to_start
from harness.pdus import TEST_UNIT_READY, read_10
from harness.perf import Perf, read_with_perf
from harness.process import LUNSCOPE, Process, free_port, run, status_of, text_of, wait_until
from harness.scripted import Initiator
from harness.surroundings import NOBODY, NOBODY_WITH_RIGHTS, NO_BTF, in_place_of, without
from harness.witness import measure

TARGET = "iqn.2024-01.org.lunscope.test:faults"
UNKNOWN = "unknown"
STOPPED_SECONDS = int(os.environ.get("LUNSCOPE_STOPPED_SECONDS", "2"))
WAIT_SECONDS = 60
MANY = 5000  # commands: more than a ring of 64 KiB has room for
KERNEL_BTF = "/sys/kernel/btf/vmlinux"

USAGE, UNSUPPORTED, PERMISSION, FAILURE = 2, 3, 4, 1

# what is wrong: (how it is brought about, arguments, exit code, what the message has to say)
REFUSALS = {
    "not root": (NOBODY, "trace", PERMISSION, r"root.*sudo"),
    "not root, serve": (NOBODY, "serve", PERMISSION, r"root.*sudo"),
    "no CAP_BPF": (without("sys_admin", "bpf"), "trace", PERMISSION, "CAP_BPF"),
    "no CAP_PERFMON": (without("sys_admin", "perfmon"), "trace", PERMISSION, "CAP_PERFMON"),
    "no such user": ([], "trace --user nobody-of-this-name", USAGE, "no such user"),
    "another user, not root": (NOBODY_WITH_RIGHTS, "serve --user root", PERMISSION, "only root"),
    "no such capability": ([], "serve --keep-capability everything", USAGE, "--keep-capability"),
    "no type information": (NO_BTF, "trace", UNSUPPORTED, "BTF"),
    "unknown option": ([], "trace --colour", USAGE, "--colour"),
    "unknown command": ([], "tracee", USAGE, "tracee"),
    "no command": ([], "", USAGE, "command"),
    "port too large": ([], "trace --port 70000", USAGE, "70000|--port"),
    "port is no number": ([], "serve --port iscsi", USAGE, "iscsi|--port"),
    "unknown role": ([], "trace --role host", USAGE, "host|--role"),
    "nobody serves": ([], "sessions --web.listen-address 127.0.0.1:1", FAILURE, "lunscope serve"),
    "no web configuration": ([], "serve --web.config.file /nothing", USAGE, "cannot read /nothing"),
    "no address": ([], "sessions --web.listen-address 13260", USAGE, "HOST:PORT"),
    "unknown format": ([], "trace -o xml", USAGE, "xml|-o"),
    "ring not a power of two": ([], "trace --ring-size 100000", USAGE, "--ring-size"),
    "ring too small": ([], "trace --ring-size 16", USAGE, "--ring-size"),
    "slow without aggregate": ([], "serve --slow 0.5", USAGE, "--mode aggregate"),
    "aggregate and the SCSI layer": ([], "serve --mode aggregate --source scsi", USAGE, "--source"),
    "address without a port": ([], "serve --web.listen-address nowhere", USAGE, "nowhere"),
}


SYS_PTRACE = 1 << 19  # linux/capability.h
SYS_ADMIN, PERFMON, BPF = (1 << CAPABILITIES[name]
                           for name in ("CAP_SYS_ADMIN", "CAP_PERFMON", "CAP_BPF"))
# which: (options, capabilities, user, filters of system calls) of a process that watches
PRIVILEGES = {
    "as it comes": ([], BPF | PERFMON, 0, 2),
    "a user": (["--user", "nobody"], BPF | PERFMON, 65534, 2),
    "a capability more": (["--keep-capability", "sys_ptrace"], BPF | PERFMON | SYS_PTRACE, 0, 2),
    "the SCSI layers": (["--source", "iscsi,scsi"], BPF | PERFMON | SYS_ADMIN, 0, 2),
    "the SCSI layers, nothing more": (
        ["--source", "iscsi,scsi", "--keep-capability", "none"], BPF | PERFMON, 0, 2),
    "no filter": (["--no-syscall-filter"], BPF | PERFMON, 0, 0),
}


# One that is built with the address sanitizer keeps what the sanitizer needs at the end.
IS_SANITIZED = b"__asan_init" in LUNSCOPE.read_bytes()


def rights_of(folder):
    """The capabilities, the user and the further filters of each thread of a process."""
    found = []
    for path in pathlib.Path(folder).glob("task/*/status"):
        if status := status_of(path):
            sets = {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")}
            users = set(status["Uid"].split())
            filters = (int(status.get("Seccomp_filters", "0"))
                       - int(status_of("/proc/self/status").get("Seccomp_filters", "0")))
            is_one = len(sets) == len(users) == 1 and status["NoNewPrivs"] == "1"
            found.append((sets.pop(), int(users.pop()), filters) if is_one else (sets, users))
    return found


class Refusals(LiveTest):

    def check_refusal(self, prefix, words, code, message):
        found, stderr = fail_to_start(words, prefix)
        self.assertRegex(stderr, message)
        self.assertEqual(len(stderr.splitlines()), 1, f"one line, not {stderr!r}")
        self.assertEqual(found, code, stderr)

    def test_refusals(self):
        for name, (prefix, words, code, message) in REFUSALS.items():
            with self.subTest(name):
                self.check_refusal(prefix, words.split(), code, message)

    def test_absent_tracepoint(self):
        """The kernel's type information, with one tracepoint renamed, is put in its place."""
        information = pathlib.Path(KERNEL_BTF).read_bytes()
        for tracepoint in ("tcp_probe", "net_dev_queue"):
            name = f"\0btf_trace_{tracepoint}\0".encode()
            self.assertEqual(information.count(name), 1)
            with self.subTest(tracepoint), tempfile.NamedTemporaryFile() as renamed:
                renamed.write(information.replace(name, name[:-2] + b"_\0"))
                renamed.flush()
                prefix = in_place_of(KERNEL_BTF, renamed.name)
                self.check_refusal(prefix, ["trace"], UNSUPPORTED, tracepoint)

    def test_web_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.check_refusal([], ["serve", "--web.listen-address", address], FAILURE,
                               re.escape(address))

    def test_privileges(self):
        """The rights of each thread, once the programs are attached and the sessions are known."""
        for name, (options, kept, user, filters) in PRIVILEGES.items():
            for program in Serve, Trace:
                with (self.subTest(name, program=program.__name__),
                      program(free_port(), options=options) as started):
                    folder = f"/proc/{started.process.pid}"
                    self.assertRegex(text_of(f"{folder}/limits"), r"Max core file size\s+0\s+0\s")
                    # A kernel may refuse the walk that takes no right.
                    walks_sockets = "keeps CAP_SYS_ADMIN to walk" in started.process.stderr
                    kept |= (SYS_ADMIN if walks_sockets else 0) | (SYS_PTRACE if IS_SANITIZED else 0)
                    wanted = (kept, user, 0 if IS_SANITIZED else filters)
                    wait_until(lambda: all(rights == wanted for rights in rights_of(folder)), 20,
                               f"each thread to have {wanted}: {rights_of(folder)}")
                    if program is Serve:
                        self.assertTrue(started.metrics().select("build_info"))
                        self.assertIn("No session", started.sessions_table())
                    started.process.end_politely()

    def test_check_says_the_same(self):
        """`check` finds each missing requirement of the host, and ends with the same exit code."""
        self.assertEqual(run([LUNSCOPE, "check"])[0], 0)
        for name, (prefix, words, code, message) in REFUSALS.items():
            if code in (UNSUPPORTED, PERMISSION) and words == "trace":
                with self.subTest(name):
                    found, stdout, stderr, _ = run([*prefix, LUNSCOPE, "check"], check=False)
                    self.assertEqual(found, code, stdout + stderr)
                    self.assertRegex(stdout + stderr, message)


@contextlib.contextmanager
def echo_server(port):
    """A server that sends back what it gets, on 127.0.0.1."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with peer, contextlib.suppress(OSError):
                    while data := peer.recv(65536):
                        peer.sendall(data)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


NOT_ISCSI = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: none\r\n\r\n",
    "random bytes": random.Random(7143).randbytes(100_000),
    "zeros": bytes(100_000),
    "TLS": bytes.fromhex("16030100c8010000c40303") + random.Random(1).randbytes(194),
}


def is_traced(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return "TracerPid:\t0\n" not in status


class Traffic(TgtdTest):
    TARGET = TARGET

    def login(self, name=b"iqn.2024-01.org.lunscope.test:scripted"):
        """A scripted initiator that is logged in, its unit attention cleared."""
        initiator = self.use(Initiator(self.tgtd.port))
        self.assertEqual(initiator.login(name, TARGET.encode()), (0, 0))
        initiator.run([(TEST_UNIT_READY, 0)])
        return initiator

    def check_accounts(self, metrics, expected=None):
        """seen = reported + unreported + in flight, in each role."""
        for role in ROLES:
            seen, reported, unreported, in_flight = metrics.accounts(role)
            self.assertEqual(seen, reported + unreported + in_flight, role)
            if expected is not None:
                self.assertEqual(seen, expected, role)

    def test_bytes_that_are_not_iscsi(self):
        for name, payload in NOT_ISCSI.items():
            port = free_port()
            with self.subTest(name), echo_server(port), Serve(port) as serve:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                    client.sendall(payload)
                    got = 0
                    while got < len(payload):
                        got += len(client.recv(65536))
                metrics = serve.settled()
                self.check_accounts(metrics, 0)
                self.assertEqual(metrics.total("commands_total"), 0)
                self.assertGreater(metrics.total("stream_gaps_total", reason="not_iscsi"), 0)
                self.assertGreater(metrics.total("unparsed_bytes_total", reason="not_iscsi"), 0)
                self.assertEqual(check_exposition(metrics.text), "")

    def test_connection_that_was_open_before(self):
        """Its names are those that tgt tells, marked so; no others, and none before it is asked."""
        name = "iqn.2024-01.org.lunscope.test:before"
        initiator = self.login(name.encode())
        reads = 64
        with Trace(self.tgtd.port) as trace, Trace(self.tgtd.port, output="table") as table:
            for block in range(reads):
                initiator.run([(read_10(block, 8), 4096)])

            def is_named():
                initiator.run([(read_10(reads, 8), 4096)])
                return {record["role"] for record in trace.records()
                        if "names_from" in record} == set(ROLES)
            wait_until(is_named, WAIT_SECONDS, "the names from tgtadm")
            trace.stop()
            table.stop()
            records, shown = trace.records(), table.output
        here, portal = f"127.0.0.1:{initiator.port}", f"127.0.0.1:{self.tgtd.port}"
        for role, local, remote in (("initiator", here, portal), ("target", portal, here)):
            with self.subTest(role=role):
                mine = role_of(records, role)
                # The first commands prove where headers begin.
                self.assertGreater(len(mine), reads // 2)
                self.assertEqual(mine[-1]["lba"], reads)
                for record in mine:
                    self.assertEqual((record["local"], record["remote"]), (local, remote))
                    self.assertIn((record["initiator"], record["target"], record.get("names_from")),
                                  [(UNKNOWN, UNKNOWN, None), (name, TARGET, "tgtadm")])
        self.assertIn(here.encode(), shown)

    def test_lengths_on_a_connection_that_was_open_before(self):
        """The largest of each kind, which are all that shows of what its login agreed on."""
        initiator = self.login(b"iqn.2024-01.org.lunscope.test:lengths")
        with Serve(self.tgtd.port) as serve:
            for block in range(64):
                initiator.run([(read_10(block, 8), 4096)])
            serve.settled()
            seen = {connection["role"]: connection["largest_seen"]
                    for connection in serve.sessions()["other_connections"]}
        lengths = {"data_in_bytes": 4096, "data_out_bytes": 0, "immediate_bytes": 0, "r2t_bytes": 0}
        self.assertEqual(seen, dict.fromkeys(ROLES, lengths))

    def test_ring_full(self):
        """While the collector is stopped its ring fills; the kernel counts what has no room."""
        with Capture(self.tgtd.port) as capture, \
                Serve(self.tgtd.port, options=["--ring-size", "65536"]) as serve:
            serve.process.signal(signal.SIGSTOP)
            read_with_perf(self.tgtd, self.url, MANY, "-m", 32)
            serve.process.signal(signal.SIGCONT)
            metrics = serve.settled()
            commands = capture.commands()
        self.check_accounts(metrics, len(commands))
        for role in ROLES:
            with self.subTest(role=role):
                seen, reported, unreported, _ = metrics.accounts(role)
                self.assertGreater(reported, 0)
                self.assertGreater(unreported, seen // 2)
                self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                               reason="ring_full"), unreported)
                self.assertEqual(metrics.total("commands_total", role=role), reported)
        self.assertGreater(metrics.total("events_lost_total", reason="full"), 0)
        self.assertEqual(check_exposition(metrics.text), "")

    def test_few_ports_and_many(self):
        """Up to four are compared, more are looked up: a port is watched, or is not, either way."""
        for others in (0, 3, 4, 40):
            with self.subTest(others=others):
                ports = list(range(3, 3 + others))
                with Serve(*ports, self.tgtd.port) as serve, Serve(*(ports or [3])) as elsewhere:
                    run(["iscsi-inq", self.url])
                    self.assertGreater(serve.settled().total("commands_total"), 0)
                    self.assertEqual(elsewhere.settled().total("commands_seen_total"), 0)

    def test_every_scrape_adds_up(self):
        """During the traffic, with a table and a ring too small for it and a collector that stops."""
        options = ["--ring-size", "65536", "--inflight", "16"]
        with Serve(self.tgtd.port, options=options) as serve, Perf(self.url, "-m", 32):
            scrapes = self.scrape_between_commands(serve, 50)
            serve.process.signal(signal.SIGSTOP)
            answered, = self.tgtd.answered()
            time.sleep(STOPPED_SECONDS)
            self.tgtd.wait_for_commands(answered + MANY)
            serve.process.signal(signal.SIGCONT)
            scrapes += self.scrape_between_commands(serve, 50)
        for metrics in scrapes:
            self.check_accounts(metrics)
        for role in ROLES:
            with self.subTest(role=role):
                accounts = [metrics.accounts(role) for metrics in scrapes]
                seen = [account[0] for account in accounts]
                self.assertEqual(seen, sorted(seen))
                self.assertGreaterEqual(len(set(seen)), 100, "scrapes between commands")
                self.assertGreater(max(in_flight for *_, in_flight in accounts), 0)
                for reason in ("ring_full", "table_full"):
                    self.assertGreater(scrapes[-1].total("commands_unreported_total", role=role,
                                                         reason=reason), 0, reason)

    @staticmethod
    def scrape_between_commands(serve, count):
        """So many scrapes, none of which saw what the one before it saw, and those in between."""
        scrapes, seen = [], set()

        def is_done():
            scrapes.append(serve.metrics())
            seen.add(tuple(scrapes[-1].accounts(role)[0] for role in ROLES))
            return len(seen) > count + 1
        wait_until(is_done, WAIT_SECONDS, f"{count} scrapes between commands")
        return scrapes

    def test_scrapes_of_a_slow_reader(self):
        """Commands go on from one read of counts to the next: none has ended that has not begun."""
        with Serve(self.tgtd.port, options=["--inflight", "16"]) as serve, \
                Perf(self.url, "-m", 32):
            wait_until(lambda: serve.metrics().total("commands_seen_total") > 0, WAIT_SECONDS,
                       "commands")
            pid = serve.process.pid
            with Process(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=bpf",
                          "-e", "inject=bpf:delay_enter=5000", "-p", pid]) as strace:
                strace.wait_for(lambda: is_traced(pid), WAIT_SECONDS, "strace to attach")
                scrapes = [serve.metrics() for _ in range(10)]
        for metrics in scrapes:
            self.check_accounts(metrics)
            for role in ROLES:
                *_, in_flight = metrics.accounts(role)
                self.assertLess(in_flight, 1 << 32, role)

    def test_commands_that_are_added_up_in_the_kernel(self):
        """The same metrics as with a record for each, of which there are hardly any."""
        records, added_up = measure(self.watch_twice, self.tgtd.port)
        self.assertGreater(check_same_counts(self, added_up, records), 100)
        self.assertLess(added_up.total("events_total"), records.total("events_total") / 10)

    def watch_twice(self):
        with Serve(self.tgtd.port) as recording, \
                Serve(self.tgtd.port, options=["--mode", "aggregate"]) as adding:
            read_with_perf(self.tgtd, self.url, MANY, "-m", 32)
            for tool in ("iscsi-inq", "iscsi-readcapacity16"):
                run([tool, self.url])
            return recording.settled(), adding.settled()

    def test_ring_full_of_last_counts(self):
        """Commands that are added up: what a stopped collector had no room for at their
        connection's end is not reported after all."""
        with Serve(self.tgtd.port, options=["--mode", "aggregate", "--ring-size", "4096"]) as serve:
            read_with_perf(self.tgtd, self.url, 1000, "-m", 8)
            before = serve.settled()
            serve.process.signal(signal.SIGSTOP)
            for _ in range(16):
                run(["iscsi-readcapacity16", self.url])
            serve.process.signal(signal.SIGCONT)
            metrics = serve.settled()
        for role in ROLES:
            with self.subTest(role=role):
                seen, reported, unreported, in_flight = metrics.accounts(role)
                self.assertEqual((before.accounts(role)[2], in_flight), (0, 0))
                self.assertGreater(unreported, 0)
                self.assertEqual(seen, reported + unreported)
                self.assertEqual(metrics.total("commands_total", role=role), reported)

    def test_table_of_commands_full(self):
        """The target is stopped, so that all commands stay in flight: 8 have a place, 56 have none.

        The target has not read them yet: there they are unread bytes, and no command until it does.
        """
        limit, queued = 8, 64
        with Serve(self.tgtd.port, options=["--inflight", limit]) as serve:
            initiator = self.login()
            before = serve.settled()
            self.check_accounts(before, 1)
            self.tgtd.process.signal(signal.SIGSTOP)
            try:
                itts = initiator.queue([(read_10(8 * i, 8), 4096) for i in range(queued)])
                wait_until(lambda: serve.metrics().accounts("initiator")[0] == 1 + queued,
                           WAIT_SECONDS, "the commands to be seen")
                wait_until(lambda: serve.metrics().total("unread_bytes", role="target")
                           == queued * 48, WAIT_SECONDS, "the commands to arrive")
                stopped = serve.standing()
            finally:
                self.tgtd.process.signal(signal.SIGCONT)
            initiator.finish(itts)
            metrics = serve.settled()
        self.assertEqual(stopped.accounts("initiator"), (1 + queued, 1, queued - limit, limit))
        self.assertEqual(stopped.accounts("target"), (1, 1, 0, 0))
        self.assertEqual(stopped.total("unread_bytes", role="target"), queued * 48)
        self.assertEqual(metrics.total("unread_bytes"), 0)
        self.assertEqual(metrics.accounts("initiator"),
                         (1 + queued, 1 + limit, queued - limit, 0))
        for role in ROLES:
            with self.subTest(role=role):
                seen, reported, unreported, in_flight = metrics.accounts(role)
                self.assertEqual((seen, in_flight), (1 + queued, 0))
                self.assertGreaterEqual(reported, 1 + limit)
                self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                               reason="table_full"), unreported)
                self.assertEqual(metrics.total("unmatched_responses_total", role=role), unreported)

    def test_connection_closed_with_commands_in_flight(self):
        queued = 16
        with Serve(self.tgtd.port) as serve:
            initiator = self.login()
            self.tgtd.process.signal(signal.SIGSTOP)
            try:
                initiator.queue([(read_10(i, 8), 4096) for i in range(queued)])
                wait_until(lambda: serve.metrics().accounts("initiator")[3] == queued,
                           WAIT_SECONDS, "the commands to be in flight")
                self.tgtd.process.kill()
            finally:
                initiator.__exit__()
            wait_until(lambda: serve.metrics().total("commands_in_flight") == 0, WAIT_SECONDS,
                       "the connection to end")
            metrics = serve.settled()
        # A target that is killed has not read what waits in its socket.
        for role, unanswered in (("initiator", queued), ("target", 0)):
            with self.subTest(role=role):
                self.assertEqual(metrics.accounts(role), (1 + unanswered, 1, unanswered, 0))
                self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                               reason="connection_closed"), unanswered)

    def test_commands_in_flight_are_listed(self):
        """When a signal asks for them, and at the end, as long as nothing has answered them."""
        queued = 3
        with Trace(self.tgtd.port, options=["--role", "initiator"]) as trace:
            initiator = self.login()
            self.tgtd.process.signal(signal.SIGSTOP)
            try:
                initiator.queue([(read_10(i, 8), 4096) for i in range(queued)])

                def is_listed():
                    trace.process.signal(signal.SIGUSR1)
                    return f"{queued} commands are in flight" in trace.process.stderr
                wait_until(is_listed, WAIT_SECONDS, "the commands to be listed")
                trace.stop()
            finally:
                self.tgtd.process.signal(signal.SIGCONT)
                initiator.__exit__()
            said, records = trace.process.stderr, trace.records()
        self.assertGreaterEqual(said.count('"no_status":"open"'), queued)
        is_open = [record for record in records if record.get("no_status") == "open"]
        self.assertEqual(sorted(record["lba"] for record in is_open), list(range(queued)))
        ages = [record["duration_us"] for record in is_open]
        self.assertEqual(ages, sorted(ages, reverse=True), "the oldest first")

    def test_hostile_names(self):
        """A name from the wire is escaped wherever it is shown, and remains one name."""
        names = [
            b'iqn.2024-01.test:"quoted"',
            rb"iqn.2024-01.test:back\slash\n\x",
            b"iqn.2024-01.test:new\nline\r\nlunscope_up 1",
            b"iqn.2024-01.test:\x1b[2J\x1b]52;c;aGVsbG8=\x07clear",
            b"iqn.2024-01.test:\xff\xfe\xc0\xafnot-utf-8",
            "iqn.2024-01.test:\u202egnorw\u200b\x85\x9b2J".encode(),
            b"iqn.2024-01.test:{}=,%s%n<script>",
            b"iqn.2024-01.test:" + b"long" * 51,
        ]
        port = self.tgtd.port
        with Trace(port) as trace, Trace(port, output="table") as table, Serve(port) as serve:
            for name in names:
                with Initiator(port) as initiator:
                    self.assertEqual(initiator.login(name, TARGET.encode()), (0, 0), name)
                    initiator.run([(TEST_UNIT_READY, 0)])
                    # session_info is there as long as the session is.
                    exposition = serve.settled().text
                    self.assertEqual(check_exposition(exposition), "", name)
                    check_harmless(self, exposition)
            trace.stop()
            table.stop()
            for process in (trace.process, table.process, serve.process):
                check_harmless(self, process.stdout.decode("utf-8") + process.stderr)
            shown = [record["initiator"] for record in trace.records()]
        self.assertEqual(len(shown), 2 * len(names), "one line per command and role")
        self.assertEqual(len(set(shown)), len(names), "different names stay different")
        self.assertNotIn(UNKNOWN, shown)


if __name__ == "__main__":
    main()
