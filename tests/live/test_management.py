# SPDX-License-Identifier: Apache-2.0
"""Logins, texts, task management, NOPs, SNACKs, Rejects, Asynchronous Messages and logouts, as two
scripted peers exchange them: every code that RFC 7143 and RFC 7144 have.
"""

from compare import snake_case
from dialogue import (ROLES, I, Row, Stage, T, Table, login_request, login_response, pieces,
                      written)
from harness import LiveTest, main, wait_until
from lunscope import Serve
from pdus import (ASYNC_MESSAGE, CONTINUE, FINAL, FIXED_SENSE, FULL_FEATURE, LOGOUT_REQUEST,
                  LOGOUT_RESPONSE, NOP_IN, NOP_OUT, OPERATIONAL, REJECT, RESERVED_TAG,
                  SNACK_REQUEST, TASK_REQUEST, TASK_RESPONSE, TEXT_REQUEST, TEXT_RESPONSE, TRANSIT,
                  command, data_in, data_out, lun, pdu, r2t, read, response, text, with_length,
                  write)

STATSN = {"statsn": 2, "exp_cmdsn": 2, "max_cmdsn": 64}


# tshark takes a header with a code that it does not know for no header.
UNKNOWN_CODE = "a code that tshark does not know"

# ---- Rejects (section 11.17) ----

REASONS = {1: "Reserved", 2: "Data Digest Error", 3: "SNACK Reject", 4: "Protocol Error",
           5: "Command Not Supported", 6: "Immediate Command Reject", 7: "Task In Progress",
           8: "Invalid Data ACK", 9: "Invalid PDU Field", 10: "Long Operation Reject",
           11: "Deprecated", 12: "Waiting for Logout", 0x7F: "0x7f"}


def reject(rejected, reason=4, length=48):
    return pdu(REJECT, data=rejected.header[:length], reason=reason, statsn=1, exp_cmdsn=2,
               max_cmdsn=64)


def counts_reject(reason):
    return {f"rejects_total reason={snake_case(REASONS[reason])}": 1}


REJECTS = {f"Reject of a command: {name}": Row(
    [I(command()), T(reject(command(), code))], [],
    {**counts_reject(code), "commands_unreported_total reason=rejected": 1},
    tshark_differs="" if code in range(1, 13) else UNKNOWN_CODE)
    for code, name in REASONS.items()}
REJECTS |= {
    "Reject of a Data-Out": Row(
        [I(write()), T(r2t()), I(data_out(ttt=1, lun=lun(1))),
         T(reject(data_out(ttt=1, lun=lun(1)), 2)), T(response())], [written()],
        counts_reject(2)),
    "Reject of a NOP-Out": Row(
        [I(pdu(NOP_OUT, itt=5, ttt=RESERVED_TAG, cmdsn=1)),
         T(reject(pdu(NOP_OUT, itt=5, ttt=RESERVED_TAG, cmdsn=1), 9))], [], counts_reject(9)),
    "Reject with half a header": Row(
        [I(command()), T(reject(command(), 4, 24)), T(response())], [{"status": "Good"}],
        counts_reject(4)),
    "Reject of a command that nobody sent": Row([T(reject(command(9)))], [], counts_reject(4)),
    "Reject of the first login": Row(
        [I(login_request()), T(reject(login_request()))], [], counts_reject(4), logs_in=False),
}

# ---- Asynchronous Messages (section 11.9) ----

ASYNC_EVENTS = {
    "SCSI event": (0, "scsi_event", {"lun": lun(1)}, with_length(FIXED_SENSE)),
    "logout request": (1, "logout_request", {"parameter3": 10}, b""),
    "connection drop": (2, "connection_drop", {"parameter1": 1, "parameter2": 2, "parameter3": 20},
                        b""),
    "session drop": (3, "session_drop", {"parameter2": 2, "parameter3": 20}, b""),
    "negotiation request": (4, "negotiation_request", {"parameter3": 3}, b""),
    "task termination": (5, "task_termination", {"lun": lun(1)}, b""),
    "event of a vendor": (248, "0xf8", {"async_vcode": 7, "parameter1": 1}, b"what it means"),
}
ASYNC_ROWS = {f"Asynchronous Message: {name}": Row(
    [T(pdu(ASYNC_MESSAGE, data=data, async_event=code, **STATSN, **fields)), I(command()),
     T(response())], [{"status": "Good"}], {f"async_messages_total event={label}": 1})
    for name, (code, label, fields, data) in ASYNC_EVENTS.items()}

