# SPDX-License-Identifier: Apache-2.0
"""The sessions of a target: whether they stand, and what they wait for."""

from panels import (Series, bad, dashboard, findings_table, lines, override, stat, table, timeline,
                    to_host, value_mappings, warn)

NAMES = ("job", "instance", "role", "target")
OF = "role target"
S = Series(*NAMES)
STATES = {0: ("down", "red"), 1: ("up", "green")}


def by_target(name, how="max"):
    """A gauge of the twenty targets where it is highest."""
    return f"topk(20, {how} by (instance, target) ({S.of(name, OF)}))"


def sessions():
    up, info = S.of("session_up", OF), S.of("session_info", OF)
    page = {"title": "Its parameters and its process, on the page of its host",
            "url": "http://${__data.fields.instance}/sessions", "targetBlank": True}
    return [
        findings_table(S, "Findings of the sessions that are chosen, and of their hosts. Bad: any "
                       "line.", size=(24, 5)),
        stat("Sessions of the target", "Sessions that are up, and those that were lost without a "
             "logout and are not back. Bad: any that is down.",
             [(f"sum({up})", "up"), (f"sum(1 - {up})", "down")], size=(6, 6),
             steps=((None, "red"), (1, "green")), overrides=[override("down", steps=bad(1))]),
        timeline("State of each session", "When each session was up. Bad: red; or short pieces of "
                 "green, one behind the other: it comes and goes.",
                 [(f"max by (instance, target, session, portal) ({up})",
                   "{{target}} {{session}} {{portal}}")], STATES, size=(18, 6)),
        table("Parameters of each session", "One line for each session: who, from where, and the "
              "digests. The link of the session leads to all that login agreed on. Bad: a state of "
              "down, a missing initiator, digests that differ between paths of the same target.",
              f"{info} * on (job, instance, role, target, session, portal) group_left () {up}",
              ["instance", "role", "target", "initiator", "portal", "session", "header_digest",
               "data_digest"], value="State", sort=("State", False),
              steps=((None, "red"), (1, "green")), none="no session",
              links={"session": [page], "instance": [to_host()]},
              overrides=[override("State", mappings=value_mappings(STATES),
                                  custom_cellOptions={"type": "color-text"})]),
    ]


def window():
    return [
        lines("Command window", "Commands that the target still takes, on the connection with the "
              "fewest, and the fewest of the last minute or two. Bad: 0, or near it: commands wait "
              "at the initiator, where no tool sees them.",
              [(f"min by (target) ({S.of('command_window_commands', OF)})", "now, {{target}}"),
               (f"min by (target) ({S.of('smallest_command_window_commands', OF)})",
                "smallest, {{target}}")], unit="short"),
        lines("Closed window", "Share of time in which an initiator could send no command, the sum "
              "of all connections. Bad: over 5 %: more in flight would be faster; raise the "
              "target's queue (tgt: MaxQueueCmd; LIO: default_cmdsn_depth).",
              [(S.sum("command_window_closed_seconds_total", OF, "target"), "{{target}}")],
              unit="percentunit", steps=warn(0.01, 0.05), dashed=True),
        lines("Commands beyond the window", "Commands with a CmdSN above MaxCmdSN, which the "
              "target ignores for ever. Bad: any; the initiator breaks RFC 7143 and waits until "
              "its timeout.", [(S.sum("commands_beyond_window_total", OF, "target"), "{{target}}")],
              unit="cps", steps=bad(0.001)),
        lines("Statuses that are not acknowledged", "Answers that the initiator has not "
              "acknowledged by ExpStatSN. Bad: it only grows: the initiator does not read.",
              [(by_target("unacknowledged_statuses"), "{{target}} {{instance}}")], unit="short"),
    ]


def pings():
    return [
        lines("Round trip of pings", "99th percentile of the round trip of a NOP, by who asked. A "
              "ping needs no disk. Bad: far above that of `ping`: the peer's process is slow to "
              "answer.", [(S.quantile(0.99, "ping_seconds", OF, "target, sender"),
                           "{{target}}, from the {{sender}}")], unit="s", steps=warn(0.1, 1)),
        lines("Pings without an answer", "Age of the oldest ping that waits, and pings per second "
              "that were given up. Bad: over 5 s, which is when most ends drop the session.",
              [(f"max by (target, sender) ({S.of('oldest_unanswered_ping_seconds', OF)})",
                "waits, {{target}}, from the {{sender}}"),
               (S.sum("pings_given_up_total", OF, "target, sender"),
                "given up, {{target}}, from the {{sender}}")], unit="s", steps=warn(2, 5)),
    ]


