# SPDX-License-Identifier: Apache-2.0
"""Header and data digests (RFC 7143, section 13.1): framing with each of the four agreements, with
a real target and between scripted peers, and what a bit that changed on the way does.

Data digests are not verified, for payload is not read: a wrong one changes nothing.
"""

import contextlib

from harness.capture import Capture
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES, check_nothing_lost, check_same_commands, initiator_port, role_of
from harness.dialogue import DROPPED, I, T, login_request, login_response
from harness.lunscope import Serve, Trace
from harness.pdus import (BHS_BYTES, BLOCK, FINAL, NOP_IN, NOP_OUT, NO_DIGESTS, RESERVED_TAG,
                          STATUS_PRESENT, TEST_UNIT_READY, WRITE, Digests, ahs, command, data_in,
                          data_out, lun, pdu, r2t, read, read_10, response, text, write, write_10)
from harness.perf import Perf
from harness.process import wait_until
from harness.scripted import Initiator
from harness.table import Row, Table, done, written
from harness.witness import measure

INITIATOR = b"iqn.2024-01.org.lunscope.test:digests-initiator"
TARGET = "iqn.2024-01.org.lunscope.test:digests"
HEADER, DATA, BOTH = Digests(header=True), Digests(data=True), Digests(header=True, data=True)
AGREEMENTS = {"no digest": NO_DIGESTS, "header digest": HEADER, "data digest": DATA,
              "both digests": BOTH}

# ---- scripted peers ----

ODD = b"five!"  # padding counts
PING = pdu(NOP_IN, data=ODD, itt=RESERVED_TAG, ttt=RESERVED_TAG, statsn=1)
SESSION = [
    I(write(1, 1024, BLOCK)), T(r2t(1, offset=512)),
    I(data_out(1, offset=512, ttt=1, lun=lun(1))), T(response(1)),
    I(read(2), read(3), pdu(NOP_OUT, data=ODD, itt=4, ttt=RESERVED_TAG)),
    T(data_in(2), response(2), data_in(3, flags=FINAL | STATUS_PRESENT), PING),
    I(command(5, extension=ahs((0x3F, ODD), (0x20, b"")))), T(response(5, data=ODD)),
]
DONE = [written(1024, itt=1), done(itt=2), done(itt=3), {"status": "Good", "itt": 5}]
# tshark finds PDUs behind a data digest only where a segment begins with them.
LOGIN_COMES_FIRST = "a segment that begins with a login has no digests"
SEGMENT_IS_LOST = "what follows a data digest in its segment is lost"


def each_agreement(make):
    return {f"{name}: {row_name}": row for name, digests in AGREEMENTS.items()
            for row_name, row in make(digests).items()}


def framing(digests):
    """The same session with these digests."""
    agreed = text(HeaderDigest="CRC32C" if digests.header else "None",
                  DataDigest="CRC32C" if digests.data else "None")
    return {
        "a session": Row(SESSION, DONE, digests=digests),
        "a session, byte by byte": Row(
            [I(*step.parts, chunk=1) if step.sender == "initiator" else T(*step.parts, chunk=1)
             for step in SESSION], DONE, digests=digests,
            tshark_differs=SEGMENT_IS_LOST if digests.data else ""),
        "in the segment of the last Login Response": Row(
            [I(login_request(agreed)), T(login_response(agreed), PING, PING), *SESSION], DONE,
            {"logins_total": 1}, digests=digests, logs_in=False,
            tshark_differs=LOGIN_COMES_FIRST if digests != NO_DIGESTS else ""),
        "offered in a list, chosen by the target": Row(
            [I(login_request(text(HeaderDigest="CRC32C,None", DataDigest="CRC32C,None"))),
             T(login_response(agreed)), *SESSION], DONE, {"logins_total": 1}, digests=digests,
            logs_in=False),
    }


def between(step, digests=HEADER, counters=None):
    """A command, this, and another command."""
    return Row([I(command(1)), T(response(1)), step, I(command(7)), T(response(7))],
               [{"itt": 1}, {"itt": 7}], counters or {}, digests=digests)


ERROR = {"header_digest_errors_total": 1}
DAMAGE = {
    "a flipped bit of a header": between(I(command(2).damaged(27), fate=DROPPED), counters=ERROR),
    "a flipped bit of a header digest": between(
        I(command(2).damaged(BHS_BYTES), fate=DROPPED), counters=ERROR),
    "a flipped bit of an AHS": between(
        I(command(2, extension=ahs((0x3F, ODD))).damaged(BHS_BYTES + 4), fate=DROPPED),
        counters=ERROR),
    "a flipped bit of a response": between(
        T(response(2).damaged(27), fate=DROPPED), counters=ERROR),
    "a flipped bit of data": between(
        I(pdu(NOP_OUT, data=ODD, itt=4, ttt=RESERVED_TAG).damaged(BHS_BYTES + 4 + 2)),
        digests=BOTH),
    "a flipped bit of padding": between(
        I(pdu(NOP_OUT, data=ODD, itt=4, ttt=RESERVED_TAG).damaged(BHS_BYTES + 5)), digests=DATA),
    "a flipped bit of a data digest": between(
        I(pdu(NOP_OUT, data=ODD, itt=4, ttt=RESERVED_TAG).damaged(BHS_BYTES + 8)), digests=DATA),
    "a flipped bit of header and data": between(
        I(write(2, data=BLOCK).damaged(30), fate=DROPPED), digests=BOTH, counters=ERROR),
}


class Digested(Table, LiveTest):
    ROWS = {**each_agreement(framing), **DAMAGE}


# ---- a real target ----

WAIT_SECONDS = 60
COMMANDS = [(TEST_UNIT_READY, 0)] * 3 + [(read_10(8 * i, 8), 4096) for i in range(20)]
WRITES = (512, 4096, 70 << 10)


