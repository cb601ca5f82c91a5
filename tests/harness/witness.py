# SPDX-License-Identifier: Apache-2.0
"""Did the kernel run the programs? A witness tells a kernel that skipped a program from a fault.

Some kernels do not run BPF programs at all while a certain process is current (docs/DESIGN.md).
TCP's timers may send a segment meanwhile. It passes the hook of `transmit`, lunscope cannot see it,
and counts a gap. A test must not fail for that, and must not take every gap for such a case.

The proof. `witness` (witness.cc, witness.bpf.c) attaches a second program to the same hook. It
shares no code, no map and no process with lunscope, and follows nothing but TCP sequence numbers.
TCP sends new bytes in order. So a segment that begins behind the last byte seen shows a *hole*:
bytes that passed the hook while the kernel did not run the witness.

  no hole   The kernel ran programs for every segment. If lunscope misses something, that is a
            fault of lunscope, or its program was detached. The test's strict checks decide.
  a hole    The kernel skipped programs. lunscope must admit exactly what is missing, as
            check_admitted() says. Such a run measures the kernel, so it is taken once more. No
            failure leads to that: the witness is asked before anything is compared.

check_admitted() needs no estimate. Both ends of each connection are on this host. Received bytes
are seen where a process copies them out of its socket, and no softirq does that. So what the other
end received is the truth about what this end sent, and the counters have to explain the rest:

  bytes received there - bytes of PDUs seen sent here, both ways = lunscope_unparsed_bytes_total
  commands seen by the target - those seen by the initiator      = SCSI Command PDUs missed
  gaps <= holes, all of them "missing_bytes", and no record lost

A gap that is longer than what is missing, a command that is gone without a gap, or a gap of another
reason fails the test. tests/live/test_witness.py shows that a lunscope without its hook fails, too.
"""

import dataclasses

from harness.capture import IncompleteCapture
from harness.compare import ROLES
from harness.process import LUNSCOPE, start

_PROGRAM = LUNSCOPE.parent / "witness"
_START_SECONDS = 60
_TIMES = 4
_MISSING = "missing_bytes"
# The PDUs that end a command.
_ANSWERS = ("scsi_response", "data_in")


@dataclasses.dataclass(frozen=True)
class Holes:
    """The holes in one stream, from one port to another."""

    local_port: int
    remote_port: int
    count: int
    bytes: int


class Witness:
    """The program at the hook, for these TCP ports, while it is entered.

    `blind_every`: it looks away from every so many segments of each stream, to show what it then
    finds.
    """

    def __init__(self, *ports, blind_every=0):
        self._command = [_PROGRAM, blind_every, *ports]
        self._process = None

    def __enter__(self):
        self._process = start(self._command, lambda process: b"attached" in process.stdout,
                              _START_SECONDS, "the witness")
        return self

    def __exit__(self, *_):
        self._process.__exit__()

    def holes(self):
        """End it. Returns the streams with holes."""
        return self.testimony()[0]

    def testimony(self):
        """End it. Returns the streams with holes, and how many streams and bytes it saw."""
        self._process.end_politely()
        _, *lines, last = self._process.stdout.decode().splitlines()
        streams, _, seen_bytes, _ = last.split()
        return [Holes(*map(int, line.split())) for line in lines], int(streams), int(seen_bytes)


def gaps_of(metrics):
    """{reason: gaps}"""
    return {sample.labels["reason"]: int(sample.value)
            for sample in metrics.select("stream_gaps_total") if sample.value}


def _pdus(metrics, way, role, *opcodes):
    return int(sum(metrics.total(f"pdus_{way}_total", role=role, opcode=opcode)
                   for opcode in opcodes))


def _missed(metrics, role, peer, *opcodes):
    """PDUs of these opcodes that `role` sent and did not see: the peer received them."""
    return _pdus(metrics, "received", peer, *opcodes) - _pdus(metrics, "sent", role, *opcodes)


def _require(is_so, what):
    if not is_so:
        raise AssertionError(f"the kernel skipped programs, and lunscope does not admit it: {what}")


def check_admitted(metrics, holes, is_whole=True):
    """The counters say exactly what is missing. `is_whole`: each connection was watched from its
    first byte, and what was sent was received.
    """
    gaps, limit = gaps_of(metrics), sum(each.count for each in holes)
    _require(gaps.keys() <= {_MISSING}, f"gaps of other reasons: {gaps}")
    _require(sum(gaps.values()) <= limit, f"{gaps} where there are {limit} holes")
    _require(metrics.total("events_lost_total") == 0, "records are lost as well")
    for role in ROLES:
        seen, *rest = metrics.accounts(role)
        _require(seen == sum(rest), f"{role}: {seen} commands seen, and {rest}")
    if is_whole:
        _check_sums(metrics)


def _check_sums(metrics):
    missing = sum(metrics.total("received_bytes_total", role=peer)
                  - metrics.total("sent_bytes_total", role=role)
                  for role, peer in (ROLES, ROLES[::-1]))
    unparsed = metrics.total("unparsed_bytes_total")
    _require(missing == unparsed == metrics.total("unparsed_bytes_total", reason=_MISSING),
             f"{missing:.0f} bytes are missing, and {unparsed:.0f} are counted")
    initiator, target = (metrics.accounts(role) for role in ROLES)
    commands = _missed(metrics, *ROLES, "scsi_command")
    _require(target[0] - initiator[0] == commands,
             f"{target[0]} commands at the target, {initiator[0]} at the initiator, "
             f"and {commands} PDUs missed")
    _require(metrics.total("unmatched_responses_total", role="initiator") <= commands,
             "more answers without a command than commands are missing")
    answers = _missed(metrics, *ROLES[::-1], *_ANSWERS)
    unanswered = target[2] + target[3] - initiator[2] - initiator[3]
    _require(unanswered <= answers, f"{unanswered} commands unanswered, {answers} answers missed")


def measure(take, *ports, is_whole=True):
    """Returns what take() returns: a Metrics, or a tuple that begins with one.

    take() has all of its traffic on these ports, and starts the lunscope that watches it. It is
    called again, up to four times in all, where a run is proven to show nothing about lunscope: the
    kernel skipped programs, or dumpcap says that it dropped packets.
    """
    for _ in range(_TIMES):
        with Witness(*ports) as witness:
            try:
                taken = take()
            except IncompleteCapture as error:
                print(f"{error}; once more", flush=True)
                continue
            holes = witness.holes()
        metrics = taken[0] if isinstance(taken, tuple) else taken
        if not holes or not gaps_of(metrics):
            return taken
        check_admitted(metrics, holes, is_whole)
        print(f"the kernel ran no program for some segments: {holes}; lunscope admits "
              f"{gaps_of(metrics)}; once more", flush=True)
    raise AssertionError(f"no run in {_TIMES} was one in which the kernel ran every program and "
                         "dumpcap dropped nothing: see above")
