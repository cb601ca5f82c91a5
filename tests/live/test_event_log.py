# SPDX-License-Identifier: Apache-2.0
"""The events of `serve`: the page has what `trace` printed, standard error has what is wrong, and a
flood costs neither memory nor commands. tests/harness/event_rows.py has what is played.

LUNSCOPE_EVENT_CONNECTIONS sets how many connections end at once (3000).
"""

import collections
import contextlib
import datetime
import gzip
import http.client
import os
import re
import signal
import sys
import time

from harness.case import LiveTest, main
from harness.dialogue import I, Stage, T, TARGET_NAME, login, login_request, login_response
from harness.event_rows import play
from harness.floods import Peers, pass_on
from harness.lunscope import Serve, Trace
from harness.pdus import command, response
from harness.process import status_of, wait_until

KEPT, AT_ONCE = 1000, 10
# Kinds whose level is a warning, as their words begin; and what an ordinary day has.
WARNINGS = ("login refused", "logout refused", "ABORT TASK", "Reject", "Asynchronous Message")
ORDINARY = (": logged in (", ": logged out (", ", after the logout (",
            ", after the target turned the login away (")
LOGINS = ("logged_in", "session_restored", "session_reinstated", "session_taken_over")
CONNECTIONS = int(os.environ.get("LUNSCOPE_EVENT_CONNECTIONS", "3000"))
# A process grows by so much without a flood: stacks, and the page of a scrape.
MORE_BYTES = 16 << 20
# Two observers see the same PDU some microseconds apart.
OUTAGE = re.compile(r"[0-9]+[.][0-9]+ s without a session")


def facts(event):
    """All but the time and the process, for whose name `serve` does not wait."""
    return sorted((key, OUTAGE.sub("a time without a session", value))
                  for key, value in event.items() if key not in ("time", "process"))


def epoch(event):
    return datetime.datetime.fromisoformat(event["time"]).timestamp()


def sentences(serve):
    return [line for line in serve.process.stderr.split("\n") if "'s end of " in line]


class Same(LiveTest):

    def test_objects(self):
        with Stage() as stage, Serve(stage.port) as serve, Trace(stage.port) as trace:
            play(stage)
            metrics = serve.settled()
            trace.stop()
            live, kept = trace.events(), serve.events()
            wait_until(lambda: "connection reset by the peer, without a logout" in
                       serve.process.stderr, 20, "the sentence")
            lines = sentences(serve)
        self.check_kept(kept, live)
        self.check_counted(metrics, live)
        self.check_said(lines, live)

    def check_kept(self, kept, live):
        self.assertEqual((kept["kept"], kept["dropped"]), (len(live), 0))
        for ours, theirs in zip(sorted(kept["events"], key=facts), sorted(live, key=facts),
                                strict=True):
            self.assertEqual(facts(ours), facts(theirs))
            self.assertAlmostEqual(epoch(ours), epoch(theirs), delta=0.01)
        times = [event["time"] for event in kept["events"]]
        self.assertEqual(times, sorted(times))

    def check_counted(self, metrics, live):
        counted = collections.Counter()
        for sample in metrics.select("session_events_total"):
            counted[sample.labels["role"], sample.labels["event"]] += int(sample.value)
        self.assertEqual(+counted, collections.Counter(
            (event["role"], event["event"]) for event in live))
        self.assertEqual(metrics.total("session_events_dropped_total"), 0)

    def check_said(self, lines, live):
        """Standard error has what is wrong, and nothing of an ordinary login or logout."""
        for words in WARNINGS:
            expected = sum(event["words"].startswith(words) for event in live)
            self.assertEqual(sum(f": {words}" in line for line in lines),
                             min(expected, AT_ONCE), words)
        for words in ORDINARY:
            self.assertNotIn(words, "".join(lines))

    def test_rows(self):
        with Stage() as stage, Trace(stage.port, output="table") as trace, \
                Serve(stage.port) as serve:
            play(stage)
            serve.settled()
            trace.stop()
            heading, names, *ours = serve.page("/events").splitlines()
            table = trace.process.stdout.decode().splitlines()
        self.assertEqual(heading, f"{len(ours)} events, and 0 older ones are no longer kept")
        self.assertIn(names, table)
        clock = len("12:00:00.000000")
        theirs = [row for row in table if re.search(r"\(\S+ at \S+\)$", row)]
        self.assertEqual(*(sorted(OUTAGE.sub("", row[clock:]) for row in rows)
                           for rows in (ours, theirs)))