class WithTgtd(TgtdTest):
    TARGET = TARGET

    def setUp(self):
        super().setUp()
        self.target.update("HeaderDigest", "CRC32C,None")
        self.target.update("DataDigest", "CRC32C,None")

    def login(self, digests):
        initiator = self.use(Initiator(self.tgtd.port))
        asked = [b"CRC32C" if wanted else b"None" for wanted in (digests.header, digests.data)]
        self.assertEqual(initiator.login(INITIATOR, TARGET.encode(), *asked), (0, 0))
        self.assertEqual(initiator.digests, digests)
        return initiator

    def test_every_agreement(self):
        """tgtd verifies what we send and we what it sends, so the digests really are in effect."""
        sent = {}
        with Serve(self.tgtd.port) as serve, Trace(self.tgtd.port) as trace, \
                Capture(self.tgtd.port) as capture:
            for name, digests in AGREEMENTS.items():
                with self.login(digests) as initiator:
                    initiator.run(COMMANDS)
                    for size in WRITES:
                        initiator.write(0, bytes(size))
                    self.check_session_info(serve.metrics(), digests)
                    sent[name] = initiator
            metrics = serve.settled()
            trace.stop()
            records = trace.records()
            decoded = capture.commands()
        check_nothing_lost(self, metrics)
        self.assertEqual(metrics.total("header_digest_errors_total"), 0)
        for name, digests in AGREEMENTS.items():
            with self.subTest(name):
                ours = [record for record in records
                        if initiator_port(record) == sent[name].port]
                self.check_commands(ours, sent[name].commands)
                if not digests.data:  # tshark loses what shares a segment with a data digest
                    check_same_commands(self, ours, [
                        command for command in decoded
                        if command.initiator_port == sent[name].port])

    def check_session_info(self, metrics, digests):
        agreed = {name: "crc32c" if wanted else "none" for name, wanted in (
            ("header_digest", digests.header), ("data_digest", digests.data))}
        self.assertEqual(len(metrics.select("session_info", **agreed)), len(ROLES))

    def check_commands(self, records, sent):
        """Those that were sent, with all of their data, from both ends. The first one meets the
        unit attention of a new session.
        """
        for role in ROLES:
            found = [(record["itt"], record["cmdsn"], record["status"],
                      record.get("transferred_bytes", 0)) for record in role_of(records, role)]
            self.assertEqual(sorted(found), [
                (command.itt, command.fields["cmdsn"], "Good" if number else "Check Condition",
                 command.fields["expected_data_transfer_length"])
                for number, command in enumerate(sent)], role)

    def test_libiscsi(self):
        """libiscsi and tgtd agree on CRC32C; every header's digest is checked, none is wrong."""
        metrics, records, session = measure(self.read_with_libiscsi, self.tgtd.port)
        self.assertEqual({sample.labels["header_digest"] for sample in session}, {"crc32c"})
        check_nothing_lost(self, metrics)
        self.assertEqual(metrics.total("header_digest_errors_total"), 0)
        facts = {role: sorted((record["itt"], record["cmdsn"], record["cdb"])
                              for record in role_of(records, role)) for role in ROLES}
        self.assertEqual(facts["initiator"], facts["target"])
        self.assertGreater(len(facts["target"]), 1000)

    def read_with_libiscsi(self):
        """More than 1000 commands. Returns the metrics, the records, and the session's samples."""
        with Serve(self.tgtd.port) as serve, Trace(self.tgtd.port) as trace, \
                Perf(self.url + "?header_digest=crc32c", "-i", INITIATOR.decode(), "-m", 8) as perf:
            wait_until(lambda: serve.metrics().total("commands_total", role="target") > 1000,
                       WAIT_SECONDS, "commands")
            session = serve.metrics().select("session_info")
            perf.finish()
            metrics = serve.settled()
            trace.stop()
            return metrics, trace.records(), session

    def test_flipped_bits(self):
        """A wrong header digest is counted, is no command, and loses no boundary; a wrong data
        digest is the target's to find, and loses none either.
        """
        # Part that is hit, digests, the byte whose bit flips, errors counted by each end
        cases = [("header", HEADER, 20, 1), ("header digest", BOTH, BHS_BYTES, 1),
                 ("data", DATA, BHS_BYTES + 100, 0), ("data digest", BOTH, -1, 0)]
        for name, digests, offset, errors in cases:
            with self.subTest(name), Serve(self.tgtd.port) as serve:
                self.check_flipped_bit(serve, self.login(digests), offset, errors)

    def check_flipped_bit(self, serve, initiator, offset, errors):
        before, after = 8, 4
        initiator.run([(TEST_UNIT_READY, 0)] * before)
        hit = initiator.command(write_10(0, 1), len(BLOCK), FINAL | WRITE, BLOCK)
        with contextlib.suppress(OSError):  # the target may close the connection now
            initiator.send(hit.damaged(offset))
            initiator.queue([(TEST_UNIT_READY, 0)] * after)
        sent = before + after + (not errors)
        wait_until(lambda: serve.metrics().accounts("initiator")[0] == sent,
                   WAIT_SECONDS, "what the initiator sent to be followed")
        wait_until(lambda: serve.metrics().total("unread_bytes", role="target") == 0,
                   WAIT_SECONDS, "the target to read it")
        metrics = serve.metrics()
        for role in ROLES:
            self.assertEqual(metrics.total("header_digest_errors_total", role=role), errors, role)
            self.assertGreaterEqual(metrics.accounts(role)[0], before, role)
        self.assertEqual(metrics.total("stream_gaps_total"), 0)
        self.assertEqual(metrics.total("unparsed_bytes_total"), 0)


if __name__ == "__main__":
    main()
