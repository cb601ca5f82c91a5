# SPDX-License-Identifier: Apache-2.0
"""One host: its processes, the kernel's SCSI layers on it, and lunscope itself."""

from panels import (Series, bad, dashboard, findings_table, lines, override, stat, table,
                    to_sessions, warn)

NAMES = ("job", "instance")
S = Series(*NAMES)
LAYER = "role, transport"


def process(name):
    return S.of(name).replace("lunscope_", "process_", 1)


def glance():
    fill = f"{S.of('tracked_commands')} / {S.of('tracked_commands_limit')}"
    cpu = f"sum(rate({process('cpu_seconds_total')}[$__rate_interval]))"
    return [
        findings_table(S, "Findings of this host, in both roles. Bad: any line.", size=(24, 5)),
        stat("Collector", "Share of probes that are attached, how full the table of commands in "
             "flight is, how long the last scrape took, and how many of its parts failed. Bad: "
             "probes under 100 % (what they measure is absent; `lunscope check` says why), a table "
             "over 90 % full, a scrape of seconds, any error.",
             [(f"avg({S.of('probe_attached')})", "probes attached"), (f"max({fill})", "table"),
              (f"max({S.of('scrape_duration_seconds')})", "scrape"),
              (f"sum({S.of('scrape_errors')})", "errors")], size=(12, 5), unit="percentunit",
             steps=warn(0.7, 0.9),
             overrides=[override("probes attached", steps=((None, "orange"), (1, "green"))),
                        override("scrape", unit="s", steps=warn(1, 5)),
                        override("errors", unit="none", steps=bad(1))]),
        stat("Cost of lunscope", "CPU and memory of lunscope's process, and the kernel memory for "
             "connections. The time of its programs in the kernel is below. Bad: over a tenth of a "
             "CPU without a load that explains it, or memory that only grows.",
             [(cpu, "CPU"), (f"max({process('resident_memory_bytes')})", "memory"),
              (f"max({S.of('connection_memory_bytes')})", "connections")], size=(8, 5),
             unit="percentunit", steps=warn(0.1, 0.5),
             overrides=[override("memory", unit="bytes", steps=bad(1 << 30)),
                        override("connections", unit="bytes", steps=bad(1 << 28))]),
        stat("Hosts and connections", "Hosts that are chosen, and open iSCSI connections on them. "
             "Bad: 0 connections where there should be some: is `--port` right?",
             [(f"count({S.of('build_info')})", "hosts"),
              (f"sum({S.of('connections')})", "connections")], size=(4, 5)),
    ]


def iscsi():
    waited, done = (S.sum(f"command_duration_seconds_{part}", "", "role")
                    for part in ("sum", "count"))
    return [
        table("Processes", "The process that reads the connections, with its guest, control group "
              "and network namespace. Bad: a process or a guest that should not use this target.",
              "sum by (instance, role, target, comm, guest, cgroup, network_namespace) "
              f"({S.of('connections')})",
              ["comm", "guest", "role", "target", "cgroup", "network_namespace", "instance"],
              value="Connections", links={"target": [to_sessions()]}, none="no connection"),
        lines("Commands of the host", "Completed commands per second in each role. Bad: a fall to "
              "zero while commands are outstanding.",
              [(S.sum("commands_total", "", "role"), "as {{role}}")], unit="ops"),
        lines("Mean duration of the host", "Mean time from command to status in each role. Bad: as "
              "initiator far longer than the target's host says: the network, or this host.",
              [(f"{waited} / {done}", "as {{role}}")], unit="s", steps=warn(0.02, 0.1)),
        lines("Busiest targets of the host", "Commands per second of the ten busiest targets. Bad: "
              "one that nobody expects.",
              [(f"topk(10, {S.sum('commands_total', '', 'instance, role, target')})",
                "{{target}} as {{role}} {{instance}}")], unit="ops", links=[to_sessions(False)]),
        lines("Unread bytes of the host", "Bytes that have arrived and that the process on this "
              "host has not read. Bad: a level that stays: the process stands still.",
              [(f"topk(10, sum by (instance, role, target) ({S.of('unread_bytes')}))",
                "{{target}} as {{role}} {{instance}}")], unit="bytes", links=[to_sessions(False)]),
    ]