# ---- Task management (sections 11.5, 11.6, RFC 7144) ----

FUNCTIONS = {1: "abort_task", 2: "abort_task_set", 3: "clear_aca", 4: "clear_task_set",
             5: "logical_unit_reset", 6: "target_warm_reset", 7: "target_cold_reset",
             8: "task_reassign", 9: "query_task", 10: "query_task_set", 11: "i_t_nexus_reset",
             12: "query_asynchronous_event"}
# Which of the tasks 1 (LUN 1) and 2 (LUN 2) it ends, asked for task 1 and LUN 1.
ENDS = {1: 1, 2: 1, 4: 1, 5: 1, 6: 2, 7: 2, 11: 2}


def manage(function, itt=9, answer=0):
    """The request, and its response."""
    where = {} if function in (6, 7, 8, 11) else {"lun": lun(1)}
    return [I(pdu(TASK_REQUEST, FINAL | function, immediate=True, itt=itt, referenced_task_tag=1,
                  cmdsn=3, exp_statsn=1, **where)),
            T(pdu(TASK_RESPONSE, response=answer, itt=itt, **STATSN))]


def task_row(function, answer=0):
    ended = ENDS.get(function, 0) if answer == 0 else 0
    counters = {f"task_management_requests_total function={FUNCTIONS[function]}": 1}
    if ended:
        counters["commands_unreported_total reason=aborted"] = ended
    rest = [command(1), command(2, lun=lun(2))][ended:]
    return Row([I(command(1), command(2, lun=lun(2))), *manage(function, answer=answer),
                *(T(response(each.itt)) for each in rest)],
               [{"itt": each.itt, "status": "Good"} for each in rest], counters,
               tshark_differs=UNKNOWN_CODE if function > 8 or answer == 7 else "")


TASKS = {f"task management function {code}": task_row(code) for code in FUNCTIONS}
TASKS |= {f"task management response {answer}": task_row(5, answer)
          for answer in (1, 2, 3, 4, 5, 6, 7, 255)}
TASKS["an aborted task that is answered nevertheless"] = Row(
    [I(command(1)), *manage(1), T(response(1))], [],
    {"task_management_requests_total function=abort_task": 1,
     "commands_unreported_total reason=aborted": 1, "unmatched_responses_total": 1})

# ---- NOPs and SNACKs (sections 11.18, 11.19, 11.16) ----

