# SPDX-License-Identifier: Apache-2.0
"""Events: what is no command has its line, with who and why; and what the kernel's TCP and the
command window say of a connection, against `ss` and what a scripted target said.

Each row is played once. `trace` sees it live, and `replay` reads it from a capture.
"""

import collections
import contextlib
import errno
import re
import socket
import time

from harness.capture import Capture
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES, initiator_port
from harness.dialogue import (I, INITIATOR_NAME, STATSN, TARGET_NAME, Stage, T, login,
                              login_request, login_response)
from harness.event_rows import IN, ROWS, ended, play
from harness.lunscope import Serve, Trace, events_of, replay
from harness.network import lonely_host
from harness.pdus import (NOP_IN, NOP_OUT, RESERVED_TAG, TEST_UNIT_READY, Digests, command, lun,
                          pdu, read_10, response)
from harness.process import free_port, port_of_nobody, run, wait_until
from harness.scripted import Initiator
from harness.wall_clock import Elapsed

HEADER = Digests(header=True)
CLOSED_SECONDS = 0.3
ROUNDED_SECONDS = 0.0005  # words say milliseconds
LABELS = {"closed by this host": "closed_here", "closed by the peer": "closed_by_peer",
          "reset by this host": "reset_here", "reset by the peer": "reset_by_peer"}


def words_of(events):
    """{(port of the initiator, role): words in the order of their times}. All rows have one
    initiator, which is back after each row that ends without a logout.
    """
    found = collections.defaultdict(list)
    for event in events:
        words = re.sub(r"^logged in again after [0-9.]+ s without a session$", IN, event["words"])
        found[initiator_port(event), event["role"]].append(words)
    return found


class Watched:
    """Two scripted ends that are watched live and captured, until both have said what happened."""

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            self.stage = undo.enter_context(Stage())
            port = self.stage.port
            self.serve = undo.enter_context(Serve(port))
            self._capture = undo.enter_context(Capture(port))
            self._trace = undo.enter_context(Trace(port))
            self._open = undo.pop_all()
        return self

    def __exit__(self, *failure):
        self._open.__exit__(*failure)

    def stop(self):
        """[(where from, events)], live and from the capture."""
        self._trace.stop()
        self._capture.stop()
        _, stdout, _ = replay(self._capture.file, "--port", self.stage.port, "--role", "both",
                              "-o", "json")
        return [("live", self._trace.events()), ("capture", events_of(stdout))]


class Events(LiveTest):

    def test_each(self):
        with Watched() as watched:
            ports = play(watched.stage)
            metrics = watched.serve.settled()
            sources = watched.stop()
        for source, events in sources:
            found = words_of(events)
            for name, (_, ender, how, words, suffix) in ROWS.items():
                for role, end in zip(ROLES, ended(how[ender], suffix)):
                    with self.subTest(name, role=role, source=source):
                        self.assertEqual(found[ports[name], role], [*words, end])
        self.check_who(sources[0][1])
        self.check_counts(metrics)

    def check_who(self, events):
        for event in events:
            self.assertEqual((event["initiator"], event["target"]), (INITIATOR_NAME, TARGET_NAME))

    def check_counts(self, metrics):
        for place, role in enumerate(ROLES):
            counted = collections.Counter()
            for sample in metrics.select("connections_ended_total", role=role):
                counted[sample.labels["end"]] += int(sample.value)
            expected = collections.Counter(
                LABELS[how[ender][place]] for _, ender, how, _, _ in ROWS.values())
            self.assertEqual(+counted, expected, role)

    def test_rows(self):
        """The table has a row for each, with who; --no-events leaves them out."""
        with Stage() as stage, Trace(stage.port, output="table") as rows, \
                Trace(stage.port, output="json", options=["--no-events"]) as none:
            play(stage)
            rows.stop()
            none.stop()
            table, events, records = rows.process.stdout.decode(), none.events(), none.records()
        self.assertRegex(table, re.compile(
            r"^\d\d:\d\d:\d\d\.\d{6} tgt \S+ +login refused: Authentication failure "
            rf"\({re.escape(INITIATOR_NAME)} at 127\.0\.0\.1:\d+\)$", re.M))
        self.assertEqual(events, [])
        self.assertGreater(len(records), 0)