def layers():
    return [
        lines("Commands of the SCSI layers", "Commands at the kernel's mid-layer (initiator) and "
              "at LIO (target), by transport. Only with --source scsi,target. Bad: a fall to zero "
              "while commands are outstanding.",
              [(S.sum("scsi_commands_total", "", LAYER), "{{transport}} as {{role}}")],
              unit="ops"),
        lines("Mean duration in the SCSI layers", "Mean time of a command at each layer. Bad: at "
              "the mid-layer far longer than on the wire: this host's queues; see the panel below.",
              [(S.mean("scsi_command_duration_seconds", "", LAYER), "{{transport}} as {{role}}")],
              unit="s", steps=warn(0.02, 0.1)),
        lines("Above the wire", "99th percentile of the time that a command of the kernel's iSCSI "
              "initiator spends above the wire. Only with --source iscsi,scsi. Bad: as long as the "
              "time on the wire: this host is slow, and not the storage.",
              [(S.quantile(0.99, "scsi_command_above_wire_seconds", "", "operation"),
                "{{operation}}")], unit="s", steps=warn(0.005, 0.05)),
        lines("Outstanding in the SCSI layers", "Commands in flight at each layer. Bad: a flat top "
              "at the queue depth of the devices.",
              [(f"sum by ({LAYER}) ({S.of('scsi_outstanding_commands')})",
                "{{transport}} as {{role}}")], unit="short"),
        lines("Errors of the SCSI layers", "Commands that failed, by status and sense key, and by "
              "the host status of the low-level driver. Bad: anything that lasts; did_no_connect "
              "and did_transport_disrupted are a lost path.",
              [(S.sum("scsi_command_errors_total", "", "status, sense_key"),
                "{{status}} {{sense_key}}"),
               (S.sum("scsi_host_errors_total", "", "host_status"), "{{host_status}}")],
              unit="cps", steps=bad(1)),
        lines("Retries, timeouts, refusals", "Commands that the mid-layer sent again, gave up, or "
              "could not hand to the driver. Bad: timeouts at all; refusals while the load is low.",
              [(S.sum("scsi_retries_total", "", LAYER), "retries, {{transport}}"),
               (S.sum("scsi_command_timeouts_total", "", LAYER), "timeouts, {{transport}}"),
               (S.sum("scsi_refused_dispatches_total", "", "reason"), "refused: {{reason}}")],
              unit="cps", steps=bad(1)),
        table("Oldest commands in the SCSI layers", "The ten LUNs whose oldest command has waited "
              "longest. Bad: over 10 s, or it grows as fast as the clock.",
              f"topk(10, {S.of('scsi_oldest_outstanding_command_seconds')})",
              ["target", "lun", "transport", "role", "instance"], value="Age", unit="s",
              steps=warn(1, 10), sort=("Age", True), none="no SCSI layer is watched"),
    ]


def losses():
    def rate(name, by=""):
        return S.sum(name, "", by)
    return [
        lines("Lost to lunscope", "Everything lost between the wire and these numbers, by "
              "reason. Bad: anything over zero that lasts; the other panels are then a sample and "
              "not the whole.",
              [(rate("events_lost_total", "buffer, reason"),
                "events lost, {{buffer}} {{reason}}"),
               (rate("commands_unreported_total", "reason"), "commands unreported, {{reason}}"),
               (rate("stream_gaps_total", "reason"), "stream gaps, {{reason}}"),
               (rate("unmatched_responses_total"), "unmatched responses"),
               (rate("dropped_series_total"), "dropped series"),
               (rate("probe_misses_total"), "probe misses"),
               (rate("untracked_connections_total"), "connections that are not watched")],
              size=(24, 9), unit="cps", steps=bad(1)),
        lines("Records", "Records from the kernel per second, by ring, and records that wait for a "
              "name. Bad: a flat top: the ring is full; try --mode aggregate or a larger "
              "--ring-size.",
              [(rate("events_total", "buffer"), "{{buffer}}"),
               (f"sum({S.of('waiting_records')})", "waiting")], unit="cps",
              overrides=[override("waiting", unit="short")]),
        lines("Events of sessions", "Events by kind; the page /events has their words. Bad: a kind "
              "that comes again and again, such as session_taken_over.",
              [(rate("session_events_total", "event"), "{{event}}")], unit="cps"),
        lines("Time in BPF programs", "Share of one CPU that each program takes. Only while "
              "kernel.bpf_stats_enabled is set. Bad: over a few percent.",
              [(f"topk(10, {rate('bpf_run_seconds_total', 'program')})", "{{program}}")],
              unit="percentunit", steps=warn(0.05, 0.2)),
        lines("Requests that were refused", "Requests to the HTTP endpoint that were refused, and "
              "clients that were cut off. Bad: `password` that lasts: somebody guesses.",
              [(rate("http_requests_refused_total", "reason"), "{{reason}}"),
               (rate("http_clients_cut_total"), "cut off")], unit="cps", steps=bad(1)),
        table("Probes that are not attached", "Programs whose kernel hook is not there, and which "
              "measure nothing. Bad: a line that `lunscope check` does not explain.",
              f"{S.of('probe_attached')} == 0", ["program", "instance"], size=(12, 8)),
        table("Versions", "Version, revision and libbpf of lunscope on each host. Bad: hosts that "
              "were left behind.", S.of("build_info"),
              ["instance", "version", "revision", "libbpf"], size=(12, 8)),
    ]


def build():
    return dashboard(
        "lunscope-host", "lunscope / Host",
        "One host: its processes, the kernel's SCSI layers, and lunscope itself.", NAMES,
        [("$instance", True, glance()), ("iSCSI", True, iscsi()),
         ("lunscope itself", True, losses()), ("SCSI layers of the kernel", False, layers())])