class Pages(LiveTest):
    GZIP = "gzip"

    def test_are_served_as_the_metrics_are(self):
        rows = (
            ("GET", "/events", {}, 200, "text/plain; charset=utf-8"),
            ("GET", "/events.json", {}, 200, "application/json"),
            ("HEAD", "/events", {}, 200, "text/plain; charset=utf-8"),
            ("GET", "/events", {"Accept-Encoding": self.GZIP}, 200, "text/plain; charset=utf-8"),
            ("GET", "/events/", {}, 404, None),
            ("GET", "/events.json", {"Host": "evil.example"}, 421, None),
            ("POST", "/events", {}, 405, None))
        with Stage() as stage, Serve(stage.port) as serve:
            with stage.connect() as conversation:
                conversation.say(login())
            serve.settled()
            for method, path, headers, status, content_type in rows:
                with self.subTest(f"{method} {path} {headers}"):
                    answer, body = self.ask(serve, method, path, headers)
                    self.assertEqual(answer.status, status)
                    if content_type is None:
                        continue
                    self.assertEqual(answer.headers["Content-Type"], content_type)
                    self.assertEqual(answer.headers["Content-Encoding"],
                                     headers.get("Accept-Encoding"))
                    if self.GZIP in headers.values():
                        body = gzip.decompress(body)
                    self.assertEqual(b"logged in" in body, method != "HEAD")
            for path in "/events", "/events.json":
                self.assertIn(f'href="{path}"', serve.page("/"))

    def ask(self, serve, method, path, headers):
        connection = http.client.HTTPConnection(serve.address, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer, answer.read()

    def test_hostile_names(self):
        """The pages and standard error are printable ASCII, and no line is broken."""
        hostile = b"iqn.\x1b[2J\n\r\x00\xff\xe2\x80\xae" + b"x" * 5000
        keys = b"InitiatorName=" + hostile + b"\0TargetName=" + hostile + b"\0SessionType=Normal\0"
        with Stage() as stage, Serve(stage.port) as serve:
            with stage.connect() as conversation:
                conversation.say([I(login_request(keys, names=False)), T(login_response(
                    flags=0, tsih=0, status_class=2, status_detail=3))])
            serve.settled()
            rows, objects = serve.page("/events"), serve.page("/events.json")
            wait_until(lambda: "login refused: Not found" in serve.process.stderr, 20,
                       "the sentence")
            for name, shown in (("rows", rows), ("JSON", objects),
                                ("log", serve.process.stderr)):
                with self.subTest(name):
                    self.assertRegex(shown, r"\A[\x20-\x7e\n]+\Z")
                    self.assertIn("login refused: Not found", shown)
                    self.assertIn(r"iqn.\x1b[2J\x0a", shown.replace("\\\\", "\\"))
                    self.assertLess(max(map(len, shown.split("\n"))), 20000)


class Flood(LiveTest):

    def play(self, serve, peers, own, numbers):
        """Thousands of sessions end at once, each with a command open, while another one goes on.
        """
        command_pdu = command().wire()
        with contextlib.ExitStack() as stack:
            for _ in range(CONNECTIONS):
                initiator, target = stack.enter_context(peers.connection())
                peers.log_in(initiator, target)
                pass_on(initiator, target, command_pdu)
            began = time.monotonic()
            stack.close()
            took = time.monotonic() - began
        for number in numbers:
            own.say([I(command(number)), T(response(number, statsn=number, exp_cmdsn=number + 1,
                                                    max_cmdsn=number + 64))])
            serve.page("/events")
        metrics = serve.settled()
        resident, _ = status_of(f"/proc/{serve.process.pid}/status")["VmRSS"].split()  # and "kB"
        print(f"{CONNECTIONS} connections ended in {took:.2f} s, {resident} kB resident",
              file=sys.stderr)
        return metrics, int(resident) << 10

    def check_counts(self, metrics):
        """Returns how many ends are events. An end whose record was lost is counted, and no event.
        """
        counted = {sample.labels["event"]: int(sample.value) for sample in
                   metrics.select("session_events_total", role="target") if sample.value}
        unknown = metrics.total("connections_ended_total", end="unknown")
        self.assertEqual(metrics.total("connections_ended_total"), 2 * CONNECTIONS)
        logins = sum(counted.pop(kind, 0) for kind in LOGINS)
        self.assertEqual(logins, metrics.total("logins_total"))
        self.assertEqual(counted, {"connection_ended": 2 * CONNECTIONS - unknown})
        self.assertLessEqual(unknown, metrics.total("events_lost_total"))
        return counted["connection_ended"]

    def test_thousands_of_connections_that_end_at_once(self):
        options = ["--role", "target", "--connection-memory", "512M", "--log.format", "logfmt"]
        commands = 50
        with Peers() as peers, Stage() as stage, \
                Serve(peers.port, stage.port, options=options) as serve, stage.connect() as own:
            own.say(login())
            _, first = self.play(serve, peers, own, range(1, commands + 1))
            metrics, second = self.play(serve, peers, own, range(commands + 1, 2 * commands + 1))
            page = serve.events()
            self.assertLess(second, first + MORE_BYTES)
            ends = self.check_counts(metrics)
            print(f"{page['dropped']} events dropped, {metrics.total('events_lost_total'):.0f} "
                  "records lost", file=sys.stderr)
            self.assertEqual(len(page["events"]), KEPT)
            self.assertEqual(page["dropped"], metrics.total("session_events_total") - KEPT)
            self.assertEqual(metrics.total("session_events_dropped_total"), page["dropped"])
            self.assertEqual(metrics.total("commands_total", target=TARGET_NAME), 2 * commands)
            unsaid = int(metrics.total("session_events_unsaid_total"))
            lost = metrics.total("events_lost_total")
            serve.process.signal(signal.SIGTERM)
            serve.process.wait(60)
            self.check_said(serve, ends, unsaid, lost)

    def check_said(self, serve, ends, unsaid, lost):
        """A few events of each kind have lines, and the others are counted in lines."""
        said = [line for line in sentences(serve) if " level=warn " in line]
        self.assertLess(len(said), 2 * AT_ONCE)
        for line in said:
            self.assertRegex(line, "^time=.* msg=\"target's end of .*; 1 command had no answer ")
        summed = re.findall(r'level=warn msg="(\d+) more events were not said: ([^;]*);',
                            serve.process.stderr)
        self.assertEqual(sum(int(more) for more, _ in summed), unsaid)
        more = sum(map(int, re.findall(r"(\d+) connection_ended", " ".join(
            kinds for _, kinds in summed))))
        self.assertLessEqual(len(said) + more, ends)
        self.assertGreaterEqual(len(said) + more, ends - lost)


if __name__ == "__main__":
    main()
