# SPDX-License-Identifier: Apache-2.0
"""`lunscope replay`: what a capture tells is what was seen live, and what is no capture is refused.

Real traffic is captured while `trace` watches it; the two have to tell of the same commands.
"""

import collections
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import tempfile

from harness.capture import Capture, decode, decode_pdus
from harness.case import LiveTest, TgtdTest, main
from harness.compare import (answered, check_same_commands, check_same_metrics, initiator_port,
                             role_of, streams_of)
from harness.lunscope import Metrics, Serve, Trace, check_exposition, records_of, replay
from harness.pdus import SCSI_COMMAND
from harness.perf import read_with_perf
from harness.process import LUNSCOPE, Process, free_port, run
from harness.tgtd import Tgtd
from harness.witness import measure

TARGET = "iqn.2024-01.org.lunscope.test:replay"
# The tool and its words, and the address of the portal that it goes to.
TOOLS = [(words, host) for host in ("127.0.0.1", "::1")
         for words in ("iscsi-ls -s {portal}", "iscsi-inq {lun}", "iscsi-inq -e 1 -c 0x83 {lun}",
                       "iscsi-readcapacity16 {lun}")]
READS = [(("-m", 32), "127.0.0.1"), (("-m", 4, "-b", 256, "-r"), "::1")]  # of iscsi-perf
PERF_COMMANDS = 3000
SEEDS = int(os.environ.get("LUNSCOPE_LOSS_SEEDS", "5"))  # captures with lost packets
READ_16 = "Read(16)"
# A command as an operator compares it; times and the order of two ends are not the same.
FACTS = ("role", "initiator", "target", "local", "remote", "lun", "itt", "cmdsn", "command", "cdb",
         "lba", "blocks", "expected_bytes", "transferred_bytes", "status", "response", "sense",
         "residual_bytes")
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
END = re.compile(r"lunscope: (\d+) commands, (\d+) lost; .*; (\d+) packets read(.*)")
ROW = re.compile(r"^\d\d:\d\d:\d\d\.\d{6} ini ", re.M)
PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
USAGE, FAILURE = 2, 1


def identity(record):
    """One command of one connection."""
    return record["local"], record["itt"], record["cmdsn"], record["cdb"]


def facts(record):
    return tuple(json.dumps(record.get(name)) for name in FACTS)


class Pdus(TgtdTest):
    """`--pdu`: each PDU, as it was seen live, as the capture has it, and as tshark counts them."""

    TARGET = TARGET

    def test_the_same_pdus_as_live(self):
        _, lost, live, decoded, replayed = measure(self.watch, self.tgtd.port)
        self.assertEqual(lost, 0)
        for role in ("initiator", "target"):
            with self.subTest(role=role):
                counted = collections.Counter(pdu["opcode"] for pdu in role_of(live, role))
                self.assertEqual(counted, decoded)
        self.assertEqual(streams_of(live), streams_of(replayed))


    def watch(self):
        port = self.tgtd.port
        # The traffic, whole, in the rings: nobody prints JSON as fast as that.
        options = ["--pdu", "--ring-size", 64 << 20]
        with Capture(port) as capture, Serve(port) as serve, Trace(port, options=options) as trace:
            run(["iscsi-ls", "-s", self.tgtd.url()])
            run(["iscsi-inq", self.url])
            read_with_perf(self.tgtd, self.url, PERF_COMMANDS, "-m", 8)
            metrics = serve.settled()
            _, lost = trace.stop()
            decoded = capture.opcodes()
            _, stdout, _ = replay(capture.file, "--port", port, "--role", "both", "--pdu", "-o",
                                  "json")
            return metrics, lost, trace.records(), decoded, records_of(stdout)


