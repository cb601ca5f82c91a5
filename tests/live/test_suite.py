# SPDX-License-Identifier: Apache-2.0
"""libiscsi's conformance suite against tgtd: every PDU of every opcode, as tshark counts them, each
of their fields as tshark shows it, and live counters that are those of the capture.

The suite floods, sends commands outside the window, aborts, and drops connections.
"""

import collections
import json
import re

from harness.capture import Capture, decode_headers
from harness.case import LiveTest, main
from harness.compare import PDU_LABELS, ROLES, check_same_metrics, initiator_port
from harness.lunscope import Metrics, Serve, records_of, replay
from harness.pdu_fields import FIELDS, RESERVED, Comparison
from harness.process import run
from harness.tgtd import Tgtd
from harness.witness import measure

# The suite has 230 tests; one that crashed early would send far fewer commands than this.
ENOUGH_COMMANDS = 40_000
SUITE_SECONDS = 400
SUITE_BYTES = 2 << 30  # that it sends, a little rounded up
# iSCSIcmdsn.iSCSICmdSnTooHigh and .iSCSICmdSnTooLow send one command each with a CmdSN outside the
# window: a target drops those in silence (RFC 7143 section 4.2.2.1).
UNANSWERED_COMMANDS = {"beyond_window": 1, "connection_closed": 1}
SHOWN_DIFFERENCES = 10
# Opcodes of commands with a LOGICAL BLOCK ADDRESS field (SBC-4 5.1). 9e: GET LBA STATUS alone.
WITH_LBA = {"08", "0a", "28", "2a", "2e", "2f", "34", "35", "41", "88", "89", "8a", "8b", "8e", "8f",
            "90", "91", "93", "9c", "a8", "aa", "ae", "af"}
# The suite tries every service action of PERSISTENT RESERVE IN, and one of SANITIZE: reserved ones.
NAMELESS = {f"0x5e/0x{action:02x}" for action in range(0x04, 0x20)} | {"0x48/0x00"}
# Copies and erasures by the device itself, checks and prefetches have no operation of their own.
OTHERS = {"Extended copy(LID1)", "Pre-fetch(10)", "Pre-fetch(16)", "Sanitize, block erase",
          "Sanitize, cryptographic erase", "Sanitize, overwrite", "0x48/0x00", "Verify(10)",
          "Verify(12)", "Verify(16)"}
_NUMBERS = re.compile("0x[0-9a-f]{2}")
# tshark shows a PDU in the frame that completes it, and segments on the loopback overtake each
# other now and then: PDUs are matched by these, and in order where they are the same.
_KEY = ("itt", "datasn")


