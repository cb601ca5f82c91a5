# SPDX-License-Identifier: Apache-2.0
"""Conversations that two scripted ends play, and the words of their events."""

from harness.dialogue import I, STATSN, T, login, login_request, login_response, manage
from harness.pdus import (ASYNC_MESSAGE, FINAL, LOGOUT_REQUEST, LOGOUT_RESPONSE, REJECT, command,
                          pdu, response)

LOGOUT = [I(pdu(LOGOUT_REQUEST, FINAL, immediate=True, itt=7, cid=0, cmdsn=2, exp_statsn=1)),
          T(pdu(LOGOUT_RESPONSE, itt=7, **STATSN))]
IN = "logged in"
FIN = {"initiator": ("closed by this host", "closed by the peer"),
       "target": ("closed by the peer", "closed by this host")}
RST = {"initiator": ("reset by this host", "reset by the peer"),
       "target": ("reset by the peer", "reset by this host")}


def ended(how, suffix):
    """The words of the last event at (the initiator, the target)."""
    return tuple(f"connection {words}{suffix}" for words in how)


OPEN = "; 1 command had no answer"
UNANSWERED = ", in the middle of the login; the target had not answered the Login Request"
# Steps, who ends the connection and how, and the words of the events.
ROWS = {
    "logout": ([*login(), *LOGOUT], "initiator", FIN, [IN, "logged out"], ", after the logout"),
    "logout, the target closes": (
        [*login(), *LOGOUT], "target", FIN, [IN, "logged out"], ", after the logout"),
    "closed in a session": (
        [*login(), I(command()), T(response())], "initiator", FIN, [IN], ", without a logout"),
    "closed by the target with a command open": (
        [*login(), I(command())], "target", FIN, [IN], ", without a logout" + OPEN),
    "reset with a command open": (
        [*login(), I(command())], "initiator", RST, [IN], ", without a logout" + OPEN),
    "reset by the target": ([*login(), I(command()), T(response())], "target", RST, [IN],
                            ", without a logout"),
    "closed in the login": ([I(login_request())], "target", FIN, [], UNANSWERED),
    "reset in the login": ([I(login_request())], "initiator", RST, [], UNANSWERED),
    "closed in the login, by the initiator": (
        [I(login_request()), T(login_response(flags=0, tsih=0))], "initiator", FIN, [],
        ", in the middle of the login; the initiator was to go on"),
    "login refused": (
        [I(login_request()), T(login_response(flags=0, tsih=0, status_class=2, status_detail=1))],
        "target", FIN, ["login refused: Authentication failure"],
        ", after the target turned the login away"),
    "logout refused": (
        [*login(), LOGOUT[0], T(pdu(LOGOUT_RESPONSE, response=1, itt=7, **STATSN))], "initiator",
        FIN, [IN, "logout refused: CID not found"], ", without a logout"),
    "abort": (
        [*login(), I(command()), *manage(1)], "initiator", FIN,
        [IN, "ABORT TASK of the command with ITT 1 requested",
         "task management answered: Function complete"], ", without a logout"),
    "Reject": (
        [*login(), I(command()),
         T(pdu(REJECT, data=command().header, reason=4, statsn=1, exp_cmdsn=2, max_cmdsn=64))],
        "target", FIN, [IN, "Reject: Protocol Error, of a SCSI Command with ITT 1"],
        ", without a logout"),
    "Asynchronous Message": (
        [*login(), T(pdu(ASYNC_MESSAGE, async_event=1, parameter3=10, **STATSN))], "initiator",
        FIN, [IN, "Asynchronous Message: Logout Request"], ", without a logout"),
}


def play(stage):
    """Returns {name: the initiator's port}."""
    ports = {}
    for name, (steps, ender, how, _, _) in ROWS.items():
        with stage.connect() as conversation:
            conversation.say(steps)
            conversation.end(ender, resets=how is RST)
            ports[name] = conversation.port
    return ports
