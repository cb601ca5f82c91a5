# SPDX-License-Identifier: Apache-2.0
"""The commands of lunscope and of tshark in one form, so that they can be compared one by one."""

import collections
import re

# A name that is not one: an operation code in hex, or an admission.
_NOT_A_NAME = re.compile(r"0x|\b[0-9a-f]{2}h\b|unknown|reserved|opcode|vendor specific",
                         re.IGNORECASE)


def role_of(records, role):
    return [record for record in records if record["role"] == role]


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


def check_same_commands(test, records, commands):
    """Each role reported exactly tshark's commands: connection, ITT, LUN, CDB, bytes."""
    expected = collections.Counter(map(_facts_of_command, commands))
    for role in ("initiator", "target"):
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
        test.assertEqual(metrics.total(name), 0, name)
    for role in ("initiator", "target"):
        seen, reported, _, _ = metrics.accounts(role)
        test.assertEqual(seen, reported, f"seen and reported, {role}")