class Happenings(LiveTest):

    def check(self, watched, conversation, words):
        """The words of both ends, but the last ones, which are those of the connection's end."""
        for source, events in watched.stop():
            found = words_of(events)
            for role in ROLES:
                with self.subTest(source=source, role=role):
                    self.assertEqual(found[conversation.port, role][:-1], words)

    def test_overdue_answers(self):
        """A login and a ping that nobody answers are events before the connection ends."""
        ping = pdu(NOP_OUT, itt=50, ttt=RESERVED_TAG, cmdsn=1, exp_statsn=1)
        late = {"login": "the target has not answered the Login Request for 5 s",
                "ping": "the target has not answered the initiator's ping for 5 s, although "
                        "commands are answered"}
        with Watched() as watched:
            with watched.stage.connect() as logs_in, watched.stage.connect() as pings:
                logs_in.say([I(login_request())])
                pings.say([*login(), I(ping)])
                time.sleep(3)
                pings.say([I(command()), T(response())])
                time.sleep(4)
            sources = watched.stop()
        for source, events in sources:
            found = words_of(events)
            for role in ROLES:
                with self.subTest(source=source, role=role):
                    self.assertEqual(found[logs_in.port, role][:-1], [late["login"]])
                    self.assertEqual(found[pings.port, role][:-1], [IN, late["ping"]])

    def test_a_wrong_header_digest(self):
        with Watched() as watched:
            with watched.stage.connect() as conversation:
                conversation.say([*login(HEADER), I(command(1)), T(response(1)),
                                  I(command(2).damaged(27)), I(command(3)), T(response(3))],
                                 HEADER)
            self.check(watched, conversation,
                       [IN, "a PDU with a wrong header digest, which the receiver drops"])

    def test_a_gap(self):
        with Watched() as watched:
            with watched.stage.connect() as conversation:
                conversation.say([*login(), I(command(1)), T(response(1)), I(b"\xff" * 96)])
            self.check(watched, conversation,
                       [IN, "a gap: lunscope missed bytes, and what was in flight is in doubt"])

    def test_a_session_that_is_taken_over(self):
        """By the same address, by another one, and one that was down."""
        with Watched() as watched:
            stage = watched.stage
            with stage.connect() as first, stage.connect() as again, \
                    stage.connect(source_host="127.0.0.2") as elsewhere:
                for conversation, tsih in (first, 1), (again, 2), (elsewhere, 3):
                    conversation.say([I(login_request()), T(login_response(tsih=tsih))])
                since_before = Elapsed()
                elsewhere.end("initiator")
                since_end = Elapsed()
                time.sleep(0.5)
                shortest = since_end.seconds()
                with stage.connect() as back:
                    back.say([I(login_request()), T(login_response(tsih=4))])
                    longest = since_before.seconds()
                    metrics = watched.serve.metrics()
                    sessions = watched.serve.sessions()["sessions"]
                    table = watched.serve.sessions_table()
            sources = watched.stop()
        for source, events in sources:
            logins = {(initiator_port(event), event["role"]): (event["event"], event["words"])
                      for event in events if event["words"].startswith(IN)}
            for role in ROLES:
                with self.subTest(source=source, role=role):
                    self.assertEqual(logins[first.port, role], ("logged_in", IN))
                    self.assertEqual(logins[again.port, role], (
                        "session_reinstated",
                        f"logged in, in the place of its session from 127.0.0.1:{first.port}"))
                    self.assertEqual(logins[elsewhere.port, role], (
                        "session_taken_over",
                        f"logged in, in the place of its session from 127.0.0.1:{again.port}, "
                        "which is another address"))
                    kind, words = logins[back.port, role]
                    self.assertEqual(kind, "session_restored")
                    outage = float(re.search(r"after ([0-9.]+) s", words)[1])
                    self.assertGreaterEqual(outage, shortest[source] - ROUNDED_SECONDS)
                    self.assertLessEqual(outage, longest[source] + ROUNDED_SECONDS)
                    counted = metrics.total("session_outage_seconds_total", role=role)
                    self.assertGreaterEqual(counted, shortest["live"])
                    self.assertLessEqual(counted, longest["live"])
        history = re.search(
            r"    3 logins in the place of earlier sessions, 1 outage of ([0-9.]+) s", table)
        self.assertGreaterEqual(float(history[1]), shortest["live"] - ROUNDED_SECONDS)
        self.assertLessEqual(float(history[1]), longest["live"] + ROUNDED_SECONDS)
        self.assertEqual({(session["role"], session["relogins"], session["outages"])
                          for session in sessions}, {(role, 3, 1) for role in ROLES})
        for role in ROLES:
            self.assertEqual(metrics.total("session_outages_total", role=role), 1)
            for address in ("same_address", "other_address"):
                self.assertEqual(metrics.total("session_reinstatements_total", role=role,
                                               **{"from": address}), 1, address)


