# SPDX-License-Identifier: Apache-2.0
"""lunscope as a test uses it: `trace`, `serve`, and what each says."""

import dataclasses
import json
import re
import signal
import subprocess
import time
import urllib.request

from harness.process import LUNSCOPE, free_port, run, start, wait_until

START_SECONDS = 60
# Far above the second it promises: the test of that promise is its own, the others only need an
# end. A machine of two cores may be busy with the traffic.
_STOP_SECONDS = 60
_REST_SECONDS = 60
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclasses.dataclass(frozen=True)
class Sample:
    """One line of the exposition."""

    name: str
    labels: dict
    value: float


class Metrics:
    """The samples of one scrape. Names are given without the prefix lunscope_."""

    _LINE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
    _LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)",?')
    _ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.split("\n"):
            if line and not line.startswith("#"):
                match = self._LINE.fullmatch(line)
                if match is None:
                    raise ValueError(f"not a line of the exposition: {line!r}")
                self.samples.append(Sample(match["name"], self._labels(match["labels"] or ""),
                                           float(match["value"])))

    @classmethod
    def _labels(cls, text):
        def unescape(value):
            return re.sub(r"\\.", lambda escape: cls._ESCAPES[escape[0]], value)
        return {name: unescape(value) for name, value in cls._LABEL.findall(text)}

    def select(self, name, **labels):
        return [sample for sample in self.samples if sample.name == f"lunscope_{name}"
                and labels.items() <= sample.labels.items()]

    def total(self, name, **labels):
        """The sum of the series with these labels; 0 if there are no such series."""
        return sum(sample.value for sample in self.select(name, **labels))

    def accounts(self, role):
        """(seen, reported, unreported, in flight) of a role: the first is the sum of the others."""
        return tuple(int(self.total(f"commands_{what}", role=role))
                     for what in ("seen_total", "reported_total", "unreported_total", "in_flight"))


def lines_of(text):
    """The objects of JSON lines; each line has to be valid by itself."""
    return [json.loads(line) for line in text.split("\n") if line]


def records_of(text):
    """Those of commands or PDUs."""
    return [line for line in lines_of(text) if "event" not in line and "finding" not in line]


def events_of(text):
    return [line for line in lines_of(text) if "event" in line]


def findings_of(text):
    return [line for line in lines_of(text) if "finding" in line]


def _start(command, line):
    return start(command, lambda process: line in process.stderr, START_SECONDS, repr(line))


class Trace:
    """`lunscope trace` on some ports, from attached to ended."""

    _SUMMARY = re.compile(r"(\d+) commands, (\d+) lost")

    def __init__(self, *ports, output="json", options=()):
        words = [word for port in ports for word in ("--port", port)]
        self._command = [LUNSCOPE, "trace", "-o", output, *words, *options]
        self.process = None

    def __enter__(self):
        self.process = _start(self._command, "lunscope: watching ")
        return self

    def __exit__(self, *_):
        self.process.__exit__()

    def stop(self, number=signal.SIGINT):
        """End it as a person does. Returns (commands, lost) of its last line."""
        if self.process.running:
            self.process.signal(number)
        code = self.process.wait(_STOP_SECONDS)
        summary = self._SUMMARY.search(self.process.stderr)
        if code != 0 or summary is None:
            raise RuntimeError(f"lunscope trace ended with {code} and said {self.process.stderr!r}")
        return int(summary[1]), int(summary[2])

    def records(self):
        """The JSON records up to now."""
        return records_of(self.process.stdout.decode("utf-8"))

    def events(self):
        return events_of(self.process.stdout.decode("utf-8"))

    @property
    def output(self):
        """Everything it said, for looking for what it must not say."""
        return self.process.stdout + self.process.stderr.encode()


class Serve:
    """`lunscope serve` on some ports, its endpoint on a free port; `prefix`: words before that."""

    def __init__(self, *ports, options=(), prefix=()):
        self.address = f"127.0.0.1:{free_port()}"
        words = [word for port in ports for word in ("--port", port)]
        self._command = [*prefix, LUNSCOPE, "serve", *words, "--web.listen-address", self.address,
                         *options]
        self.process = None

    def __enter__(self):
        self.process = _start(self._command, "serving http")
        return self

    def __exit__(self, *_):
        self.process.__exit__()

    def page(self, path):
        with _NO_PROXY.open(f"http://{self.address}{path}", timeout=60) as response:
            return response.read().decode("utf-8")

    def scrape(self):
        """The exposition as it is now, as text."""
        return self.page("/metrics")

    def events(self):
        """The object of the last events."""
        return json.loads(self.page("/events.json"))

    def metrics(self):
        return Metrics(self.scrape())

    def counted(self):
        """The metrics once every record that is out of the ring is in them."""
        return wait_until(lambda: not (metrics := self.metrics()).total("waiting_records")
                          and metrics, _REST_SECONDS, "the waiting records to be counted")

    def sessions(self):
        """The answer of `lunscope sessions -o json`."""
        return json.loads(self.sessions_table("-o", "json"))

    def sessions_table(self, *options):
        _, out, _, _ = run([LUNSCOPE, "sessions", *options, "--web.listen-address", self.address])
        return out

    def settled(self):
        """The metrics once traffic has ended: no command is in flight, no byte is unread, and two
        scrapes agree. After _REST_SECONDS the metrics as they are, for the caller's checks to judge.
        """
        return self._agreed(lambda metrics: not any(map(metrics.total, (
            "commands_in_flight", "unread_bytes", "waiting_records"))))

    def standing(self):
        """The same where a peer is stopped, so that commands stay in flight: two scrapes agree."""
        return self._agreed(lambda metrics: not metrics.total("waiting_records"))

    def _agreed(self, is_at_rest):
        deadline, before = time.monotonic() + _REST_SECONDS, None
        while True:
            metrics = self.metrics()
            now = [metrics.accounts(role) for role in ("initiator", "target")]
            is_over = time.monotonic() > deadline
            if (now == before and is_at_rest(metrics)) or is_over:
                return metrics
            before = now
            time.sleep(0.02)


def check_exposition(text):
    """The findings of `promtool check metrics` in an exposition: empty when all is well."""
    result = subprocess.run(["promtool", "check", "metrics"], input=text.encode(),
                            capture_output=True, timeout=120, check=False)
    return (result.stdout + result.stderr).decode() + (
        f"exit code {result.returncode}" if result.returncode else "")


def fail_to_start(words, prefix=(), timeout=120):
    """Run lunscope where it must refuse. Returns (exit code, stderr)."""
    code, _, stderr, _ = run([*prefix, LUNSCOPE, *words], timeout=timeout, check=False)
    return code, stderr


def replay(file, *words, prefix=(), check=True):
    """`lunscope replay` of a capture. Returns (exit code, stdout, stderr)."""
    return run([*prefix, LUNSCOPE, "replay", file, *words], timeout=60, check=check)[:3]
