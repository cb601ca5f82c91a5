# SPDX-License-Identifier: Apache-2.0
"""Peers open as many connections as they like: lunscope's memory has a limit, and it goes on.

In a control group that has hardly more memory than --connection-memory takes.
"""

import contextlib

from harness.case import LiveTest, main
from harness.control_group import in_group, memory_group
from harness.floods import Peers, pass_on
from harness.lunscope import Serve
from harness.pdus import FINAL, SCSI_COMMAND, SCSI_RESPONSE, pdu
from harness.process import wait_until

STATE, SPILL, AGGREGATES = 16 << 10, 64 << 10, 16 << 10  # bytes, of each end
CONNECTION_MEMORY = 16 << 20
GROUP_MEMORY = 64 << 20
WATCHED = CONNECTION_MEMORY // STATE // 2  # connections, whose two ends are watched
MORE = 500
WAIT_SECONDS = 60


def commands(numbers):
    """As bytes: TEST UNIT READY with these tags, and the answers."""
    return tuple(b"".join(each) for each in zip(*(
        (pdu(SCSI_COMMAND, FINAL, itt=number, cmdsn=number, exp_statsn=number).wire(),
         pdu(SCSI_RESPONSE, FINAL, itt=number, statsn=number, exp_cmdsn=number + 1,
             max_cmdsn=number + 1000).wire()) for number in numbers)))


class Memory(LiveTest):

    def setUp(self):
        super().setUp()
        self.peers = self.use(Peers())
        self.group = self.use(memory_group(GROUP_MEMORY))

    def serve(self, *options):
        return self.use(Serve(self.peers.port, prefix=in_group(self.group),
                              options=["--connection-memory", CONNECTION_MEMORY, *options]))

    def check_memory(self, serve, expected):
        wait_until(lambda: serve.metrics().total("connection_memory_bytes") == expected,
                   WAIT_SECONDS, f"{expected} bytes")

    def test_more_connections_than_memory(self):
        serve = self.serve()
        with contextlib.ExitStack() as first, contextlib.ExitStack() as last:
            for number in range(WATCHED + MORE):
                stack = first if number < WATCHED else last
                ends = stack.enter_context(self.peers.connection())
                self.peers.log_in(*ends)
            metrics = serve.metrics()
            self.assertEqual(metrics.total("untracked_connections_total"), 2 * MORE)
            self.assertEqual(metrics.total("connections"), 2 * WATCHED)
            self.check_memory(serve, CONNECTION_MEMORY)
            wait_until(lambda: "connections are not watched" in serve.process.stderr, WAIT_SECONDS,
                       "the sentence")
            # They give their memory back, and one that had none is watched.
            first.close()
            self.check_memory(serve, 0)
            request, answer = commands(range(1, 101))
            pass_on(ends[0], ends[1], request)
            pass_on(ends[1], ends[0], answer)
            self.check_memory(serve, 2 * STATE)
        self.check_memory(serve, 0)
        self.assertEqual(serve.metrics().total("untracked_connections_total"), 2 * MORE)
        self.assertEqual(serve.metrics().total("connection_memory_limit_bytes"), CONNECTION_MEMORY)

    def test_every_kind_of_state_is_given_back(self):
        """300 commands in flight need the second table."""
        serve = self.serve("--mode", "aggregate")
        for _ in range(3):
            with self.peers.connection() as (initiator, target):
                self.peers.log_in(initiator, target)
                request, answer = commands(range(1, 301))
                pass_on(initiator, target, request)
                self.check_memory(serve, 2 * (STATE + SPILL))
                pass_on(target, initiator, answer)
                self.check_memory(serve, 2 * (STATE + SPILL + AGGREGATES))
                metrics = serve.settled()
                for role in "initiator", "target":
                    self.assertEqual(metrics.accounts(role)[2:], (0, 0))
            self.check_memory(serve, 0)

    def test_too_little_for_the_second_table(self):
        serve = self.use(Serve(self.peers.port, options=["--connection-memory", 1 << 20]))
        with contextlib.ExitStack() as stack:
            for _ in range(31):
                self.peers.log_in(*stack.enter_context(self.peers.connection()))
            initiator, target = stack.enter_context(self.peers.connection())
            self.peers.log_in(initiator, target)
            request, answer = commands(range(1, 301))
            pass_on(initiator, target, request)
            pass_on(target, initiator, answer)
            metrics = serve.settled()
        for role in "initiator", "target":
            seen, reported, unreported, in_flight = metrics.accounts(role)
            self.assertEqual((seen, in_flight), (300, 0), role)
            self.assertGreaterEqual(reported, 180)
            self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                           reason="table_full"), unreported)


if __name__ == "__main__":
    main()
