# SPDX-License-Identifier: Apache-2.0
"""Logins, texts, discovery, logouts and sessions (RFC 7143, sections 6 and 11.10 to 11.15), as two
scripted peers exchange them.
"""

from harness.case import LiveTest, main
from harness.compare import ROLES
from harness.dialogue import I, STATSN, T, Stage, login_request, login_response, manage, pieces
from harness.libiscsi import Libiscsi
from harness.lunscope import Serve
from harness.pdus import (ASYNC_MESSAGE, CONTINUE, FINAL, FULL_FEATURE, LOGOUT_REQUEST,
                          LOGOUT_RESPONSE, NOP_IN, OPERATIONAL, RESERVED_TAG, TEXT_REQUEST,
                          TEXT_RESPONSE, TRANSIT, command, pdu, response, text, write)
from harness.process import wait_until
from harness.table import Row, Table, written
from harness.tgtd import Tgtd

# ---- Logins (sections 11.12, 11.13) ----

STATUSES = {
    0x0101: "redirection", 0x0102: "redirection",
    0x0200: "initiator_error", 0x0201: "authentication_failure", 0x0202: "authorization_failure",
    0x0203: "not_found", 0x0204: "target_removed", 0x0205: "unsupported_version",
    0x0206: "too_many_connections", 0x0207: "missing_parameter", 0x0208: "cant_include_in_session",
    0x0209: "session_type_not_supported", 0x020A: "session_does_not_exist",
    0x020B: "invalid_request_during_login", 0x0300: "target_error",
    0x0301: "service_unavailable", 0x0302: "out_of_resources"}
STAY = OPERATIONAL  # T is not set
# Digests come into effect with the full feature phase: no login that fails gets there.
LOGINS = {f"login status 0x{status:04x}": Row(
    [I(login_request(text(HeaderDigest="CRC32C", DataDigest="CRC32C"))),
     T(login_response(text(TargetAddress="127.0.0.2:3260,1") if status >> 8 == 1 else b"", 0,
                      tsih=0, status_class=status >> 8, status_detail=status & 0xFF))], [],
    {"login_redirections_total": 1} if words == "redirection" else
    {f"login_failures_total status={words}": 1}, logs_in=False)
    for status, words in STATUSES.items()}
LONG = text(**{f"X-com.example.key{i}": "x" * 80 for i in range(120)})
MANY_TARGETS = b"".join(
    text(TargetName=f"iqn.2024-01.example:target-{i:03}", TargetAddress="127.0.0.1:3260,1")
    for i in range(200))


def split_login(keys, size):
    """Login Requests with C, each answered by an empty one; the last asks for the next stage."""
    for piece, is_last in pieces(keys, size):
        flags = TRANSIT | OPERATIONAL | FULL_FEATURE if is_last else CONTINUE | STAY
        yield I(login_request(piece, flags, names=False))
        yield T(login_response(flags=TRANSIT | OPERATIONAL | FULL_FEATURE if is_last else STAY,
                               statsn=1, exp_cmdsn=1))


NAMES = text(InitiatorName="iqn.2024-01.example:in-pieces", TargetName="iqn.2024-01.example:whole")
ENTERED = {"logins_total": 1}
WORKS = [I(command()), T(response())]
LOGINS |= {
    "login text over several PDUs": Row(
        [*split_login(NAMES + LONG, 1000), *WORKS],
        [{"initiator": "iqn.2024-01.example:in-pieces", "target": "iqn.2024-01.example:whole"}],
        ENTERED, logs_in=False),
    "login text cut inside of its keys": Row(
        [*split_login(NAMES, 7), *WORKS],
        [{"initiator": "iqn.2024-01.example:in-pieces", "target": "iqn.2024-01.example:whole"}],
        ENTERED, logs_in=False),
    "login answer over several PDUs": Row(
        [I(login_request()),
         *(step for piece, is_last in pieces(LONG, 4096) for step in (
             T(login_response(piece, TRANSIT | OPERATIONAL | FULL_FEATURE if is_last
                              else CONTINUE | STAY)),
             *([] if is_last else [I(login_request(flags=STAY, names=False))]))), *WORKS],
        [{"status": "Good"}], ENTERED, logs_in=False),
    "login in two stages": Row(
        [I(login_request(text(AuthMethod="None"), TRANSIT | 1)),
         T(login_response(text(AuthMethod="None"), TRANSIT | 1)),
         I(login_request(names=False)), T(login_response()), *WORKS],
        [{"status": "Good"}], ENTERED, logs_in=False),
    "a PDU in the segment of the last Login Response": Row(
        [I(login_request()),
         T(login_response(), pdu(NOP_IN, itt=RESERVED_TAG, ttt=RESERVED_TAG, **STATSN)), *WORKS],
        [{"status": "Good"}], ENTERED, logs_in=False),
    "a command in the segment of the Login Request": Row(
        [I(login_request(), command()), T(login_response(), response())], [{"status": "Good"}],
        ENTERED, logs_in=False),
    "markers that are refused": Row(
        [I(login_request(text(IFMarker="Yes", OFMarker="Yes", IFMarkInt="2048~2048"))),
         T(login_response(text(IFMarker="No", OFMarker="No", IFMarkInt="Irrelevant"))), *WORKS],
        [{"status": "Good"}], ENTERED, logs_in=False),
    "a second login on the connection": Row(
        [I(login_request()), T(login_response()), *WORKS], [{"status": "Good"}],
        {"logins_total": 2}),
}