class Connects(LiveTest):
    """A connect that fails is an event of the initiator's host, named by its portal's session."""

    def connect(self, stage, seconds):
        """Returns the initiator's port and how the connect failed."""
        with socket.socket() as initiator:
            initiator.settimeout(seconds)
            initiator.bind(("127.0.0.1", port_of_nobody()))
            port = initiator.getsockname()[1]
            with self.assertRaises(OSError) as failed:
                initiator.connect(("127.0.0.1", stage.port))
            return port, type(failed.exception)

    def test_each(self):
        with Watched() as watched:
            stage = watched.stage
            with stage.connect() as conversation:
                conversation.say(login())
                conversation.end("initiator")
            with stage.crowd():
                given_up, how_given_up = self.connect(stage, 0.3)
                unanswered, how_unanswered = self.connect(stage, 4)
                stage.close()
            refused, how_refused = self.connect(stage, 4)
            self.assertEqual((how_given_up, how_unanswered, how_refused),
                             (TimeoutError, TimeoutError, ConnectionRefusedError))
            metrics = watched.serve.settled()
            (_, live), (_, replayed) = watched.stop()
        portal = f"127.0.0.1:{stage.port}"
        expected = {
            given_up: f"connect to {portal} given up by this host before it was answered",
            unanswered: f"connect to {portal} not answered: its SYN was sent again and again",
            refused: f"connect to {portal} refused: nothing listens there, or a firewall refuses "
                     "it"}
        self.assertEqual(self.failed(live), expected)
        del expected[given_up]  # in a capture it is a SYN, and nobody knows who gave up
        self.assertEqual(self.failed(replayed), expected)
        for end in ("reset_here", "unanswered", "refused"):
            self.assertEqual(metrics.total("connections_ended_total", role="initiator",
                                           target=TARGET_NAME, end=end, during="connect"), 1, end)
        self.assertEqual(metrics.total("connections_ended_total", role="target",
                                       during="connect"), 0)

    def test_a_peer_that_cannot_be_reached(self):
        """No neighbour answers, so not even a SYN leaves this host: a capture has nothing of it."""
        port = free_port()
        with lonely_host() as (host, neighbour), Serve(port) as serve, Trace(port) as trace:
            with host.entered(), socket.socket() as initiator:
                # It blocks. One that polls may take the error from the socket, without its lock,
                # before the kernel closes it: then lunscope sees no reason.
                initiator.settimeout(None)
                initiator.bind((host.address, 0))
                own_port = initiator.getsockname()[1]
                with self.assertRaises(OSError) as failed:
                    initiator.connect((neighbour, port))
            self.assertEqual(failed.exception.errno, errno.EHOSTUNREACH)
            metrics = serve.settled()
            trace.stop()
            event, = trace.events()
        del event["time"]
        self.assertEqual(event, {
            "event": "connect_failed", "role": "initiator", "initiator": "unknown",
            "target": "unknown", "local": f"{host.address}:{own_port}",
            "remote": f"{neighbour}:{port}",
            "words": f"connect to {neighbour}:{port} failed: the network cannot reach it"})
        self.assertEqual(metrics.total("session_events_total", role="initiator",
                                       event="connect_failed"), 1)

    def failed(self, events):
        """{the initiator's port: words}"""
        failed = [event for event in events if event["event"] == "connect_failed"]
        for event in failed:
            self.assertEqual((event["role"], event["initiator"], event["target"]),
                             ("initiator", INITIATOR_NAME, TARGET_NAME))
        return {initiator_port(event): event["words"] for event in failed}


