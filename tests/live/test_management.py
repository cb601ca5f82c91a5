# SPDX-License-Identifier: Apache-2.0
"""Task management, NOPs, SNACKs, Rejects and Asynchronous Messages, as two scripted peers exchange
them: every code that RFC 7143 and RFC 7144 have.
"""

from harness.case import LiveTest, main
from harness.compare import snake_case
from harness.dialogue import I, STATSN, T, login_request, manage
from harness.pdus import (ASYNC_MESSAGE, FINAL, FIXED_SENSE, NOP_IN, NOP_OUT, REJECT, RESERVED_TAG,
                          SNACK_REQUEST, command, data_in, data_out, lun, pdu, r2t, read, response,
                          with_length, write)
from harness.table import Row, Table, written

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

# The target ignored it, because its CmdSN was outside the window, say. Nothing stays in flight.
TASKS["a task that does not exist"] = Row(
    [I(command(1), command(2)), *manage(1, answer=1), T(response(2))],
    [{"itt": 2, "status": "Good"}],
    {"task_management_requests_total function=abort_task": 1,
     "commands_unreported_total reason=no_such_task": 1})

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

# ---- Opcodes of vendors (section 11.2.1.2) ----

VENDORS = {f"vendor opcode {opcode:#x}": Row(
    [(I if opcode < 0x20 else T)(pdu(opcode, 0x5A, b"whatever they like")), I(command()),
     T(response())], [{"status": "Good"}]) for opcode in (0x1C, 0x1D, 0x1E, 0x3C, 0x3D, 0x3E)}


class Management(Table, LiveTest):
    ROWS = {**REJECTS, **ASYNC_ROWS, **TASKS, **NOPS, **SNACKS, **VENDORS}


if __name__ == "__main__":
    main()
