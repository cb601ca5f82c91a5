# SPDX-License-Identifier: Apache-2.0
"""The witness (harness/witness.py) excuses no fault of lunscope's, and sees what a kernel skips."""

from harness.case import TgtdTest, main
from harness.compare import ROLES, check_nothing_lost
from harness.lunscope import Serve
from harness.perf import read_with_perf
from harness.unattached import serve_without
from harness.witness import Witness, check_admitted, measure

COMMANDS = 2000
BLIND_EVERY = 20


class WitnessTest(TgtdTest):

    def setUp(self):
        super().setUp()
        self.runs = 0

    def read(self, serve):
        self.runs += 1
        read_with_perf(self.tgtd, self.url, COMMANDS)
        return serve.settled()

    def read_and_serve(self):
        with Serve(self.tgtd.port) as serve:
            return self.read(serve)

    def test_a_program_that_is_not_attached_fails_the_test(self):
        """lunscope believes that `transmit` is attached. The kernel runs the witness, so the strict
        checks decide at once, and nothing is measured again. Holes would not excuse it either.
        """
        serve = self.use(serve_without("transmit", self.tgtd.port))
        with Witness(self.tgtd.port, blind_every=BLIND_EVERY) as blind:
            metrics = measure(lambda: self.read(serve), self.tgtd.port)
            found = blind.holes()
        self.assertEqual(self.runs, 1)
        self.assertEqual([sample.value for sample in
                          metrics.select("probe_attached", program="transmit")], [1])
        self.assertEqual(metrics.accounts("initiator")[0], 0)
        self.assertGreater(metrics.accounts("target")[0], COMMANDS)
        with self.assertRaises(AssertionError):
            check_nothing_lost(self, metrics)
        self.assertGreater(len(found), 0)
        with self.assertRaisesRegex(AssertionError, "does not admit it"):
            check_admitted(metrics, found)

    def test_what_it_sees(self):
        """All of both streams, and where it looks away, as a kernel would make it, the holes."""
        with Witness(self.tgtd.port) as witness, \
                Witness(self.tgtd.port, blind_every=BLIND_EVERY) as blind:
            metrics = measure(self.read_and_serve, self.tgtd.port)
            holes, streams, seen_bytes = witness.testimony()
            found, _, fewer_bytes = blind.testimony()
        check_nothing_lost(self, metrics)
        self.assertEqual(streams, 2 * self.runs)
        sent_bytes = sum(metrics.total("sent_bytes_total", role=role) for role in ROLES)
        self.assertGreaterEqual(seen_bytes + sum(each.bytes for each in holes), sent_bytes)
        self.assertIn(self.tgtd.port, {each.local_port for each in found})
        self.assertIn(self.tgtd.port, {each.remote_port for each in found})
        # No byte is in a hole that was not kept from it. The last ones may be, and show no hole.
        in_holes = sum(each.bytes for each in found)
        self.assertGreater(in_holes, 0)
        self.assertLessEqual(in_holes, seen_bytes - fewer_bytes)
        check_admitted(metrics, found)  # lunscope missed nothing, and says so


if __name__ == "__main__":
    main()
