# SPDX-License-Identifier: Apache-2.0
"""Features that LIO has and other targets lack: two connections of one session, several R2Ts at once,
data sequences in any order, error recovery level 2, LUNs above 255, ACLs. All counts are exact:
those of lunscope at both ends, of the script, of LIO, and of tshark where it can decode.

TASK REASSIGN is left out: LIO's kernel threads crash over the tasks of a connection that is removed
for recovery.
"""

import collections

from harness.capture import Capture, commands_of, decode_pdus
from harness.case import main
from harness.compare import (PDU_LABELS, ROLES, check_nothing_lost, check_same_commands,
                             initiator_port)
from harness.lunscope import Serve, Trace
from harness.pdus import (CONTINUE, DATA_IN, DATA_OUT, FINAL, LOGIN_REQUEST, R2T, REJECT,
                          RESERVED_TAG, SCSI_COMMAND, SCSI_RESPONSE, SNACK_REQUEST, TEST_UNIT_READY,
                          WRITE, lun, pdu, read_10, write_10)
from harness.process import run, wait_until
from harness.scripted import BLOCK, CLOSE_CONNECTION, Initiator, Tally

from guest import GuestTest
from lio import Lio

INITIATOR = "iqn.2024-01.org.lunscope.test:allowed"
TARGET = "iqn.2024-01.org.lunscope.test:lio"
# LIO declares as MaxRecvDataSegmentLength what it calls MaxXmitDataSegmentLength. With more than a
# burst, and DataSequenceInOrder=No, its R2Ts ask for more than MaxBurstLength, and it then refuses
# what it asked for.
SEGMENT, BURST, OUTSTANDING = 8192, 16384, 4
KEYS = {"ErrorRecoveryLevel": 2, "MaxConnections": 2, "MaxOutstandingR2T": OUTSTANDING,
        "DataSequenceInOrder": "No", "MaxBurstLength": BURST, "FirstBurstLength": SEGMENT}
FOUR_DATA_IN = (read_10(0, 64), 64 * BLOCK)
READS, WRITES = 4, (BLOCK, BURST, 4 * BURST + SEGMENT, 8 * BURST)
# LIO's number, and what lunscope shows (SAM-5, section 4.7). LIO and libiscsi take the first two
# bytes of a LUN for its number: 300 is LUN 44 of bus 1, and the flat space begins at 0x4000.
LUNS = {1: "1", 255: "255", 300: "0x012c000000000000", 0x4000 + 300: "300"}
DATA_OR_R2T, STATUS, DATA_ACK = range(3)  # types of SNACK (RFC 7143, section 11.16.1)
ACKNOWLEDGE = CONTINUE  # A of a Data-In is where C is elsewhere


