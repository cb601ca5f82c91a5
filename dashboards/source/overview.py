# SPDX-License-Identifier: Apache-2.0
"""The overview: what is wrong, who is worst, and where the time goes; for one host and for 500."""

from panels import (Series, bad, dashboard, findings_table, heatmap, lines, override, stat, table,
                    to_host, to_lun, to_sessions, warn)

NAMES = ("job", "instance", "role", "target", "lun", "operation")
OF_LUN = "role target lun"
OF_OPERATION = "role target lun operation"
OF_TARGET = "role target"
OF_PHASE = "role target operation"
S = Series(*NAMES)


def findings():
    return [
        findings_table(S, "Every finding that holds now, at any host and in either role. A finding "
                       "is a cause in words; its link leads to them. Bad: any line. Critical ones "
                       "first: somebody waits in vain, or data is in danger."),
    ]


def glance():
    up, commands = S.of("session_up", OF_TARGET), S.sum("commands_total", OF_OPERATION)
    moved = (f"{S.sum('read_bytes_total', OF_LUN)} + {S.sum('written_bytes_total', OF_LUN)}")
    errors = (f"{S.sum('command_errors_total', OF_LUN)} / "
              f"clamp_min({S.sum('commands_total', OF_LUN)}, 1e-9)")
    oldest = S.of("oldest_outstanding_command_seconds", OF_LUN)
    return [
        stat("Sessions", "Hosts that lunscope watches, sessions that are up, and sessions that "
             "were seen and are down now. Bad: any session down that nobody logged out, or fewer "
             "up than the hosts have targets and paths.",
             [(f"count({S.of('build_info')})", "hosts"), (f"sum({up})", "up"),
              (f"sum(1 - {up})", "down")], size=(6, 5), steps=((None, "red"), (1, "green")),
             overrides=[override("down", steps=bad(1))]),
        stat("Load", "SCSI commands completed per second, and bytes read and written by them per "
             "second. The operation variable narrows the commands only. Bad: a sudden fall while "
             "commands are outstanding, for then the storage has stopped and not the demand.",
             [(commands, "commands"), (moved, "throughput")], size=(6, 5), unit="ops",
             overrides=[override("throughput", unit="Bps")]),
        stat("p99 latency", "Time within which 99 of 100 commands complete, over all selected LUNs "
             "and operations; accurate to its bucket, a factor of two. Bad: over 20 ms for flash, "
             "over 100 ms for anything.",
             [(S.quantile(0.99, "command_duration_seconds", OF_OPERATION), "p99")], size=(4, 5),
             unit="s", steps=warn(0.02, 0.1)),
        stat("Error ratio", "Share of commands that ended in a SCSI status other than GOOD. Errors "
             "carry no operation, so the operation variable does not narrow this. Bad: over 1 %; a "
             "few UNIT ATTENTIONs right after a login are normal, anything lasting is not.",
             [(errors, "errors")], size=(4, 5), unit="percentunit", steps=warn(0.001, 0.01)),
        stat("Oldest outstanding command", "Age of the command that has waited longest for its "
             "response; 0 when none waits. Bad: over 10 s, as most initiators abort at 30 s, and "
             "any value that grows as fast as the clock.",
             [(f"max({oldest})", "oldest")], size=(4, 5), unit="s", steps=warn(1, 10)),
    ]


def worst(by, kind, labels, count):
    """The `count` series of a mean duration that are longest."""
    return f"topk({count}, {S.mean(kind, labels, by)})"


def guests():
    """Initiators that are a guest of a host that is watched. Only that host has their names."""
    of = "target"
    info = (f'max by (instance, role, target, initiator, guest) '
            f'({S.of("guest_info", of, INITIATOR)})')
    seconds, commands = (
        f"sum by (instance, role, target, initiator) ({S.rate(name, of, INITIATOR)})"
        for name in ("initiator_command_seconds_total", "initiator_commands_total"))
    return (f"topk(10, {seconds} / {commands} * on (instance, role, target, initiator) "
            f"group_left (guest) {info})")


INITIATOR = 'role="initiator"'


