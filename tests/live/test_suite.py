# SPDX-License-Identifier: Apache-2.0
"""libiscsi's conformance suite against tgtd: every PDU of every opcode, as tshark counts them.

The suite floods, sends commands outside the window, aborts, and drops connections.
"""

import collections

from capture import Capture
from compare import PDU_LABELS
from harness import LiveTest, main, run
from lunscope import Serve
from tgtd import Tgtd

# The suite has 230 tests; one that crashed early would send far fewer commands than this.
ENOUGH_COMMANDS = 40_000
# iSCSIcmdsn.iSCSICmdSnTooHigh and .iSCSICmdSnTooLow send one command each with a CmdSN outside the
# window: a target drops those in silence (RFC 7143 section 4.2.2.1).
UNANSWERED_COMMANDS = 2


class Suite(LiveTest):

    def setUp(self):
        super().setUp()
        self.tgtd = self.use(Tgtd())
        target = self.tgtd.add_target("iqn.2024-01.org.lunscope.test:suite")
        self.url = target.url(target.add_lun())

    def test_every_pdu_is_counted(self):
        with Serve(self.tgtd.port) as serve, Capture(self.tgtd.port) as capture:
            # Some of its tests fail with tgtd, which is not what is tested here.
            _, output, _, _ = run(["iscsi-test-cu", "--dataloss", "--allow-sanitize", "--ignore",
                                   "--test=ALL", self.url], timeout=240, check=False)
            self.assertIn("Run Summary", output)
            metrics = serve.settled()
            decoded = {PDU_LABELS[opcode]: count for opcode, count in capture.opcodes().items()}
        self.assertGreater(decoded["scsi_command"], ENOUGH_COMMANDS)
        for role in ("initiator", "target"):
            with self.subTest(role=role):
                self.check_role(metrics, role, decoded)
        self.assertEqual(metrics.total("stream_gaps_total"), 0)
        self.assertEqual(metrics.total("events_lost_total"), 0)
        self.assertEqual(metrics.total("unparsed_bytes_total"), 0)

    def check_role(self, metrics, role, decoded):
        counted = collections.Counter()
        for name in ("pdus_sent_total", "pdus_received_total"):
            for sample in metrics.select(name, role=role):
                counted[sample.labels["opcode"]] += int(sample.value)
        self.assertEqual({pdu: count for pdu, count in counted.items() if count}, decoded)
        seen, reported, unreported, in_flight = metrics.accounts(role)
        self.assertEqual(seen, decoded["scsi_command"])
        self.assertEqual((seen, in_flight), (reported + unreported, 0))
        self.assertEqual(metrics.total("unmatched_responses_total", role=role), 0)
        unreported = {sample.labels["reason"]: sample.value
                      for sample in metrics.select("commands_unreported_total", role=role)
                      if sample.value}
        self.assertEqual(unreported, {"connection_closed": UNANSWERED_COMMANDS})


if __name__ == "__main__":
    main()