class Facts(LiveTest):

    def test_a_peer_that_does_not_read(self):
        """Unsent and unacknowledged bytes and the closed window, as `ss` sees them."""
        with Stage() as stage, Serve(stage.port) as serve, stage.connect() as conversation:
            conversation.say(login())
            sent = conversation.fill("target")
            names = ("tcp_unsent_bytes", "tcp_unacknowledged_bytes", "tcp_closed_send_windows",
                     "tcp_smoothed_rtt_seconds")
            metrics = serve.metrics()
            ours = {name: metrics.total(name, role="target") for name in names}
            theirs = self.ss(stage.port, conversation.port)
            self.assertEqual(ours["tcp_unsent_bytes"], theirs["notsent"])
            self.assertEqual(ours["tcp_unsent_bytes"] + ours["tcp_unacknowledged_bytes"],
                             theirs["queue"])
            self.assertEqual(metrics.total("unread_bytes", role="initiator"),
                             sent - theirs["queue"])
            self.assertEqual(ours["tcp_closed_send_windows"], 1)
            self.assertAlmostEqual(ours["tcp_smoothed_rtt_seconds"], theirs["rtt"], delta=1e-6)

    def ss(self, port, peer):
        """The figures of the target's end."""
        _, text, _, _ = run(["ss", "-tinH", f"sport = :{port} and dport = :{peer}"])
        found = {name: re.search(pattern, text) for name, pattern in
                 (("queue", r"ESTAB +\d+ +(\d+)"), ("notsent", r"notsent:(\d+)"),
                  ("rtt", r" rtt:([\d.]+)/"))}
        queue, unsent, rtt = (float(match[1]) if match else 0 for match in found.values())
        return {"queue": queue, "notsent": unsent, "rtt": rtt / 1e3}

    def test_pings(self):
        """Each sender's pings, with the time that the other one took; one is never answered."""
        pause = 0.1
        ask, answer = (pdu(NOP_OUT, itt=50, ttt=RESERVED_TAG, cmdsn=1, exp_statsn=1),
                       pdu(NOP_IN, itt=50, ttt=RESERVED_TAG, **STATSN))
        asked_by_target = pdu(NOP_IN, itt=RESERVED_TAG, ttt=60, lun=lun(0), **STATSN)
        answered = pdu(NOP_OUT, itt=RESERVED_TAG, ttt=60, lun=lun(0), cmdsn=1, exp_statsn=1)
        with Stage() as stage, Serve(stage.port) as serve:
            with stage.connect() as conversation:
                conversation.say(login())
                longest = {}
                for sender, first, second in (("initiator", I(ask), T(answer)),
                                              ("target", T(asked_by_target), I(answered))):
                    began = time.monotonic()
                    conversation.say([first])
                    time.sleep(pause)
                    conversation.say([second])
                    longest[sender] = time.monotonic() - began
                waited = time.monotonic()
                conversation.say([T(asked_by_target)])
                metrics = serve.metrics()
                for role in ROLES:
                    for sender in ROLES:
                        labels = {"role": role, "sender": sender}
                        self.assertEqual(metrics.total("ping_seconds_count", **labels), 1)
                        took = metrics.total("ping_seconds_sum", **labels)
                        self.assertGreaterEqual(took, pause)
                        self.assertLessEqual(took, longest[sender])
                        self.assertEqual(metrics.total("unanswered_pings", **labels),
                                         int(sender == "target"))
                    age = metrics.total("oldest_unanswered_ping_seconds", role=role,
                                        sender="target")
                    self.assertLess(age, time.monotonic() - waited)
                    self.assertGreater(age, 0)
            metrics = serve.settled()
            for role in ROLES:
                self.assertEqual(metrics.total("pings_given_up_total", role=role, sender="target"),
                                 1)

    def test_the_command_window(self):
        """MaxCmdSN - ExpCmdSN + 1 of the PDU that came last, at both ends; for how long no further
        command could be sent, and the one that was sent in spite of that. And StatSN - ExpStatSN.
        """
        with Stage() as stage, Serve(stage.port) as serve, stage.connect() as conversation:
            conversation.say(login())
            began = time.monotonic()
            for exp_cmdsn, max_cmdsn, window, smallest in (
                    (2, 64, 63, 63), (3, 10, 8, 8), (4, 3, 0, 0), (5, 5, 1, 0)):
                with self.subTest(window):
                    number = exp_cmdsn - 1
                    conversation.say([I(command(number)), T(response(
                        number, statsn=number, exp_cmdsn=exp_cmdsn, max_cmdsn=max_cmdsn))])
                    metrics = serve.metrics()
                    for role in ROLES:
                        self.assertEqual(metrics.total("command_window_commands", role=role),
                                         window)
                        self.assertEqual(
                            metrics.total("smallest_command_window_commands", role=role), smallest)
                        self.assertEqual(metrics.total("closed_command_windows", role=role),
                                         int(window == 0))
                        self.assertEqual(metrics.total("unacknowledged_statuses", role=role),
                                         number)
                    if window == 0:
                        self.check_that_it_grows(serve)
            conversation.say([I(command(5, exp_statsn=5)), T(response(5, statsn=5))])
            longest = time.monotonic() - began
            metrics = serve.metrics()
            for role in ROLES:
                self.assertEqual(metrics.total("unacknowledged_statuses", role=role), 1)
                self.assertEqual(metrics.total("commands_beyond_window_total", role=role), 1)
                closed = metrics.total("command_window_closed_seconds_total", role=role)
                self.assertGreaterEqual(closed, CLOSED_SECONDS)
                self.assertLess(closed, longest)
                time.sleep(0.01)
                self.assertEqual(serve.metrics().total("command_window_closed_seconds_total",
                                                       role=role), closed)

    def check_that_it_grows(self, serve):
        """The time of a window that is closed still counts in each scrape."""
        first = serve.metrics()
        time.sleep(CLOSED_SECONDS)
        second = serve.metrics()
        for role in ROLES:
            grown = [metrics.total("command_window_closed_seconds_total", role=role)
                     for metrics in (first, second)]
            self.assertGreaterEqual(grown[1] - grown[0], CLOSED_SECONDS)


class Tools(TgtdTest):
    TARGET = "iqn.2024-01.org.lunscope.test:events"

    def test_no_event_that_is_not_true(self):
        """Discovery, a session and a logout of real tools: these events and no others."""
        with Trace(self.tgtd.port, options=["--role", "initiator"]) as trace:
            run(["iscsi-ls", self.tgtd.url()])
            with Initiator(self.tgtd.port) as initiator:
                initiator.login(INITIATOR_NAME.encode(), self.TARGET.encode())
                initiator.run([(TEST_UNIT_READY, 0), (read_10(0, 8), 4096)])
                initiator.logout()
            wait_until(lambda: len(trace.events()) >= 6, 20, "events")
            time.sleep(0.5)
            trace.stop()
            kinds = [(event["target"], event["event"]) for event in trace.events()]
        for target in ("discovery", self.TARGET):
            self.assertEqual([kind for name, kind in kinds if name == target],
                             ["logged_in", "logged_out", "connection_ended"], target)


if __name__ == "__main__":
    main()
