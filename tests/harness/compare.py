# SPDX-License-Identifier: Apache-2.0
"""The commands of lunscope and of tshark in one form, so that they can be compared one by one."""

import collections
import functools
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "metrics"))

import catalogue

# A name that is not one: an operation code in hex, or an admission.
_NOT_A_NAME = re.compile(r"0x|\b[0-9a-f]{2}h\b|unknown|reserved|opcode|vendor specific",
                         re.IGNORECASE)

ROLES = ("initiator", "target")

# Opcode to the label of the same PDU (RFC 7143 section 11.2.1.2).
PDU_LABELS = {
    0x00: "nop_out", 0x01: "scsi_command", 0x02: "task_management_request", 0x03: "login_request",
    0x04: "text_request", 0x05: "data_out", 0x06: "logout_request", 0x10: "snack_request",
    0x20: "nop_in", 0x21: "scsi_response", 0x22: "task_management_response",
    0x23: "login_response", 0x24: "text_response", 0x25: "data_in", 0x26: "logout_response",
    0x31: "r2t", 0x32: "async_message", 0x3F: "reject",
    **{vendor: f"{vendor:#x}" for vendor in (0x1C, 0x1D, 0x1E, 0x3C, 0x3D, 0x3E)},
}

# Only there while kernel.bpf_stats_enabled is set, where the kernel's initiator or LIO has the
# sessions (which a test starts in a guest), and while there is a finding.
_SOMETIMES = {"lunscope_bpf_runs_total", "lunscope_bpf_run_seconds_total",
              "lunscope_lun_local_info", "lunscope_finding"}


@functools.cache
def not_in_a_file():
    """Metrics of the programs, the rings, the scrapes, and what only the kernel knows of a
    connection."""
    return catalogue.only_live(catalogue.read()) - _SOMETIMES