def worst_tables():
    mean = {"unit": "s", "steps": warn(0.02, 0.1), "size": (12, 8), "none": "no traffic",
            "value": "Mean duration", "sort": ("Mean duration", True)}
    by_initiator = "/".join(
        f" {S.sum(name, OF_TARGET, 'instance, role, target, initiator')} " for name in
        ("initiator_command_seconds_total", "initiator_commands_total")).strip()
    return [
        table("Slowest hosts", "Mean duration of a command at each host, of the ten where it is "
              "longest. Bad: one host far above the others, which use the same storage.",
              worst("instance", "command_duration_seconds", OF_OPERATION, 10), ["instance"],
              links={"instance": [to_host()]}, **mean),
        table("Slowest LUNs", "Mean duration of a command on each LUN, of the ten where it is "
              "longest. Bad: one LUN far above the others of its target: its backend is slow.",
              worst("instance, role, target, lun", "command_duration_seconds", OF_OPERATION, 10),
              ["target", "lun", "role", "instance"],
              links={"target": [to_sessions()], "lun": [to_lun()], "instance": [to_host()]},
              **mean),
        table("Slowest initiators", "Mean duration of a command of each initiator, all LUNs "
              "together, of the ten that wait longest. Bad: one initiator waits far longer than "
              "the others at the same target: its path or its load differs.",
              f"topk(10, {by_initiator})", ["initiator", "target", "role", "instance"],
              links={"target": [to_sessions()], "instance": [to_host()]}, **mean),
        table("Slowest guests", "Mean duration of a command of each guest whose QEMU is the "
              "initiator, seen from its own host, whatever the role above. If its host "
              "is not watched, the panel beside has it by its initiator name. Bad: one guest waits "
              "far longer than the others, or one that nobody expected is here.",
              guests(), ["guest", "initiator", "target", "role", "instance"],
              links={"target": [to_sessions()], "instance": [to_host()]}, **mean),
    ]


def phases():
    commands = S.sum("command_phase_seconds_sum", OF_PHASE, "phase")
    whole = f"scalar({S.sum('command_duration_seconds_count', OF_PHASE)})"
    return [
        lines("Where the time of a command goes", "Mean time that a command spent in each phase. "
              "At the target: `service` is the target and its backend, `queue` its process "
              "before it reads, `transfer_in` the initiator and the network, `transfer_out` a peer "
              "that does not read. At the initiator: `wait` and `transfer` are the network and the "
              "target, all else this host. Bad: the phase that grew is whose fault it is.",
              [(f"{commands} / {whole}", "{{phase}}")], stacked="normal", unit="s"),
        lines("Share of each phase", "The same, as a share of the whole. Bad: a share that changes "
              "while the load does not.", [(commands, "{{phase}}")], stacked="percent", unit="s"),
    ]


def latency():
    return [
        heatmap("Latency distribution", "Commands per second in each latency bucket; buckets "
                "double in width. Bad: a second band far above the first (some LUN, path or cache "
                "miss is slow), or the whole band moving up.",
                S.sum("command_duration_seconds_bucket", OF_OPERATION, "le")),
        lines("Latency percentiles by operation", "Median, 95th and 99th percentile of the time "
              "from command to status. As target this is the time the storage took; as initiator "
              "the network is in it too. Bad: p99 over the red line, or p50 and p99 rising "
              "together, which is saturation and not a few outliers.",
              [(S.quantile(f"{part / 100:.2f}", "command_duration_seconds", OF_OPERATION,
                           "operation"), f"p{part} {{{{operation}}}}") for part in (50, 95, 99)],
              size=(24, 9), unit="s", steps=warn(0.02, 0.1), dashed=True, log=True),
    ]


def rates():
    asked, waited = (S.sum(name, OF_TARGET, "initiator") for name in
                     ("initiator_commands_total", "initiator_command_seconds_total"))
    return [
        lines("Commands by operation", "Completed commands per second, by kind of operation. Bad: "
              "control or other making up a large share (a probing or retry loop), or a fall to "
              "zero of a load that should be steady.",
              [(S.sum("commands_total", OF_OPERATION, "operation"), "{{operation}}")], unit="ops"),
        lines("Bytes read and written", "Data bytes of completed commands per second: reads above "
              "the axis, writes below. Bad: a flat top at the speed of the link, or a fall to zero "
              "while commands are outstanding.",
              [(S.sum("read_bytes_total", OF_LUN), "read"),
               (S.sum("written_bytes_total", OF_LUN), "written")], unit="Bps",
              overrides=[override("written", custom_transform="negative-Y")]),
        lines("Commands by initiator", "Completed commands per second of the ten initiators that "
              "ask for most, all LUNs together. Bad: one initiator takes most of the load while "
              "others wait (see the panel beside).", [(f"topk(10, {asked})", "{{initiator}}")],
              unit="ops"),
        lines("Mean duration by initiator", "Mean duration of a command for the ten initiators "
              "that wait for longest. Bad: one initiator waits far longer than the others at the "
              "same target: its path or its load differs.",
              [(f"topk(10, {waited} / {asked})", "{{initiator}}")], unit="s"),
    ]


