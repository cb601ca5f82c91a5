# SPDX-License-Identifier: Apache-2.0
"""One LUN: its initiators' end over its target's end. The difference is the network."""

from panels import (Series, bad, dashboard, findings_table, heatmap, lines, override, stat, table,
                    to_host, to_sessions, warn)

NAMES = ("job", "instance", "target", "lun", "operation")
OF_LUN = "target lun"
OF_OPERATION = "target lun operation"
OF_PHASE = "target operation"
INITIATOR, TARGET = 'role="initiator"', 'role="target"'
S = Series(*NAMES)
DURATION = "command_duration_seconds"


def difference():
    """The mean duration at the initiator's end less that at the target's."""
    return (f"{S.mean(DURATION, OF_OPERATION, more=INITIATOR)} - "
            f"{S.mean(DURATION, OF_OPERATION, more=TARGET)}")


def glance():
    return [
        findings_table(S, "Findings of this LUN, of its target as a whole, and of its hosts. Bad: "
                       "any line.", size=(24, 5)),
        stat("Commands", "Commands of this LUN completed per second, at each end. Bad: the ends "
             "differ for long: a host with an initiator or a target of this LUN is not watched.",
             [(S.sum("commands_total", OF_OPERATION, "role"), "at the {{role}}")], unit="ops"),
        stat("Mean duration", "Mean time from command to status, at each end. Bad: over 20 ms for "
             "flash. High at both ends: the target. High at the initiator alone: the network.",
             [(S.mean(DURATION, OF_OPERATION, "role"), "at the {{role}}")], unit="s",
             steps=warn(0.02, 0.1)),
        stat("Network", "Mean duration at the initiator less that at the target: the network, and "
             "both hosts' TCP. It is right only where every end of this LUN is watched. Bad: more "
             "than a round trip, which `ping` measures; a write may need several.",
             [(difference(), "network")], unit="s", steps=warn(0.005, 0.05)),
        stat("Oldest outstanding command of the LUN", "Age of the command that has waited longest, "
             "at each end. Bad: over 10 s, or it grows as fast as the clock: nobody answers.",
             [(f"max by (role) ({S.of('oldest_outstanding_command_seconds', OF_LUN)})",
               "at the {{role}}")], unit="s", steps=warn(1, 10)),
    ]


def both_ends():
    def phases(role, title, description):
        whole = f"scalar({S.sum(f'{DURATION}_count', OF_PHASE, more=role)})"
        spent = S.sum("command_phase_seconds_sum", OF_PHASE, "phase", role)
        return lines(title, description, [(f"{spent} / {whole}", "{{phase}}")], stacked="normal",
                     unit="s")
    return [
        lines("Mean duration at both ends", "Mean time from command to status at the initiators' "
              "hosts and at the target's host, and the difference, which is the network. Bad: both "
              "rise together: the target or its backend. Only the initiator's rises: the network.",
              [(S.mean(DURATION, OF_OPERATION, "role"), "at the {{role}}"),
               (difference(), "network")], unit="s"),
        lines("p99 at both ends", "Time within which 99 of 100 commands complete, at each end; "
              "accurate to its bucket, a factor of two. Bad: far above the mean: some commands, or "
              "one initiator, have a fault that others have not.",
              [(S.quantile(0.99, DURATION, OF_OPERATION, "role"), "at the {{role}}")], unit="s",
              steps=warn(0.02, 0.1), dashed=True, log=True),
        phases(INITIATOR, "Phases at the initiator", "Mean time in each phase as the initiators' "
               "hosts see it, of all LUNs of the target. `wait` and `transfer` are the network and "
               "the target; `send`, `data_out` and `pickup` are the initiator's host. Bad: "
               "`pickup` or `data_out` lead: the initiator is late, and not the storage."),
        phases(TARGET, "Phases at the target", "Mean time in each phase as the target's host sees "
               "it, of all LUNs of the target. `service` is the target and its backend, `queue` "
               "its process before it reads, `transfer_in` initiator and network. Bad: `service` "
               "leads: the backend. `queue` leads: the target's process. `transfer_in` leads: the "
               "network or the initiator."),
    ]


