# SPDX-License-Identifier: Apache-2.0
"""Every initiator against every target, on the kernel that this runs on: the commands that lunscope
counted at each end, those that tshark finds in a capture, and those that the initiator or the
target itself counted are the same ones.

Prints one JSON object per cell.
"""

import json
import os

from guest import GuestTest, unload
from capture import Capture, decode
from compare import ROLES, check_names, check_nothing_lost, cdb_opcode, initiator_port, role_of
from harness import main, run, wait_until
from lio import Lio
from lunscope import Serve, Trace
from open_iscsi import OpenIscsi
from tgtd import Tgtd

NAME = "iqn.2024-01.org.lunscope.test:"
BLOCKS = "64k"


def libiscsi(_, target, lun):
    run(["iscsi-inq", target.url(lun)])
    run(["iscsi-readcapacity16", target.url(lun)])
    run(["iscsi-test-cu", "--dataloss", "--test=ALL.Write10.Simple", target.url(lun)], timeout=60)


def qemu(_, target, lun):
    run(["qemu-io", "-f", "raw", "-c", f"write -P 3 0 {BLOCKS}", "-c", f"read -P 3 0 {BLOCKS}",
         target.url(lun)], timeout=60)


def open_iscsi(server, target, lun):
    """Returns how many commands the kernel counted."""
    with OpenIscsi(NAME + "kernel") as initiator, initiator.login(server, target) as session:
        disk = session.disk(lun)
        run(["dd", "if=/dev/zero", f"of={disk}", "bs=64k", "count=4", "oflag=direct"])
        run(["dd", f"if={disk}", "of=/dev/null", "bs=64k", "count=4", "iflag=direct"])

        def idle():
            before = session.statistics()
            return before if before == session.statistics() else None
        counted = wait_until(idle, 60, "the session to be idle")
    unload("iscsi_tcp")
    return counted["scsicmd_pdus"]


INITIATORS = {"libiscsi": libiscsi, "QEMU": qemu, "open-iscsi": open_iscsi}
TARGETS = {"tgtd": Tgtd, "LIO": Lio}


def facts(records):
    return sorted((initiator_port(record), record["itt"], int(record["lun"]), cdb_opcode(record),
                   record.get("expected_bytes", 0), record.get("transferred_bytes", 0))
                  for record in records)


class Matrix(GuestTest):

    def test_cells(self):
        """One lunscope and one capture a target; a target of its own for each initiator."""
        for server_name, make_server in TARGETS.items():
            with make_server() as server, Serve(server.port) as serve, \
                    Trace(server.port) as trace, Capture(server.port) as capture:
                counted = {name: self.use_target(name, server) for name in INITIATORS}
                metrics = serve.settled()
                trace.stop()
                capture.stop()
                commands = decode(capture.file, server.port)
                check_nothing_lost(self, metrics)
                check_names(self, trace.records())
                for name, (target, kernel, server_count) in counted.items():
                    with self.subTest(initiator=name, target=server_name):
                        self.check_cell(name, server_name, [
                            record for record in trace.records() if record["target"] == target],
                            commands, kernel, server_count)

    def use_target(self, initiator, server):
        """(name of the target, what the initiator counted, what the target counted)."""
        target = server.add_target(NAME + initiator.lower())
        lun = target.add_lun()
        counted = INITIATORS[initiator](server, target, lun)
        # tgtd forgets with the session; tests/live/test_tools.py looks while there is one.
        by_server = target.statistics(lun).commands if isinstance(server, Lio) else None
        return target.name, counted, by_server

    def check_cell(self, initiator, server, records, captured, by_initiator, by_server):
        ends = [facts(role_of(records, role)) for role in ROLES]
        ports = {fact[0] for fact in ends[0]}
        # tshark shows what has a port of this cell; ports are not used twice in so short a time.
        truth = sorted((command.initiator_port, command.itt, command.lun, command.opcode,
                        command.expected_bytes, command.transferred_bytes)
                       for command in captured if command.initiator_port in ports)
        self.assertGreater(len(truth), 5)
        self.assertEqual(ends[0], truth, "initiator, tshark")
        self.assertEqual(ends[1], truth, "target, tshark")
        on_lun = [record for record in role_of(records, "target") if record["lun"] == "1"]
        if by_server is not None:
            self.assertEqual(len(on_lun), by_server, "LIO's statistics")
        if by_initiator is not None:
            # The logout may bring a SYNCHRONIZE CACHE, behind what iscsiadm could still tell.
            late = [record for record in role_of(records, "initiator")[by_initiator:]
                    if not record["command"].startswith("Synchronize cache")]
            self.assertEqual(late, [], "the kernel's statistics")
            self.assertLessEqual(by_initiator, len(truth))
        print("\n" + json.dumps({
            "kernel": os.uname().release, "initiator": initiator, "target": server,
            "commands": len(truth), "initiator_statistics": by_initiator,
            "target_statistics": by_server}), flush=True)


if __name__ == "__main__":
    main()
