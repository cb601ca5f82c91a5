# SPDX-License-Identifier: Apache-2.0
"""Writes to a real target in the four combinations of InitialR2T and ImmediateData (RFC 7143
sections 13.10 and 13.11): immediate, unsolicited and solicited data, added up by both ends.
"""

import collections

from harness.capture import Capture, count_opcodes
from harness.case import TgtdTest, main
from harness.compare import (PDU_LABELS, ROLES, check_nothing_lost, check_same_commands,
                             initiator_port, role_of)
from harness.lunscope import Serve, Trace
from harness.pdus import DATA_OUT, R2T, TEST_UNIT_READY
from harness.scripted import BLOCK, Initiator

INITIATOR = b"iqn.2024-01.org.lunscope.test:writes-initiator"
TARGET = "iqn.2024-01.org.lunscope.test:writes"
FIRST_BURST, MAX_BURST = 16384, 65536
# Less than a data segment, more than one, more than the first burst, more than a burst.
SIZES = (BLOCK, 12 * 1024, 40 * 1024, 200 * 1024)

# InitialR2T, ImmediateData: of 40 KiB, how much goes as (immediate, unsolicited, solicited) data.
COMBINATIONS = {
    (b"Yes", b"Yes"): (8192, 0, 32768),
    (b"Yes", b"No"): (0, 0, 40960),
    (b"No", b"Yes"): (8192, 8192, 24576),
    (b"No", b"No"): (0, 16384, 24576),
}


class Writes(TgtdTest):
    TARGET = TARGET

    def setUp(self):
        super().setUp()
        self.target.update("FirstBurstLength", FIRST_BURST)
        self.target.update("MaxBurstLength", MAX_BURST)

    def write_all(self, initial_r2t, immediate_data):
        """Returns the initiator's port."""
        keys = {b"InitialR2T": initial_r2t, b"ImmediateData": immediate_data,
                b"FirstBurstLength": b"%d" % FIRST_BURST, b"MaxBurstLength": b"%d" % MAX_BURST}
        for key in (b"InitialR2T", b"ImmediateData"):
            self.target.update(key.decode(), keys[key].decode())
        with Initiator(self.tgtd.port) as initiator:
            status = initiator.login(INITIATOR, TARGET.encode(), more_keys=keys)
            self.assertEqual(status, (0, 0))
            self.assertEqual({key: initiator.keys[key] for key in keys}, keys)
            initiator.run([(TEST_UNIT_READY, 0)])  # the unit attention of a new session
            ways = [initiator.write(0, bytes(size)) for size in SIZES]
            self.assertEqual(ways[2], COMBINATIONS[initial_r2t, immediate_data])
            return initiator.port

    def test_every_combination(self):
        ports = {}
        with Serve(self.tgtd.port) as serve, Trace(self.tgtd.port) as trace, \
                Capture(self.tgtd.port) as capture:
            for combination in COMBINATIONS:
                with self.subTest(combination):
                    ports[combination] = self.write_all(*combination)
            metrics = serve.settled()
            trace.stop()
            records = trace.records()
            check_same_commands(self, records, capture.commands())
            decoded = count_opcodes(capture.file, self.tgtd.port)
        check_nothing_lost(self, metrics)
        for combination, port in ports.items():
            with self.subTest(combination):
                self.check_sizes([record for record in records if initiator_port(record) == port
                                  and record["command"] == "Write(10)"])
        self.check_opcodes(metrics, decoded)

    def check_sizes(self, records):
        for role in ROLES:
            self.assertEqual([record["transferred_bytes"] for record in role_of(records, role)],
                             list(SIZES), role)

    def check_opcodes(self, metrics, decoded):
        self.assertGreater(decoded[R2T], 0)
        self.assertGreater(decoded[DATA_OUT], decoded[R2T])
        for role in ROLES:
            counted = collections.Counter()
            for way in ("sent", "received"):
                for sample in metrics.select(f"pdus_{way}_total", role=role):
                    counted[sample.labels["opcode"]] += int(sample.value)
            self.assertEqual(+counted, {PDU_LABELS[opcode]: count
                                        for opcode, count in decoded.items()}, role)


if __name__ == "__main__":
    main()