def snake_case(name):
    """A name as it stands in a label."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def role_of(records, role):
    return [record for record in records if record["role"] == role]


def answered(records):
    """Without the commands that ended without a status."""
    return [record for record in records if "no_status" not in record]


def cdb_opcode(record):
    return bytes.fromhex(record["cdb"])[0]


def port_of(address):
    """127.0.0.1:3260 and [::1]:3260 have the port after the last colon."""
    return int(address.rpartition(":")[2])


def initiator_port(record):
    return port_of(record["local" if record["role"] == "initiator" else "remote"])


def _facts_of_record(record):
    return (initiator_port(record), record["itt"], int(record["lun"]),
            cdb_opcode(record), record.get("expected_bytes", 0),
            record.get("transferred_bytes", 0))


def _facts_of_command(command):
    return (command.initiator_port, command.itt, command.lun, command.opcode,
            command.expected_bytes, command.transferred_bytes)


def streams_of(pdus):
    """The PDUs of `--pdu` by stream: {(role, initiator's port, direction): PDUs in order}, without times."""
    streams = collections.defaultdict(list)
    for pdu in pdus:
        streams[pdu["role"], initiator_port(pdu), pdu["direction"]].append(
            {name: value for name, value in pdu.items() if name != "time"})
    return streams


def script_fields(pdu):
    """The fields that a script set, as `trace --pdu` has to show them."""
    if pdu.damage is not None and pdu.damage < len(pdu.header):
        return {}  # what arrives is not what the script set
    fields = {"opcode": pdu.opcode, "total_ahs_length": pdu.header[4],
              "data_segment_length": int.from_bytes(pdu.header[5:8], "big")}
    for name, value in pdu.fields.items():
        if name == "lun":
            fields["lun_hex"] = value.hex()
        elif name != "cdb":  # with the AHS; the rows with one say what it is
            fields[name] = value.hex() if isinstance(value, bytes) else value
    return fields


def facts_of_pdu(pdu):
    """The fields that `trace --pdu` and tshark's tap both have of a PDU: lunscope's values by the names
    of capture.DecodedPdu.
    """
    names = {"opcode": "opcode", "itt": "itt", "length": "data_segment_length", "status": "status",
             "expected_bytes": "expected_data_transfer_length"}
    facts = {theirs: pdu[ours] for theirs, ours in names.items() if ours in pdu}
    if pdu["opcode"] == 0x22:  # tshark does not show this one's, which is always zero
        del facts["length"]
    if "cdb" in pdu:
        facts |= {"lun": int(pdu["lun"], 0), "cdb_opcode": cdb_opcode(pdu)}
    return facts


def facts_like(facts, decoded):
    """The same facts from tshark's PDUs. More or fewer PDUs are shown as they are."""
    if len(facts) != len(decoded):
        return decoded
    return [{name: getattr(theirs, name) for name in ours}
            for ours, theirs in zip(facts, decoded, strict=True)]


def check_same_commands(test, records, commands):
    """Each role reported exactly tshark's commands: connection, ITT, LUN, CDB, bytes."""
    expected = collections.Counter(map(_facts_of_command, commands))
    for role in ROLES:
        with test.subTest(role=role):
            reported = collections.Counter(map(_facts_of_record, role_of(records, role)))
            test.assertEqual(reported.total(), expected.total(), "number of commands")
            test.assertEqual(list((reported - expected).elements())[:5], [],
                             "reported, not in the capture: port, ITT, LUN, opcode, bytes")
            test.assertEqual(list((expected - reported).elements())[:5], [],
                             "in the capture, not reported: port, ITT, LUN, opcode, bytes")


def check_names(test, records):
    """Every command has a name, and one CDB operation code has one name in both roles."""
    names = collections.defaultdict(set)
    for record in records:
        test.assertNotRegex(record["command"], _NOT_A_NAME)
        # A name can depend on the service action, the low bits of byte 1, but on nothing else here.
        cdb = bytes.fromhex(record["cdb"])
        names[cdb[0], cdb[1] & 0x1F if cdb[0] in (0x9E, 0xA3) else 0].add(record["command"])
    for opcode, found in names.items():
        test.assertEqual(len(found), 1, f"{opcode[0]:#x} is called {found}")


def check_durations(test, records, wall_seconds):
    """Every duration is positive and below the time that the tool itself took."""
    for record in records:
        test.assertGreater(record["duration_us"], 0, record)
        test.assertLess(record["duration_us"], wall_seconds * 1e6, record)


def check_nothing_lost(test, metrics):
    """No event lost, no gap, no answer without its command, nothing unreported or left over."""
    for name in ("events_lost_total", "stream_gaps_total", "unmatched_responses_total",
                 "commands_unreported_total", "commands_in_flight"):
        test.assertEqual([sample for sample in metrics.select(name) if sample.value], [])
    for role in ROLES:
        seen, reported, _, _ = metrics.accounts(role)
        test.assertEqual(seen, reported, f"seen and reported, {role}")


def _series(metrics):
    """{(name, labels): value} of lunscope's own series that are compared between live and file.

    The time stamps of a capture are not those of the hooks, so that durations differ by a little
    and fall into other buckets: of their histograms only the counts are the same, and sums differ.
    build_info names a library that reads no files. Some are there in some runs only. Nobody takes
    the bytes of a capture out of a socket, so it has no phases that end so.
    """
    others = _SOMETIMES | {"lunscope_build_info"}

    def is_timed(name):
        return (re.search("(command_(duration_|phase_|window_closed_)?|ping_|outage_)seconds", name)
                and not name.endswith("_count"))
    return {(sample.name, frozenset(sample.labels.items())): sample.value
            for sample in metrics.samples if sample.name.startswith("lunscope_")
            and sample.name not in others and not is_timed(sample.name)
            and sample.labels.get("phase") not in ("pickup", "queue")}


def check_same_metrics(test, replayed, live):
    """`replay -o metrics` of a capture says all that `serve` said of the same traffic, and nothing
    more, but for not_in_a_file(). Returns how many series were compared.
    """
    ours, theirs = _series(replayed), _series(live)
    absent = {key for key in theirs if key[0] in not_in_a_file()}
    test.assertEqual({name for name, _ in absent}, not_in_a_file())
    test.assertEqual([sample for sample in replayed.samples
                      if not sample.name.startswith("lunscope_")], [], "of the process")
    differ = {key: (ours.get(key), theirs.get(key)) for key in (ours.keys() | theirs.keys()) - absent
              if ours.get(key) != theirs.get(key)}
    test.assertEqual(differ, {}, "of the capture, and live")
    return len(ours)


def check_same_counts(test, one, other):
    """Two that watched the same traffic say the same of it, except that commands which the kernel
    adds up have no phases. Returns how many series were compared.
    """
    ours, theirs = ({key: value for key, value in _series(metrics).items()
                     if key[0] not in not_in_a_file() and "phase" not in dict(key[1])}
                    for metrics in (one, other))
    test.assertEqual(ours, theirs)
    return len(ours)


def check_harmless(test, text):
    """No control character but the newline that ends a line, no bidi mark, nothing hidden; and no
    name that became a line of its own.
    """
    test.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e"
                                r"\u2066-\u2069\ufeff]", text))
    test.assertFalse(any(line.startswith("lunscope_up") for line in text.splitlines()))