class Suite(LiveTest):

    @classmethod
    def setUpClass(cls):
        """One run for all, captured, and decoded by tshark into the PDUs of each direction."""
        super().setUpClass()
        tgtd = cls.enterClassContext(Tgtd())
        target = tgtd.add_target("iqn.2024-01.org.lunscope.test:suite")
        url = target.url(target.add_lun())
        # The suite sends commands that no target takes, and drops connections.
        cls.metrics, pcap = measure(lambda: cls.watch(tgtd, url), tgtd.port, is_whole=False)
        cls.replayed = (pcap, "--port", tgtd.port)
        cls.decoded = collections.defaultdict(list)
        for port, opcode, fields in decode_headers(pcap, tgtd.port, sorted(set(FIELDS.values()))):
            cls.decoded[port, _is_from_target(opcode)].append((opcode, fields))

    @classmethod
    def watch(cls, tgtd, url):
        capture = cls.enterClassContext(Capture(tgtd.port, expected_bytes=SUITE_BYTES))
        with Serve(tgtd.port) as serve:
            # Some of its tests fail with tgtd, which is not what is tested here.
            _, output, _, _ = run(["iscsi-test-cu", "--dataloss", "--allow-sanitize", "--ignore",
                                   "--test=ALL", url], timeout=SUITE_SECONDS, check=False)
            assert "Run Summary" in output, output
            metrics = serve.settled()
        capture.stop()
        return metrics, capture.file

    def test_every_pdu_is_counted(self):
        decoded = collections.Counter(PDU_LABELS[opcode] for pdus in self.decoded.values()
                                      for opcode, _ in pdus)
        self.assertGreater(decoded["scsi_command"], ENOUGH_COMMANDS)
        for role in ROLES:
            with self.subTest(role=role):
                self.check_role(role, decoded)
        self.assertEqual(self.metrics.total("stream_gaps_total"), 0)
        self.assertEqual(self.metrics.total("events_lost_total"), 0)
        self.assertEqual(self.metrics.total("unparsed_bytes_total"), 0)

    def check_role(self, role, decoded):
        counted = collections.Counter()
        for name in ("pdus_sent_total", "pdus_received_total"):
            for sample in self.metrics.select(name, role=role):
                counted[sample.labels["opcode"]] += int(sample.value)
        self.assertEqual({pdu: count for pdu, count in counted.items() if count}, decoded)
        seen, reported, unreported, in_flight = self.metrics.accounts(role)
        self.assertEqual(seen, decoded["scsi_command"])
        self.assertEqual((seen, in_flight), (reported + unreported, 0))
        self.assertEqual(self.metrics.total("unmatched_responses_total", role=role), 0)
        unreported = {sample.labels["reason"]: sample.value
                      for sample in self.metrics.select("commands_unreported_total", role=role)
                      if sample.value}
        self.assertEqual(unreported, UNANSWERED_COMMANDS)

    def test_every_field_of_every_pdu(self):
        """`replay --pdu` against tshark, in each direction of each connection. None of the
        PDUs of this run is one about which tshark is wrong: only what is reserved is left out.
        """
        for role in ROLES:
            with self.subTest(role=role):
                comparison = self.compare_pdus(role)
                names = sorted({field for field, _ in comparison.compared})
                print(f"{role}: {comparison.pdus} PDUs, {comparison.fields} fields compared, "
                      f"{len(comparison.failures)} differences; {len(names)} names of fields: "
                      f"{' '.join(names)}", flush=True)
                self.assertEqual(comparison.failures[:SHOWN_DIFFERENCES], [])
                self.assertEqual(comparison.only_theirs, set())
                self.assertEqual(comparison.reserved, RESERVED.keys(), "all in this run")
                self.assertEqual(comparison.pdus, sum(map(len, self.decoded.values())))

    def compare_pdus(self, role):
        _, lines, _ = replay(*self.replayed, "--role", role, "--pdu", "-o", "json")
        rest = collections.defaultdict(collections.deque)
        for stream, pdus in self.decoded.items():
            for opcode, fields in pdus:
                rest[*stream, opcode, *(fields.get(FIELDS[name]) for name in _KEY)].append(fields)
        comparison = Comparison()
        for number, line in enumerate(lines.splitlines(), 1):
            pdu = json.loads(line)
            key = (initiator_port(pdu), _is_from_target(pdu["opcode"]), pdu["opcode"],
                   *(str(pdu[name]) if name in pdu else None for name in _KEY))
            comparison.compare(f"line {number}", pdu, rest[key].popleft() if rest[key] else {})
        comparison.failures += [f"only tshark has {key}" for key, pdus in rest.items() if pdus]
        return comparison

    def test_every_command_is_known(self):
        """A name, an operation, and an LBA where SBC-4 has one; those that have none are listed."""
        _, lines, _ = replay(*self.replayed, "--role", "initiator", "-o", "json")
        nameless, others, without_lba = (collections.Counter() for _ in range(3))
        commands = 0
        for record in records_of(lines):
            commands += 1
            cdb, name = record["cdb"], record["command"]
            if _NUMBERS.match(name):
                nameless[name] += 1
            if record["operation"] == "other":
                others[name] += 1
            if cdb[:2] in WITH_LBA and "lba" not in record:
                without_lba[name] += 1
        print(f"{commands} commands; without a name: {dict(nameless)}; of no operation: "
              f"{dict(others)}; without an LBA that the standard has: {dict(without_lba)}", flush=True)
        self.assertGreater(commands, ENOUGH_COMMANDS)
        self.assertEqual(set(nameless), NAMELESS)
        self.assertEqual(set(others), OTHERS)
        self.assertEqual(without_lba, {})

    def test_metrics_of_the_capture(self):
        _, text, _ = replay(*self.replayed, "--role", "both", "-o", "metrics")
        count = check_same_metrics(self, Metrics(text), self.metrics)
        print(f"{count} series compared", flush=True)


def _is_from_target(opcode):
    return bool(opcode & 0x20)


if __name__ == "__main__":
    main()