class Replay(LiveTest):

    @classmethod
    def setUpClass(cls):
        """One capture for all, with what `trace` saw meanwhile."""
        super().setUpClass()
        tgtd = cls.enterClassContext(Tgtd())
        target = tgtd.add_target(TARGET)
        target.add_lun()
        cls.port = tgtd.port
        cls.served, counts, cls.live, cls.pcap = measure(lambda: cls.watch(tgtd, target), cls.port)
        assert counts == [(len(cls.live) // 2, 0)] * 2, counts
        cls.commands = decode(cls.pcap, cls.port)

    @classmethod
    def watch(cls, tgtd, target):
        capture = cls.enterClassContext(Capture(tgtd.port))
        with Serve(tgtd.port) as serve, Trace(tgtd.port, options=("--role", "initiator")) as ours, \
                Trace(tgtd.port, options=("--role", "target")) as theirs:
            for words, host in TOOLS:
                run(words.format(portal=tgtd.url(host), lun=target.url(1, host)).split())
            for words, host in READS:
                read_with_perf(tgtd, target.url(1, host), PERF_COMMANDS, *words)
            # A LUN that is not there: sense, and an answer shorter than was asked for.
            run(["iscsi-readcapacity16", target.url(7)], check=False)
            served = serve.settled()
            counts = [trace.stop() for trace in (ours, theirs)]
            capture.stop()
            return served, counts, [*ours.records(), *theirs.records()], capture.file

    def replay_json(self, *words, role="both"):
        code, stdout, stderr = replay(self.pcap, "--port", self.port, "-o", "json",
                                      "--role", role, *words)
        self.assertEqual(code, 0)
        return records_of(stdout), stderr

    def test_the_same_commands_as_live(self):
        for role in ("initiator", "target"):
            with self.subTest(role=role):
                records, stderr = self.replay_json(role=role)
                live = collections.Counter(map(facts, role_of(self.live, role)))
                found = collections.Counter(map(facts, records))
                self.assertGreater(live.total(), 1000)
                self.assertEqual(list((found - live).elements())[:3], [], "only in the replay")
                self.assertEqual(list((live - found).elements())[:3], [], "only live")
                self.assertIn("sense", {key for record in records for key in record})
                end = END.search(stderr)
                self.assertEqual((int(end[1]), int(end[2])), (live.total(), 0), stderr)
                # The capture's own end marker is a datagram; nothing else may be passed over. The
                # capture has packets of two CPUs, some of which it wrote out of order. Its clock may
                # have been set while it ran.
                self.assertRegex(end[4], r"^, 1 not TCP(, \d+ out of order)?(; their clock .*)?$",
                                 stderr)

    def test_the_same_commands_as_tshark(self):
        records, _ = self.replay_json()
        check_same_commands(self, records, self.commands)

    def test_names_and_their_counts(self):
        """tshark's operation codes under the names that live output has for them."""
        records, _ = self.replay_json(role="initiator")
        names = {bytes.fromhex(record["cdb"])[0]: record["command"] for record in records}
        replayed = collections.Counter(record["command"] for record in records)
        decoded = collections.Counter(names.get(command.opcode) for command in self.commands)
        self.assertEqual(replayed, decoded)

    def test_times(self):
        """The capture's own: in its second, and the durations about those that were seen live."""
        records, _ = self.replay_json(role="initiator")
        live = {(record["local"], record["cmdsn"], record["itt"]): record
                for record in role_of(self.live, "initiator")}
        pairs = [(record, live[record["local"], record["cmdsn"], record["itt"]])
                 for record in records]
        replayed = sum(record["duration_us"] for record, _ in pairs)
        seen = sum(record["duration_us"] for _, record in pairs)
        self.assertGreater(min(record["duration_us"] for record in records), 0)
        self.assertLess(abs(replayed - seen), seen, "durations, in sum")
        self.assertEqual([record["time"] for record in records],
                         sorted(record["time"] for record in records))
        first = sorted(record["time"] for record in live.values())[0]
        self.assertEqual(records[0]["time"][:16], first[:16], "to the minute")

    def test_without_privileges(self):
        with tempfile.TemporaryDirectory(prefix="lunscope-replay-") as folder:
            copy = pathlib.Path(folder, "copy.pcapng")
            copy.write_bytes(self.pcap.read_bytes())
            pathlib.Path(folder).chmod(0o755)
            program = pathlib.Path(folder, "lunscope")
            program.write_bytes(LUNSCOPE.read_bytes())
            program.chmod(0o755)
            code, stdout, _, _ = run([*NOBODY, program, "replay", copy, "--port", self.port,
                                      "-o", "json"], timeout=60)
        self.assertEqual(code, 0)
        self.assertEqual(len(records_of(stdout)), len(self.commands))

    def test_table_summary_and_count(self):
        code, stdout, _ = replay(self.pcap, "--port", self.port, "--summary",
                                 "--no-events")
        lines, summary = stdout.split("\n\n")
        self.assertEqual(code, 0)
        self.assertTrue(lines.startswith("TIME "))
        self.assertEqual(len(ROW.findall(lines)), len(self.commands))
        self.assertRegex(summary, rf"initiator +{re.escape(READ_16)} +\d+")
        records, stderr = self.replay_json("--count", "10", role="initiator")
        self.assertEqual(len(records), 10)
        self.assertGreaterEqual(int(END.search(stderr)[1]), 10)

    def test_metrics(self):
        code, stdout, _ = replay(self.pcap, "--port", self.port, "-o", "metrics", "--role", "both")
        self.assertEqual(code, 0)
        self.assertEqual(check_exposition(stdout), "")
        metrics = Metrics(stdout)
        count = len(self.commands)
        for role in ("initiator", "target"):
            self.assertEqual(metrics.accounts(role), (count, count, 0, 0), role)
            self.assertEqual(metrics.total("commands_total", role=role), count)
        check_same_metrics(self, metrics, self.served)

    def test_another_port(self):
        code, stdout, stderr = replay(self.pcap, "--port", free_port(), "-o", "json")
        self.assertEqual((code, stdout), (0, ""))
        self.assertRegex(stderr, r"0 commands, 0 lost; 0 seen.*; \d+ packets read")

    def test_standard_input(self):
        with self.pcap.open("rb") as file:
            result = subprocess.run([LUNSCOPE, "replay", "-", "--port", str(self.port), "-o",
                                     "json"], stdin=file, capture_output=True, timeout=60,
                                    check=True)
        self.assertEqual(len(records_of(result.stdout.decode())), len(self.commands))

    def test_snap_length(self):
        """Payload that is cut off is not needed. Headers that are cut off with it are a gap: what
        they began is missing, and nothing is made up.
        """
        def essence(record):
            return tuple(json.dumps(record.get(name)) for name in FACTS
                         if name != "transferred_bytes")
        with tempfile.TemporaryDirectory(prefix="lunscope-replay-") as folder:
            cut = pathlib.Path(folder, "cut.pcapng")
            run(["editcap", "-s", "400", self.pcap, cut], timeout=60)
            records = answered(records_of(replay(cut, "--port", self.port, "-o", "json")[1]))
            _, text, stderr = replay(cut, "--port", self.port, "-o", "metrics")
        self.assertRegex(stderr, r"[1-9]\d* gaps; .* \d+ cut by the snap length")
        seen, reported, unreported, in_flight = Metrics(text).accounts("initiator")
        self.assertEqual(seen, reported + unreported + in_flight)
        self.assertEqual(reported, len(records))
        found = collections.Counter(map(essence, records))
        live = collections.Counter(map(essence, role_of(self.live, "initiator")))
        self.assertEqual(list((found - live).elements())[:3], [], "not seen live")
        # Only reads are larger than that; the sessions without them lose nothing.
        self.assertGreater(sum(record["command"] == READ_16 for record in records), 100)
        command = FACTS.index("command")
        self.assertEqual({json.loads(missing[command]) for missing in live - found}, {READ_16})

    def test_one_packet_of_a_hundred_is_missing(self):
        """The accounts stay right, nothing stays open that is not, and no command is made up. tshark
        knows which commands are whole: all of those are shown.
        """
        packets = len(run(["tshark", "-r", self.pcap, "-T", "fields", "-e", "frame.number"],
                          timeout=60)[1].split())
        whole, _ = self.replay_json(role="initiator")
        known = {identity(record) for record in whole}
        for seed in range(SEEDS):
            with self.subTest(seed=seed), \
                    tempfile.TemporaryDirectory(prefix="lunscope-replay-") as folder:
                cut = pathlib.Path(folder, "cut.pcapng")
                dropped = random.Random(seed).sample(range(1, packets + 1), packets // 100)
                # editcap takes 512 selections.
                self.assertLess(len(dropped), 512)
                run(["editcap", self.pcap, cut, *map(str, sorted(dropped))], timeout=60)
                self.check_a_lossy_capture(cut, known)

    def check_a_lossy_capture(self, cut, known):
        words = [cut, "--port", self.port, "--role", "initiator"]
        records = records_of(replay(*words, "-o", "json")[1])
        _, text, _ = replay(*words, "-o", "metrics")
        metrics = Metrics(text)
        seen, reported, unreported, in_flight = metrics.accounts("initiator")
        self.assertEqual(seen, reported + unreported + in_flight)
        self.assertEqual(reported, len(answered(records)))
        self.assertEqual(in_flight, 0, "nothing was open in the whole capture")
        self.assertLessEqual({identity(record) for record in answered(records)}, known, "made up")
        shown = {(initiator_port(record), record["itt"]) for record in answered(records)}
        begun, theirs = set(), set()
        for pdu in decode_pdus(cut, self.port):
            tag = (pdu.initiator_port, pdu.itt)
            if pdu.opcode == SCSI_COMMAND:
                begun.add(tag)
            elif pdu.status is not None and tag in begun:
                theirs.add(tag)
        self.assertEqual(theirs - shown, set(), "tshark has them whole")

    def test_met_in_the_middle(self):
        """Without the first packets: said once for each connection, and found again."""
        with tempfile.TemporaryDirectory(prefix="lunscope-replay-") as folder:
            rest = pathlib.Path(folder, "rest.pcapng")
            first = self.middle_of_perf()
            run(["editcap", self.pcap, rest, f"1-{first}"], timeout=60)
            code, stdout, stderr = replay(rest, "--port", self.port, "-o", "json")
        self.assertEqual(code, 0)
        self.assertEqual(len(re.findall("was open before: its login was not seen", stderr)), 1)
        unknown = [record for record in records_of(stdout) if record["target"] == "unknown"]
        self.assertGreater(len(unknown), 100)

    def middle_of_perf(self):
        """The number of a packet in the middle of the connection that sent most."""
        _, rows, _, _ = run(["tshark", "-r", self.pcap, "-Y", "tcp.len > 0", "-T", "fields",
                             "-e", "frame.number", "-e", "tcp.stream"], timeout=60)
        packets = collections.defaultdict(list)
        for row in rows.splitlines():
            number, stream = row.split()
            packets[stream].append(int(number))
        busiest = max(packets.values(), key=len)
        return busiest[len(busiest) // 2]

    def test_truncated(self):
        """The readable part is shown; one line says that the capture is truncated."""
        with tempfile.TemporaryDirectory(prefix="lunscope-replay-") as folder:
            half = pathlib.Path(folder, "half.pcapng")
            whole = self.pcap.read_bytes()
            half.write_bytes(whole[:len(whole) // 2 + 1])
            code, stdout, stderr = replay(half, "--port", self.port, "-o", "json", check=False)
        self.assertEqual(code, FAILURE)
        self.assertGreater(len(records_of(stdout)), 100)
        self.assertEqual(len(re.findall("is truncated", stderr)), 1, stderr)
        self.assertIsNotNone(END.search(stderr))

    def test_files_that_are_no_captures(self):
        unknown_link = PCAP_HEADER[:20] + struct.pack("<I", 105)
        cases = {
            "empty": (b"", r"is empty"),
            "text": (b"this is no capture, but some text\n", r"is not a pcap or pcapng capture"),
            "half a header": (PCAP_HEADER[:11], r"is not a pcap or pcapng capture"),
            "wireless": (unknown_link, r"link type IEEE802_11 \(105\).*Ethernet"),
        }
        with tempfile.TemporaryDirectory(prefix="lunscope-replay-") as folder:
            for name, (content, message) in cases.items():
                with self.subTest(name):
                    file = pathlib.Path(folder, "file.pcap")
                    file.write_bytes(content)
                    self.check_refusal([file], FAILURE, message)
            self.check_refusal([pathlib.Path(folder, "nowhere.pcap")], FAILURE, "No such file")
            self.check_refusal([folder], FAILURE, "[Dd]irectory")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([LUNSCOPE, "replay", self.pcap, "--port", str(self.port)],
                                    stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(result.returncode, FAILURE)
        self.assertIn(b"cannot write to standard output", result.stderr)

    def test_usage(self):
        for words, message in (([], "FILE"), ([self.pcap, "-o", "xml"], "xml|-o"),
                               ([self.pcap, "--role", "host"], "host|--role"),
                               ([self.pcap, "--port", "70000"], "70000|--port"),
                               ([self.pcap, "--count", "0"], "--count"),
                               ([self.pcap, "nowhere.pcap", "--from", "x"], "--from"),
                               ([self.pcap, "-o", "metrics", "--pdu"], "--pdu"),
                               ([self.pcap, "-o", "metrics", "--summary"], "--summary")):
            with self.subTest(words):
                self.check_refusal(words, USAGE, message)

    def check_refusal(self, words, code, message):
        with Process([LUNSCOPE, "replay", *words]) as process:
            found = process.wait(60)
            self.assertRegex(process.stderr, message)
            self.assertEqual(len(process.stderr.splitlines()), 1, process.stderr)
            self.assertEqual((found, process.stdout), (code, b""))


if __name__ == "__main__":
    main()