# ---- Texts (sections 11.10, 11.11), discovery, logouts (11.14, 11.15) ----

TEXTS = {
    "SendTargets in a discovery session": Row(
        [I(login_request(text(InitiatorName="iqn.2024-01.example:finder", SessionType="Discovery"),
                         names=False)), T(login_response()),
         I(pdu(TEXT_REQUEST, data=text(SendTargets="All"), itt=2, ttt=RESERVED_TAG, cmdsn=1)),
         *(step for i, (piece, is_last) in enumerate(pieces(MANY_TARGETS, 8192)) for step in (
             T(pdu(TEXT_RESPONSE, FINAL if is_last else CONTINUE, piece, itt=2,
                   ttt=RESERVED_TAG if is_last else 8 + i, **STATSN)),
             *([] if is_last else [I(pdu(TEXT_REQUEST, lun=bytes(8), itt=2, ttt=8 + i,
                                         cmdsn=2 + i))])))],
        [], ENTERED, logs_in=False),
    "the target asks for a negotiation": Row(
        [T(pdu(ASYNC_MESSAGE, async_event=4, parameter3=3, **STATSN)),
         I(pdu(TEXT_REQUEST, data=text(MaxRecvDataSegmentLength="16384"), itt=2, ttt=RESERVED_TAG,
               cmdsn=1)),
         T(pdu(TEXT_RESPONSE, data=text(MaxRecvDataSegmentLength="1048576"), itt=2,
               ttt=RESERVED_TAG, **STATSN)),
         I(write(3, length=1 << 18, data=bytes(1 << 18))), T(response(3))], [written(1 << 18)],
        {"async_messages_total event=negotiation_request": 1}),
}


def logout(reason, answer=0, **fields):
    return [I(pdu(LOGOUT_REQUEST, FINAL | reason, immediate=True, itt=8, cmdsn=2, exp_statsn=2,
                  **fields)),
            T(pdu(LOGOUT_RESPONSE, response=answer, itt=8, **STATSN,
                  **({} if answer == 1 else {"time2wait": 2, "time2retain": 20})))]


def logged_out(reason):
    return {f"logouts_total reason={reason}": 1}


LOGOUTS = {
    "logout: close the session": Row(logout(0), [], logged_out("close_the_session")),
    "logout: close the connection": Row(logout(1, cid=0), [], logged_out("close_the_connection")),
    "logout: remove a connection": Row(
        logout(2, cid=3), [], logged_out("remove_the_connection_for_recovery")),
    **{f"logout response {answer}": Row(logout(2, answer, cid=3)) for answer in (1, 2, 3)},
    "logout with a command in flight": Row([I(command()), *logout(0)], [], {
        **logged_out("close_the_session"), "commands_unreported_total reason=connection_closed": 1}),
}


class Logins(Table, LiveTest):
    ROWS = {**LOGINS, **TEXTS, **LOGOUTS}