def tcp():
    return [
        lines("Smoothed round-trip time", "TCP's own, of the slowest connection. Bad: over 1 ms in "
              "one machine room; it rises with load: a queue in a switch.",
              [(by_target("tcp_smoothed_rtt_seconds"), "{{target}} {{instance}}")], unit="s",
              steps=warn(0.002, 0.02)),
        lines("Segments sent again", "TCP segments that this host sent again, per second. Bad: "
              "anything that lasts: the network loses packets, or the peer is gone.",
              [(S.sum("tcp_retransmitted_segments_total", OF, "target"), "{{target}}")],
              unit="cps", steps=warn(0.1, 1)),
        lines("Bytes on their way out", "Bytes that TCP has not sent, and bytes that the peer's "
              "TCP has not acknowledged. Bad: a level that stays: the network or the peer takes no "
              "more.", [(by_target("tcp_unsent_bytes", "sum"), "not sent, {{target}} {{instance}}"),
                        (by_target("tcp_unacknowledged_bytes", "sum"),
                         "not acknowledged, {{target}} {{instance}}")], unit="bytes"),
        lines("Bytes that nobody reads", "Bytes that have arrived and wait for the process on this "
              "host. Bad: a level that stays: the process stands still.",
              [(by_target("unread_bytes", "sum"), "{{target}} {{instance}}")], unit="bytes"),
        lines("Oldest byte without an acknowledgement", "How long it has waited, on the worst "
              "connection. Bad: over 1 s: packets are lost, or the MTU is too large on the way.",
              [(by_target("tcp_oldest_unacknowledged_seconds"), "{{target}} {{instance}}")],
              unit="s", steps=warn(0.5, 1)),
        lines("Peers that take no bytes", "Connections whose peer has closed its TCP window. Bad: "
              "any that stays: the peer's process does not read.",
              [(by_target("tcp_closed_send_windows", "sum"), "{{target}} {{instance}}")],
              unit="short", steps=bad(1)),
    ]


def ends():
    return [
        lines("Ends of connections", "Connections that ended, by who ended them and how far they "
              "had come. Bad: any but `after_logout` that comes again and again; reset_by_peer and "
              "timed_out most of all.",
              [(S.sum("connections_ended_total", OF, "end, during"), "{{end}}, {{during}}")],
              unit="cps", steps=bad(0.1)),
        lines("Logins", "Logins, refused logins by status in words, redirections and logouts. Bad: "
              "a refusal; or logins that come as often as ends without a logout.",
              [(S.sum("logins_total", OF), "logged in"),
               (S.sum("login_failures_total", OF, "status"), "refused: {{status}}"),
               (S.sum("login_redirections_total", OF), "redirected"),
               (S.sum("logouts_total", OF), "logged out")], unit="cps"),
        lines("Sessions thrown out", "Sessions whose place a new login took. Bad: from another "
              "address more than once: two hosts have one initiator name.",
              [(S.sum("session_reinstatements_total", OF, "target, from"),
                "{{target}}, from {{from}}")], unit="cps", steps=bad(0.001)),
        lines("Outages", "Share of time that sessions were lost before they came back; the sum of "
              "all that are chosen. Bad: any; each is a time in which disks stood still.",
              [(S.sum("session_outage_seconds_total", OF, "target"), "{{target}}")],
              unit="percentunit", steps=bad(0.001)),
    ]


def wrong():
    return [
        lines("Rejects", "PDUs that an end rejected, by reason. Bad: any: one of the two ends "
              "breaks the protocol.", [(S.sum("rejects_total", OF, "target, reason"),
                                 "{{target}}, {{reason}}")], unit="cps", steps=bad(0.001)),
        lines("Task management", "Aborts and resets. Bad: any: commands took longer than the "
              "initiator's timeout; resets hit the commands of other hosts, too.",
              [(S.sum("task_management_requests_total", OF, "target, function"),
                "{{target}}, {{function}}")], unit="cps", steps=bad(0.001)),
        lines("Messages of the target", "Asynchronous Messages, by event. Bad: logout_request and "
              "the drops: the target is about to go away.",
              [(S.sum("async_messages_total", OF, "target, event"), "{{target}}, {{event}}")],
              unit="cps"),
        lines("Wrong header digests", "PDUs that were dropped because the checksum of their header "
              "was wrong. Bad: any: a network card or a switch changes bytes.",
              [(S.sum("header_digest_errors_total", OF, "target"), "{{target}}")], unit="cps",
              steps=bad(0.001)),
    ]


def pdus():
    return [
        lines(f"PDUs {what}", f"PDUs {what}, by opcode. Bad: r2t as many as scsi_command under "
              "writes (small bursts); nop without commands is a session at rest.",
              [(S.sum(f"pdus_{what}_total", OF, "opcode"), "{{opcode}}")], unit="cps")
        for what in ("sent", "received")] + [
        lines("Bytes sent and received", "Bytes of PDUs with their headers: sent above the axis, "
              "received below. Bad: a flat top at the speed of the link.",
              [(S.sum("sent_bytes_total", OF), "sent"),
               (S.sum("received_bytes_total", OF), "received")], size=(24, 8), unit="Bps",
              overrides=[override("received", custom_transform="negative-Y")])]


def build():
    return dashboard(
        "lunscope-session", "lunscope / Sessions",
        "The sessions of a target: state, window, pings, TCP, logins and ends.", NAMES,
        [("Sessions as $role", True, sessions()), ("Window", True, window()),
         ("Pings", True, pings()), ("TCP", True, tcp()), ("Logins and ends", False, ends()),
         ("Trouble", False, wrong()), ("PDUs", False, pdus())])
