# SPDX-License-Identifier: Apache-2.0
"""Faults made on purpose by two scripted ends: each is a function of the stage that it plays on.

`undo` keeps the connections open that a fault needs to last.
"""

import time

from harness.dialogue import (I, TARGET_NAME, T, login_request, login_response, manage)
from harness.pdus import (FULL_FEATURE, NO_DIGESTS, NOP_OUT, OPERATIONAL, REJECT, RESERVED_TAG,
                          TRANSIT, command, data_in, data_out, lun, pdu, r2t, read, response, text,
                          write)

TIMES = 15  # more than the ten commands that a mean needs
LATE = 0.06  # seconds: three times what counts as slow
CONFLICT = 0x18


def names(initiator, target):
    """Keys of a login, for a request without names."""
    return text(InitiatorName=initiator, TargetName=target)


def numbered(number):
    """The numbers of a status: all commands up to this one are there."""
    return {"statsn": number, "exp_cmdsn": number + 1, "max_cmdsn": number + 63}


def take_over(stage, undo):
    """Two hosts with one name throw each other out."""
    for tsih, host in enumerate(["127.0.0.1", "127.0.0.2"] * 3):
        conversation = undo.enter_context(stage.connect(source_host=host))
        conversation.say([I(login_request()), T(login_response(tsih=tsih + 1))])


def refuse(stage, _, initiator="iqn.2024-01.test:refused", target=TARGET_NAME, detail=1):
    for _ in range(2):
        with stage.connect() as conversation:
            conversation.say([
                I(login_request(names(initiator, target), names=False)),
                T(login_response(flags=0, tsih=0, status_class=2, status_detail=detail))])
            conversation.end("target")


def look_for_what_is_gone(stage, undo):
    refuse(stage, undo, "iqn.2024-01.test:stale", "iqn.2024-01.test:gone", 3)


def as_initiator(name):
    """A login of this initiator, to the same target."""
    return [I(login_request(names(name, TARGET_NAME), TRANSIT | OPERATIONAL | FULL_FEATURE,
                            names=False)), T(login_response())]


def reject(stage, undo):
    undo.enter_context(stage.connect()).say([
        *as_initiator("iqn.2024-01.test:rejected"), I(command()),
        T(pdu(REJECT, data=command().header, reason=4, statsn=1, exp_cmdsn=2, max_cmdsn=64))])


def abort(stage, undo):
    undo.enter_context(stage.connect()).say([
        *as_initiator("iqn.2024-01.test:aborts"), I(command()), *manage(1)])


def conflict(stage, undo):
    steps = as_initiator("iqn.2024-01.test:conflict")
    for itt in range(1, 5):
        steps += [I(write(itt, data=bytes(512))),
                  T(response(itt, CONFLICT, **numbered(itt)))]
    undo.enter_context(stage.connect()).say(steps)


def go_beyond(stage, undo):
    undo.enter_context(stage.connect()).say([
        *as_initiator("iqn.2024-01.test:beyond"), I(command(1)),
        T(response(1, exp_cmdsn=2, max_cmdsn=2)), I(command(9))])


def answer_late(stage, undo):
    """Each command is read at once, and answered late."""
    conversation = undo.enter_context(stage.connect())
    conversation.say(as_initiator("iqn.2024-01.test:slow"))
    for itt in range(1, TIMES + 1):
        conversation.say([I(read(itt, lun=lun(2)))])
        time.sleep(LATE)
        conversation.say([T(data_in(itt), response(itt, **numbered(itt)))])


def send_data_late(stage, undo):
    conversation = undo.enter_context(stage.connect())
    conversation.say(as_initiator("iqn.2024-01.test:late"))
    for itt in range(1, TIMES + 1):
        conversation.say([I(write(itt, lun=lun(3))), T(r2t(itt, lun=lun(3)))])
        time.sleep(LATE)
        conversation.say([I(data_out(itt, ttt=1)), T(response(itt, **numbered(itt)))])


def wait_for_acknowledgements(stage, undo):
    """The status of a write in two pieces, of which Nagle holds the second one back. Returns
    whether nearly all took the 40 ms of a delayed acknowledgement. On a busy machine it is longer.
    """
    took = []
    conversation = undo.enter_context(stage.connect())
    conversation.say(as_initiator("iqn.2024-01.test:nagle"))
    for itt in range(1, 2 * TIMES + 1):
        conversation.say([I(write(itt, data=bytes(512), lun=lun(4)))])
        conversation.batch("target")
        wire = T(response(itt, **numbered(itt))).wire(NO_DIGESTS)
        conversation.send("target", wire[:24])
        began = time.monotonic()
        conversation.send("target", wire[24:])
        conversation.read("target", len(wire))
        took.append(time.monotonic() - began)
    return sum(0.039 < each < 0.046 for each in took) >= 0.9 * len(took)


def ping_in_vain(stage, undo):
    """Returns the conversation, on which commands go on."""
    conversation = undo.enter_context(stage.connect())
    conversation.say([*as_initiator("iqn.2024-01.test:pings"),
                      I(pdu(NOP_OUT, itt=50, ttt=RESERVED_TAG, cmdsn=1, exp_statsn=1))])
    return conversation


def stop_reading(stage, undo):
    """Neither end reads: the target owes an answer, and the initiator has answers to read."""
    stopped = undo.enter_context(stage.connect())
    stopped.say(as_initiator("iqn.2024-01.test:waits"))
    stopped.send("initiator", command(1).wire())
    full = undo.enter_context(stage.connect())
    full.say(as_initiator("iqn.2024-01.test:full"))
    full.fill("target")