def saturation():
    return [
        lines("Outstanding commands by LUN", "Commands sent and not yet answered, on the twenty "
              "LUNs with the most. Bad: a flat top at the queue depth of the initiator or the "
              "command window of the target (the host waits for a slot), or a level that stays "
              "while commands per second fall.",
              [(f"topk(20, sum by (target, lun) ({S.of('outstanding_commands', OF_LUN)}))",
                "{{target}} LUN {{lun}}")], links=[to_lun(False)], unit="short"),
        lines("Bytes waiting for their reader", "Received by this host, but not yet read off the "
              "socket by the target or initiator process. Bad: a level that stays; the network has "
              "delivered, and the process on this host is slow or hangs. Commands that wait here "
              "are not outstanding yet in the role target.",
              [(f"topk(20, sum by (role, target) ({S.of('unread_bytes', OF_TARGET)}))",
                "{{target}} as {{role}}")], unit="bytes"),
    ]


def errors():
    def rate(name, labels, by):
        return S.sum(name, labels, by)
    return [
        lines("Failures by status and sense key", "Commands that ended in a status other than "
              "GOOD, by status and sense key. Bad: medium_error and hardware_error at any rate, "
              "BUSY or TASK SET FULL that lasts (the target is overloaded).",
              [(rate("command_errors_total", OF_LUN, "status, sense_key"),
                "{{status}} {{sense_key}}")], unit="cps", steps=bad(1)),
        lines("Commands that got no status", "Commands that ended without a status, by reason: "
              "aborted, rejected, cut off by the end of the connection. Bad: anything over zero; "
              "the initiator gave up or the connection broke.",
              [(rate("commands_without_status_total", OF_LUN, "reason"), "{{reason}}")],
              unit="cps", steps=bad(1)),
        lines("Logins that failed", "Logins that were refused, by status in words, and those that "
              "were sent to another address, which is no failure. Bad: a login refused again and "
              "again.",
              [(rate("login_failures_total", OF_TARGET, "status"), "{{status}}"),
               (rate("login_redirections_total", OF_TARGET, ""), "redirection")],
              unit="cps", steps=bad(1)),
        lines("Trouble between the ends", "Rejects, task management, asynchronous messages, "
              "pings that got no answer and wrong digests. Bad: anything over zero: an abort "
              "follows a command that took too long, a Reject a PDU that breaks the rules, a wrong "
              "digest a broken network card.",
              [(rate("rejects_total", OF_TARGET, "reason"), "Reject: {{reason}}"),
               (rate("task_management_requests_total", OF_TARGET, "function"), "{{function}}"),
               (rate("async_messages_total", OF_TARGET, "event"), "message: {{event}}"),
               (rate("pings_given_up_total", OF_TARGET, "sender"), "no answer to the {{sender}}"),
               (rate("header_digest_errors_total", OF_TARGET, ""), "wrong header digest")],
              unit="cps", steps=bad(1)),
        lines("TCP segments sent again", "Segments that these hosts had to send once more, by "
              "target. Bad: anything that lasts while latency is high; the network loses packets, "
              "and neither the target nor this host is slow. Each host counts its own segments "
              "only.",
              [("topk(20, " + rate("tcp_retransmitted_segments_total", OF_TARGET,
                                   "instance, role, target") + ")",
                "{{target}} as {{role}} {{instance}}")], size=(24, 9), unit="cps",
              links=[to_sessions(False)]),
    ]


def itself():
    return [
        table("Hosts whose lunscope does not see all", "Records, commands and PDU boundaries that "
              "were lost, per second, of the ten hosts with the most. The dashboard of the host "
              "has the reasons. Bad: anything over zero that lasts; the other panels are then a "
              "sample and not the whole.",
              f"topk(10, {S.sum('events_lost_total', '', 'instance')} + "
              f"{S.sum('stream_gaps_total', '', 'instance')})", ["instance"],
              value="Lost per second", sort=("Lost per second", True), unit="cps", steps=bad(0.1),
              links={"instance": [to_host()]}),
    ]


def build():
    return dashboard(
        "lunscope-overview", "lunscope / iSCSI overview",
        "Every SCSI command these hosts send or serve over iSCSI, as lunscope saw it.", NAMES,
        [("Findings", True, findings()), ("Overview as $role", True, glance()),
         ("The slowest", True, worst_tables()), ("Where the time goes", True, phases()),
         ("Latency", False, latency()), ("Rate", False, rates()),
         ("Saturation", False, saturation()), ("Errors", False, errors()),
         ("lunscope itself", False, itself())])