def pattern(length):
    """No two blocks are the same."""
    return b"".join(number.to_bytes(4, "big") * (BLOCK // 4) for number in range(length // BLOCK))


def totals(connections):
    """The traffic of all connections together: sent, received."""
    return (sum((each.sent for each in connections), Tally()),
            sum((each.received for each in connections), Tally()))


class Recovering(Initiator):
    """An initiator that says it has lost what it was sent, and damages what it sends."""

    def snack(self, kind, **fields):
        return pdu(SNACK_REQUEST, FINAL | kind, exp_statsn=self.exp_statsn,
                   **{"itt": RESERVED_TAG, "snack_tag": RESERVED_TAG, "runlength": 0, **fields})

    def lose_status(self):
        """Returns the status, and what comes when it is asked for once more."""
        self.queue([(TEST_UNIT_READY, 0)])
        lost = self.receive()
        self.exp_statsn = lost.field("statsn")
        return lost, self.ask(self.snack(STATUS, begrun=self.exp_statsn, runlength=1))

    def lose_data(self, first, count):
        """The DataSNs that come again, when these are asked for before the status is acknowledged.
        """
        acknowledged = self.exp_statsn
        itt, = self.queue([FOUR_DATA_IN])
        self.finish([itt])
        self.exp_statsn, after = acknowledged, self.exp_statsn
        self.send(self.snack(DATA_OR_R2T, lun=lun(1), itt=itt, begrun=first, runlength=count))
        found = [self.receive().field("datasn") for _ in range(count)]
        self.exp_statsn = after
        return found

    def acknowledge_data(self):
        """A read whose Data-In are acknowledged where the target asks for it. How often it did."""
        self.queue([FOUR_DATA_IN])
        asked, is_over = 0, False
        while not is_over:
            answer = self.receive()
            is_over = answer.ends_command
            if answer.header[1] & ACKNOWLEDGE and not is_over:
                asked += 1
                self.send(self.snack(DATA_ACK, lun=answer.field("lun"),
                                     snack_tag=answer.field("ttt"),
                                     begrun=answer.field("datasn") + 1))
        return asked

    def begin_write(self, data):
        """A write whose two R2Ts are there and not answered yet."""
        command = self.command(write_10(0, len(data) // BLOCK), len(data), FINAL | WRITE,
                               data[:SEGMENT])
        self.send(command)
        return command, [self.receive() for _ in range(2)]

    def keep_data_back(self, data):
        """Answer no R2T until the target asks once more. Returns the R2T that did."""
        command, _ = self.begin_write(data)
        recovery = self.receive()
        self.send(*self.data_asked(recovery, data))
        self.answer_r2ts(command, data, asked=len(data))
        return recovery

    def damage_data(self, data):
        """A Data-Out whose data digest is wrong. Returns what the target says to that.

        LIO drops a reference too many with its Reject: its kernel warns, and goes on.
        """
        command, (first, second) = self.begin_write(data)
        hit, *rest = self.data_asked(first, data)
        self.send(hit.damaged(-1), *rest)
        answers = {answer.opcode: answer for answer in (self.receive(), self.receive())}
        self.send(*self.data_asked(second, data), *self.data_asked(answers[R2T], data))
        self.answer_r2ts(command, data, asked=len(data))
        return answers


class LioTest(GuestTest):

    def setUp(self):
        super().setUp()
        self.lio = self.use(Lio())
        self.serve = self.use(Serve(self.lio.port))

    def add_target(self):
        target = self.lio.add_target(TARGET, [INITIATOR], MaxXmitDataSegmentLength=SEGMENT, **KEYS)
        # A ping would be in the script's way, and a slow guest is no loss.
        target.set_attributes(INITIATOR, nopin_timeout=0, dataout_timeout=60)
        target.add_lun(kind="ramdisk")
        return target

    def log_in_twice(self, keys, **digests):
        """Two connections of one session; the unit attention of a new session is taken."""
        first = self.use(Recovering(self.lio.port))
        second = self.use(Recovering(self.lio.port, session=first.session))
        asked = {name.encode(): str(value).encode() for name, value in keys.items()}
        for each in (first, second):
            self.assertEqual(each.login(INITIATOR.encode(), TARGET.encode(), more_keys=asked,
                                        **digests), (0, 0))
            self.assertEqual({name: each.keys[name.encode()] for name in KEYS},
                             {name: str(value).encode() for name, value in KEYS.items()})
        first.run([(TEST_UNIT_READY, 0)])
        return first, second

    def check_session(self, *connections):
        """Each end has one session, of these connections, with the keys that were agreed on."""
        def listed():
            found = self.serve.sessions()["sessions"]
            ends = [end for each in found for end in each["connections"]]
            return found if len(ends) == len(ROLES) * len(connections) else None
        found = wait_until(listed, 20, f"{len(connections)} connections")
        self.assertEqual([each["role"] for each in found], list(ROLES))
        for session in found:
            ends = {each["cid"]: initiator_port({**session, **each})
                    for each in session["connections"]}
            self.assertEqual(ends, {each.cid: each.port for each in connections})
            self.assertEqual({name: session["parameters"][name] for name in KEYS},
                             {**KEYS, "DataSequenceInOrder": False})

    def check_counts(self, connections, again=0):
        """All that the script counted, at both ends. `again`: statuses that came twice."""
        metrics = self.serve.settled()
        sent, received = totals(connections)
        commands = sent.pdus[SCSI_COMMAND]
        counts = {"logins_total": len(connections), "logouts_total": len(connections),
                  "commands_total": commands, "unmatched_responses_total": again,
                  "written_bytes_total": sent.data_bytes[SCSI_COMMAND] + sent.data_bytes[DATA_OUT]}
        for role, (out, back) in zip(ROLES, ((sent, received), (received, sent))):
            self.assertEqual(metrics.accounts(role), (commands, commands, 0, 0))
            self.assertEqual({name: metrics.total(name, role=role) for name in counts}, counts)
            for way, tally in (("sent", out), ("received", back)):
                self.assertEqual({sample.labels["opcode"]: sample.value for sample in
                                  metrics.select(f"pdus_{way}_total", role=role) if sample.value},
                                 {PDU_LABELS[opcode]: n for opcode, n in tally.pdus.items()})
                self.assertEqual(metrics.total(f"{way}_bytes_total", role=role), tally.bytes)
        return metrics

    def check_lio(self, target, connections):
        """LIO has counted the same; it does so as long as there is the session."""
        sent, received = totals(connections)
        counted = target.counters("iscsi_sess_stats", INITIATOR)
        self.assertEqual(
            {name: counted[name] for name in ("cmd_pdus", "rsp_pdus", "txdata_octs",
                                              "rxdata_octs")},
            {"cmd_pdus": sent.pdus[SCSI_COMMAND], "rsp_pdus": received.pdus[SCSI_RESPONSE],
             "txdata_octs": received.data_bytes[DATA_IN],
             "rxdata_octs": sent.data_bytes[DATA_OUT]})
        self.assertEqual(target.statistics(1).commands, sent.pdus[SCSI_COMMAND])

    def test_two_connections_and_many_r2ts(self):
        """Commands over both connections in turn, four R2Ts answered last first; one logs out."""
        target = self.add_target()
        trace, capture = self.use(Trace(self.lio.port)), self.use(Capture(self.lio.port))
        connections = first, second = self.log_in_twice(KEYS, header_digest=b"CRC32C")
        self.check_session(*connections)
        for _ in range(READS):
            # Either connection's command comes next in the session's order; none waits.
            itts = [each.queue([FOUR_DATA_IN, (TEST_UNIT_READY, 0)]) for each in connections]
            for each, waiting in zip(connections, itts):
                each.finish(waiting)
        solicited = sum(each.write(0, pattern(size), OUTSTANDING)[2]
                        for size in WRITES for each in connections)
        self.assertEqual(totals(connections)[1].pdus[R2T],
                         2 * sum(-(-(size - SEGMENT) // BURST) for size in WRITES
                                 if size > SEGMENT))
        self.assertEqual(solicited, totals(connections)[0].data_bytes[DATA_OUT])
        self.check_lio(target, connections)
        first.logout(CLOSE_CONNECTION)
        second.run([FOUR_DATA_IN] * READS)
        self.check_session(second)
        second.logout()
        metrics = self.check_counts(connections)
        check_nothing_lost(self, metrics)
        trace.stop()
        self.check_captured(capture, trace.records(), connections)
        for role in ROLES:
            self.assertEqual(metrics.total("read_bytes_total", role=role),
                             totals(connections)[1].data_bytes[DATA_IN])

    def check_captured(self, capture, records, connections):
        """tshark has the same PDUs, and the same commands on the same connections."""
        capture.stop()
        decoded = decode_pdus(capture.file, self.lio.port)
        sent, received = totals(connections)
        self.assertEqual(collections.Counter(each.opcode for each in decoded),
                         sent.pdus + received.pdus)
        check_same_commands(self, records, commands_of(decoded))

    def test_error_recovery(self):
        """SNACKs of three types, R2Ts that ask once more, and a Data-Out that is rejected."""
        target = self.add_target()
        # LIO offers the other keys itself, and has to be answered.
        offered = {name: KEYS[name] for name in ("ErrorRecoveryLevel", "MaxConnections")}
        connections = first, second = self.log_in_twice(offered, header_digest=b"CRC32C",
                                                        data_digest=b"CRC32C")
        self.assertGreater(first.sent.pdus[LOGIN_REQUEST], 1)
        self.check_session(*connections)
        lost, again = first.lose_status()
        self.assertEqual(again.header, lost.header)
        self.assertEqual(second.lose_data(1, 2), [1, 2])
        self.assertEqual(first.acknowledge_data(), 1)
        data = pattern(2 * BURST + SEGMENT)
        target.set_attributes(INITIATOR, dataout_timeout=2)
        self.assertEqual(second.keep_data_back(data).field("buffer_offset"), SEGMENT)
        target.set_attributes(INITIATOR, dataout_timeout=60)
        answers = first.damage_data(data)
        self.assertEqual(answers.keys(), {R2T, REJECT})
        self.assertEqual(answers[R2T].field("buffer_offset"), SEGMENT)
        self.check_lio(target, connections)
        first.logout(CLOSE_CONNECTION)
        second.logout()
        metrics = self.check_counts(connections, again=1)
        for role in ROLES:
            self.assertEqual(metrics.total("rejects_total", role=role), 1)
            self.assertEqual(metrics.total("rejects_total", role=role, reason="data_digest_error"),
                             1)
            # Data that comes again behind the status no longer belongs to the command.
            self.assertEqual(metrics.total("read_bytes_total", role=role),
                             totals(connections)[1].data_bytes[DATA_IN] - 2 * SEGMENT)

    def test_luns_and_access(self):
        """LUNs of several addressing methods, and who may log in."""
        everybody = self.lio.add_target(f"{TARGET}-demo")
        luns = [everybody.add_lun(number=number) for number in LUNS]
        someone = self.lio.add_target(f"{TARGET}-acl", [INITIATOR])
        someone.add_lun()
        for lun_number in luns:
            run(["iscsi-inq", everybody.url(lun_number)])
        run(["iscsi-inq", "-i", INITIATOR, someone.url(1)])
        code, _, said, _ = run(["iscsi-inq", someone.url(1)], check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("Authorization failure", said)
        metrics = self.serve.settled()
        for role in ROLES:
            for target, numbers in ((everybody, luns), (someone, [1])):
                for number in numbers:
                    self.assertEqual(
                        metrics.total("commands_total", role=role, target=target.name,
                                      lun=LUNS[number]),
                        target.statistics(number).commands, f"{target.name}, LUN {number}, {role}")
            self.assertEqual(metrics.total("login_failures_total", role=role), 1)
            self.assertEqual(metrics.total("login_failures_total", role=role,
                                           status="authorization_failure"),
                             someone.counters("iscsi_login_stats")["authorize_fails"])
        self.assertEqual(someone.counters("iscsi_login_stats")["authorize_fails"], 1)


if __name__ == "__main__":
    main()