PING = b"are you there?"
NOPS = {
    "NOP: ping of the initiator": Row(
        [I(pdu(NOP_OUT, data=PING, itt=5, ttt=RESERVED_TAG, cmdsn=1, exp_statsn=1)),
         T(pdu(NOP_IN, data=PING, itt=5, ttt=RESERVED_TAG, **STATSN))]),
    "NOP: ping of the target": Row(
        [T(pdu(NOP_IN, data=PING, lun=lun(0), itt=RESERVED_TAG, ttt=77, **STATSN)),
         I(pdu(NOP_OUT, data=PING, immediate=True, lun=lun(0), itt=RESERVED_TAG, ttt=77,
               cmdsn=1))]),
    "NOP: nothing is asked": Row(
        [I(pdu(NOP_OUT, immediate=True, itt=RESERVED_TAG, ttt=RESERVED_TAG, cmdsn=1)),
         T(pdu(NOP_IN, itt=RESERVED_TAG, ttt=RESERVED_TAG, **STATSN))]),
    "NOP: a ping with 8 KiB": Row(
        [I(pdu(NOP_OUT, data=bytes(8192), itt=5, ttt=RESERVED_TAG, cmdsn=1)),
         T(pdu(NOP_IN, data=bytes(8192), itt=5, ttt=RESERVED_TAG, **STATSN))]),
    "NOP: an answer that nobody waits for": Row(
        [T(pdu(NOP_IN, data=PING, itt=5, ttt=RESERVED_TAG, **STATSN)), I(command()),
         T(response())], [{"status": "Good"}]),
}
SNACKS = {
    "SNACK: Data or R2T": Row(
        [I(read(length=1024)), T(data_in(flags=FINAL)),
         I(pdu(SNACK_REQUEST, FINAL | 0, lun=lun(1), itt=1, ttt=RESERVED_TAG, begrun=0,
               runlength=1)), T(data_in()), T(response())],
        [{"status": "Good", "transferred_bytes": 1024}]),
    "SNACK: status": Row(
        [I(command()), I(pdu(SNACK_REQUEST, FINAL | 1, itt=RESERVED_TAG, ttt=RESERVED_TAG,
                             begrun=1, runlength=1)), T(response())], [{"status": "Good"}]),
    "SNACK: DataACK": Row(
        [I(read()), T(data_in(flags=FINAL | 0x40, lun=lun(1), ttt=4)),
         I(pdu(SNACK_REQUEST, FINAL | 2, lun=lun(1), itt=RESERVED_TAG, ttt=4, begrun=1)),
         T(response())], [{"status": "Good", "transferred_bytes": 512}]),
    "SNACK: R-Data": Row(
        [I(read()), I(pdu(SNACK_REQUEST, FINAL | 3, lun=lun(1), itt=1, snack_tag=6)),
         T(data_in()), T(response(snack_tag=6))], [{"status": "Good", "transferred_bytes": 512}]),
}

# ---- Logins (sections 11.12, 11.13) ----

STATUSES = {0x0101: "redirection", 0x0102: "redirection",
            **{0x0200 + detail: "initiator_error" for detail in range(0x0C)},
            **{0x0300 + detail: "target_error" for detail in range(3)}}
STAY = OPERATIONAL  # T is not set
# Digests come into effect with the full feature phase: no login that fails gets there.
LOGINS = {f"login status 0x{status:04x}": Row(
    [I(login_request(text(HeaderDigest="CRC32C", DataDigest="CRC32C"))),
     T(login_response(text(TargetAddress="127.0.0.2:3260,1") if status >> 8 == 1 else b"", 0,
                      tsih=0, status_class=status >> 8, status_detail=status & 0xFF))], [],
    {f"login_failures_total status_class={status_class}": 1}, logs_in=False)
    for status, status_class in STATUSES.items()}
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


LOGOUTS = {
    "logout: close the session": Row(logout(0), [], {"logouts_total": 1}),
    "logout: close the connection": Row(logout(1, cid=0), [], {"logouts_total": 1}),
    "logout: remove a connection": Row(logout(2, cid=3), [], {"logouts_total": 1}),
    **{f"logout response {answer}": Row(logout(2, answer, cid=3)) for answer in (1, 2, 3)},
    "logout with a command in flight": Row([I(command()), *logout(0)], [], {
        "logouts_total": 1, "commands_unreported_total reason=connection_closed": 1}),
}

# ---- Opcodes of vendors (section 11.2.1.2) ----

VENDORS = {f"vendor opcode {opcode:#x}": Row(
    [(I if opcode < 0x20 else T)(pdu(opcode, 0x5A, b"whatever they like")), *WORKS],
    [{"status": "Good"}]) for opcode in (0x1C, 0x1D, 0x1E, 0x3C, 0x3D, 0x3E)}


class Management(Table, LiveTest):
    ROWS = {**REJECTS, **ASYNC_ROWS, **TASKS, **NOPS, **SNACKS, **LOGINS, **TEXTS, **LOGOUTS,
            **VENDORS}


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
                   5, f"sessions to be {up}, not {self.sessions(self.serve.metrics())}")

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


if __name__ == "__main__":
    main()