class Sessions(LiveTest):
    """More than one connection at a time."""

    def setUp(self):
        super().setUp()
        self.stage = self.use(Stage())
        self.serve = self.use(Serve(self.stage.port))

    def join(self, cid=0, tsih=0, answer=1):
        """Another connection, logged in: to a new session, or to the one with this TSIH."""
        conversation = self.use(self.stage.connect())
        conversation.say([I(login_request(tsih=tsih, cid=cid)), T(login_response(tsih=answer))])
        return conversation

    def sessions(self, metrics):
        """{role: [whether it is up]}"""
        return {role: [sample.value for sample in metrics.select("session_up", role=role)]
                for role in ROLES}

    def settles(self, *up):
        wait_until(lambda: self.sessions(self.serve.metrics()) == dict.fromkeys(ROLES, list(up)),
                   30, f"sessions to be {up}, not {self.sessions(self.serve.metrics())}")

    def test_several_connections_in_a_session(self):
        """One session, up until its last connection ends; a task belongs to its connection."""
        first = self.join()
        second = self.join(cid=1, tsih=1)
        first.say([I(command(1))])
        second.say(manage(1))
        self.settles(1)
        metrics = self.serve.metrics()
        for role in ROLES:
            self.assertEqual(metrics.accounts(role), (1, 0, 0, 1), role)
        first.__exit__()
        self.settles(1)
        second.say(logout(0))
        second.__exit__()
        self.settles()
        metrics = self.serve.metrics()
        for role in ROLES:
            self.assertEqual(metrics.total("commands_unreported_total", role=role,
                                           reason="connection_closed"), 1)

    def test_a_fin_is_no_byte_to_read(self):
        """The initiator closes. The target has read all that came, and keeps its end open."""
        conversation = self.join()
        conversation.say([I(command(1)), T(response(1))])
        conversation.end_stream("initiator")
        wait_until(lambda: self.serve.metrics().accounts("target")[1] == 1, 30, "the command")
        for _ in range(3):
            metrics = self.serve.metrics()
            self.assertEqual(metrics.total("connections", role="target"), 1)
            self.assertEqual(metrics.total("unread_bytes"), 0)

    def test_reinstatement(self):
        """The same ISID again: the session is the new one, whenever the old connection ends."""
        for name, closes_first in (("before the login", True), ("after the login", False)):
            with self.subTest(f"the old connection ends {name}"):
                old = self.join(answer=1)
                old.say([I(command(1))])
                if closes_first:
                    old.__exit__()
                    self.settles(0)
                new = self.join(answer=2)
                if not closes_first:
                    old.__exit__()
                self.settles(1)
                new.say([I(command(1)), T(response(1)), *logout(0)])
                new.__exit__()
                self.settles()
        metrics = self.serve.metrics()
        for role in ROLES:
            self.assertEqual(metrics.accounts(role), (4, 2, 2, 0), role)


class OtherListener(LiveTest):
    """Somebody's own listener has a target's name, and a client of it the initiator's."""

    TARGET = "iqn.2024-01.org.lunscope.test:claimed"
    INITIATOR = "iqn.2024-01.org.lunscope.test:claimed-initiator"
    ISID = 7

    def setUp(self):
        super().setUp()
        self.real, self.other = self.use(Tgtd()), self.use(Tgtd())
        for tgtd, size in ((self.real, 64 << 20), (self.other, 128 << 20)):
            self.lun = tgtd.add_target(self.TARGET).add_lun(size)
        self.serve = self.use(Serve(self.real.port, self.other.port))

    def log_in(self, tgtd):
        session = self.use(Libiscsi(self.INITIATOR, f"127.0.0.1:{tgtd.port}", self.TARGET,
                                    self.ISID))
        session.wait_until_ready(self.lun)
        session.command("inquiry", self.lun, 0, 0, 255)
        session.command("readcapacity10", self.lun, 0, 0)
        return session

    def facts(self, tgtd):
        """The series of the target at this portal, in both roles."""
        metrics = self.serve.settled()
        return {name: sorted((sorted(sample.labels.items()), sample.value) for sample in
                             metrics.select(name, portal=f"127.0.0.1:{tgtd.port}"))
                for name in ("session_up", "session_info", "lun_info", "lun_capacity_bytes")}

    def test_the_target_does_not_move(self):
        self.log_in(self.real)
        before = self.facts(self.real)
        for name, samples in before.items():
            self.assertEqual(len(samples), len(ROLES), name)
        self.assertEqual({value for _, value in before["lun_capacity_bytes"]}, {64 << 20})
        claimed = self.log_in(self.other)
        self.assertEqual(self.facts(self.real), before)
        others = self.facts(self.other)
        self.assertEqual({value for _, value in others["lun_capacity_bytes"]}, {128 << 20})
        claimed.disconnect()
        wait_until(lambda: {value for _, value in self.facts(self.other)["session_up"]} == {0}, 30,
                   "the other session to be down")
        self.assertEqual(self.facts(self.real), before)


if __name__ == "__main__":
    main()
