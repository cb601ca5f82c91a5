# SPDX-License-Identifier: Apache-2.0
"""Tape, changer, CD, disk and others behind one target: each command by its device type's name.

Where the type is not known, a name is one that all types have in common, or has those of all.
"""

import collections
import re

from harness.capture import Capture, names_of_commands
from harness.case import TgtdTest, main
from harness.compare import ROLES, role_of, snake_case
from harness.devices import COMMANDS, INQUIRY, add_devices
from harness.lunscope import Trace
from harness.pdus import FINAL, TEST_UNIT_READY, WRITE
from harness.process import wait_until
from harness.scripted import Initiator

_SETTLE_COMMANDS = 16  # of a session that is met in the middle, until its boundaries are believed


def play(initiator, lun, rows):
    """Run commands one after the other, whatever becomes of them."""
    for row in rows:
        if row.data:
            pdu = initiator.command(row.cdb, len(row.data), FINAL | WRITE, row.data, lun)
        else:
            pdu = initiator.command(row.cdb, row.length, lun_number=lun)
        initiator.send(pdu)
        initiator.finish([pdu.itt])


def without_opcode(name):
    """The names that an ambiguous one lists, or the name itself."""
    return re.sub(r"^0x[0-9a-f]{2}(/0x[0-9a-f]{2})?: ", "", name).split(" or ")


class DeviceTypes(TgtdTest):
    TARGET = "iqn.2026-01.org.lunscope.test:devices"
    LUNS = 0

    def setUp(self):
        super().setUp()
        self.luns = add_devices(self.target)

    def log_in(self):
        initiator = self.use(Initiator(self.tgtd.port))
        initiator.login(b"iqn.2026-01.org.lunscope.test:reader", self.target.name.encode())
        return initiator

    def check_names(self, records, commands):
        """Both ends say these names of these LUNs, in this order."""
        expected = [(str(self.luns[device]), row.name) for device, rows in commands.items()
                    for row in rows]
        for role in ROLES:
            with self.subTest(role=role):
                self.assertEqual([(record["lun"], record["command"])
                                  for record in role_of(records, role)], expected)

    def test_names(self):
        """INQUIRY tells the type."""
        commands = {device: [INQUIRY, *rows] for device, rows in COMMANDS.items()}
        with Capture(self.tgtd.port) as capture, Trace(self.tgtd.port) as trace:
            initiator = self.log_in()
            for device, rows in commands.items():
                play(initiator, self.luns[device], rows)
            capture.stop()
            _, lost = trace.stop()
            theirs = names_of_commands(capture.file, self.tgtd.port)
            self.check_names(trace.records(), commands)
        self.assertEqual(lost, 0)
        rows = [row for rows in commands.values() for row in rows]
        for row, name in zip(rows, theirs, strict=True):
            with self.subTest(row.name):
                self.assertEqual(snake_case(name),
                                 snake_case(row.name if row.tshark is None else row.tshark))

    def test_addresses_are_those_of_block_devices(self):
        with Trace(self.tgtd.port) as trace:
            initiator = self.log_in()
            read = COMMANDS["disk"][0]
            for device, rows in (("disk", [read]), ("cd", [read]), ("tape", COMMANDS["tape"])):
                play(initiator, self.luns[device], [INQUIRY, *rows])
            trace.stop()
            records = trace.records()
        self.assertEqual({record["lun"] for record in records if "lba" in record},
                         {str(self.luns["disk"]), str(self.luns["cd"])})

    def test_session_that_was_there_before(self):
        """No INQUIRY is seen of it; tgtd is asked."""
        initiator = self.log_in()
        for device in COMMANDS:
            play(initiator, self.luns[device], [INQUIRY])

        def is_named():
            initiator.run([(TEST_UNIT_READY, 0)] * _SETTLE_COMMANDS)
            named = collections.Counter(record["role"] for record in trace.records()
                                        if record.get("names_from") == "tgtadm")
            return set(named) == set(ROLES)

        with Trace(self.tgtd.port) as trace:
            wait_until(is_named, 30, "the names of a session that was there before")
            for device, rows in COMMANDS.items():
                play(initiator, self.luns[device], rows)
            trace.stop()
            count = sum(map(len, COMMANDS.values()))
            records = [record for role in ROLES
                       for record in role_of(trace.records(), role)[-count:]]
        self.check_names(records, COMMANDS)

    def test_nobody_tells(self):
        """Without an INQUIRY a command is called by the names that it has for any type."""
        with Trace(self.tgtd.port) as trace:
            initiator = self.log_in()
            for device, rows in COMMANDS.items():
                play(initiator, self.luns[device], rows)
            trace.stop()
            records = trace.records()
        rows = [row for rows in COMMANDS.values() for row in rows]
        names = collections.defaultdict(set)
        for role in ROLES:
            for row, record in zip(rows, role_of(records, role), strict=True):
                names[row.cdb[0]].add(record["command"])
                self.assertIn(row.name, without_opcode(record["command"]))
        ambiguous = {opcode for opcode, found in names.items()
                     if any(name.startswith("0x") for name in found)}
        self.assertLessEqual({0x01, 0x1B, 0x2B, 0x34, 0x42, 0x91, 0x93}, ambiguous)
        self.assertFalse(ambiguous & {0x00, 0x05, 0x08, 0x0A, 0x10, 0x11, 0x28, 0xB8}, ambiguous)
        for opcode, found in names.items():
            self.assertEqual(len(found), 1, f"{opcode:#x} is called {found}")


if __name__ == "__main__":
    main()