def load():
    return [
        lines("Commands of the LUN", "Completed commands per second, by operation, at each end. "
              "Bad: a fall to zero while commands are outstanding; or discard floods beside reads.",
              [(S.sum("commands_total", OF_OPERATION, "role, operation"),
                "{{operation}} at the {{role}}")], unit="ops"),
        lines("Bytes of the LUN", "Bytes read and written per second, at each end. Bad: a flat top "
              "at the speed of the link.",
              [(S.sum("read_bytes_total", OF_LUN, "role"), "read at the {{role}}"),
               (S.sum("written_bytes_total", OF_LUN, "role"), "written at the {{role}}")],
              unit="Bps"),
        lines("Outstanding commands of the LUN", "Commands without a status, by host. Bad: a flat "
              "top at the initiator's queue depth, or a level that stays while nothing completes.",
              [(f"sum by (role, instance) ({S.of('outstanding_commands', OF_LUN)})",
                "{{role}} {{instance}}")], unit="short", links=[to_host(False)]),
        lines("Failed commands of the LUN", "Commands with a status other than GOOD, and commands "
              "that ended without one. Bad: anything that lasts. An error seen at the initiator "
              "alone was made on the way.",
              [(S.sum("command_errors_total", OF_LUN, "role, status, sense_key"),
                "{{status}} {{sense_key}} at the {{role}}"),
               (S.sum("commands_without_status_total", OF_LUN, "role, reason"),
                "{{reason}} at the {{role}}")], unit="cps", steps=bad(1)),
    ]


def distribution():
    return [
        heatmap(f"Latency at the {name}", "Commands per second in each latency bucket, as this end "
                "saw them. Bad: a second band far above the first. If it is here and not at the "
                "other end, the fault is between them.",
                S.sum(f"{DURATION}_bucket", OF_OPERATION, "le", role), size=(12, 9))
        for name, role in (("initiator", INITIATOR), ("target", TARGET))]


def identity():
    return [
        table("Names of the LUN", "Vendor, model and names, from its INQUIRY data, one line for "
              "each host and portal. Bad: two names for one LUN, as it is then mapped differently "
              "by portal.", S.of("lun_info", OF_LUN),
              ["vendor", "model", "serial", "wwid", "portal", "role", "instance"], size=(24, 6),
              links={"instance": [to_host()]}),
        table("The LUN on its hosts", "The initiator's disk with its multipath map and mount "
              "points; at a LIO target the storage behind the LUN. Bad: one LUN mounted at two "
              "hosts, unless its file system is made for that.", S.of("lun_local_info", OF_LUN),
              ["device", "multipath", "mounts", "role", "instance"], size=(24, 6),
              links={"instance": [to_host()]}),
        stat("Capacity", "Capacity from READ CAPACITY, the smallest and the largest that a host "
             "knows. Bad: they differ: the LUN was resized and somebody did not look again.",
             [(f"min({S.of('lun_capacity_bytes', OF_LUN)})", "smallest"),
              (f"max({S.of('lun_capacity_bytes', OF_LUN)})", "largest")], size=(12, 5),
             unit="bytes"),
        stat("Properties", "1 if the LUN takes no writes; 1 if it manages which blocks have "
             "storage. Bad: write protected where a host has to write.",
             [(f"max({S.of('lun_write_protected', OF_LUN)})", "write protected"),
              (f"max({S.of('lun_thin_provisioned', OF_LUN)})", "thin provisioned")], size=(12, 5),
             overrides=[override("write protected", steps=bad(1))]),
        table("Sessions of the LUN's target", "Every session with the target of this LUN. Bad: "
              "an initiator that nobody expects, where two must not write.",
              S.of("session_info", "target"),
              ["initiator", "portal", "session", "role", "instance"],
              links={"initiator": [to_sessions()], "instance": [to_host()]}),
    ]


def profile():
    sequential = S.sum("sequential_commands_total", OF_OPERATION, "role, operation")
    ordered = S.sum("seek_distance_blocks_count", OF_OPERATION, "role, operation")
    depth = S.mean("queue_depth", OF_LUN, "role")
    return [
        lines("Sequential share", "Share of reads and writes that begin where one before ended. "
              "Only with --profile. Bad: a backup or a scan that should be sequential is not.",
              [(f"{sequential} / {ordered}", "{{operation}} at the {{role}}")],
              unit="percentunit"),
        lines("Mean queue depth", "Commands of the LUN in flight, in the mean over time. Only with "
              "--profile. Bad: far above what the backend has disks for: commands wait there.",
              [(depth, "at the {{role}}")], unit="short"),
        lines("Alignment", "Reads and writes by whether they begin and end at multiples of 4 KiB. "
              "Only with --profile. Bad: unaligned writes, each of which the backend must read, "
              "change and write.",
              [(S.sum("commands_by_alignment_total", OF_OPERATION, "role, alignment"),
                "{{alignment}} at the {{role}}")], unit="ops"),
        lines("Time between commands", "Mean time from the start of one command to that of the "
              "next. Only with --profile. Bad: long, while users wait: demand stops before iSCSI.",
              [(S.mean("interarrival_seconds", OF_OPERATION, "role"), "at the {{role}}")],
              unit="s"),
    ]


def build():
    return dashboard(
        "lunscope-lun", "lunscope / LUN",
        "One LUN as its initiators and its target see it. The difference is the network.", NAMES,
        [("LUN $lun of $target", True, glance()), ("Both ends", True, both_ends()),
         ("Load", True, load()), ("Distribution", False, distribution()),
         ("Names and places", False, identity()), ("Workload profile", False, profile())],
        single=("target", "lun"))
