# SPDX-License-Identifier: Apache-2.0
"""What LIO does and other targets do not: two connections of one session, several R2Ts at once, data
sequences in any order, error recovery level 2, LUNs above 255, ACLs. All counts are exact.
"""

import collections
import math

from guest import GuestTest
from compare import ROLES, check_nothing_lost, initiator_port, role_of
from harness import main, run
from lio import Lio
from lunscope import Serve, Trace
from pdus import TEST_UNIT_READY, read_10
from scripted import BLOCK, Initiator

INITIATOR = "iqn.2024-01.org.lunscope.test:allowed"
TARGET = "iqn.2024-01.org.lunscope.test:lio"
KEYS = {"ErrorRecoveryLevel": 2, "MaxConnections": 2, "MaxOutstandingR2T": 4,
        "DataSequenceInOrder": "No", "MaxBurstLength": 16384}
WRITE_BYTES, READS = 256 << 10, 16
# LIO's number, and what lunscope shows (SAM-5, section 4.7). LIO and libiscsi take the first two
# bytes of a LUN for its number: 300 is LUN 44 of bus 1, and the flat space begins at 0x4000.
LUNS = {1: "1", 255: "255", 300: "0x012c000000000000", 0x4000 + 300: "300"}


class LioTest(GuestTest):

    def setUp(self):
        super().setUp()
        self.lio = self.use(Lio())
        self.serve = self.use(Serve(self.lio.port))
        self.trace = self.use(Trace(self.lio.port))

    def login(self, target, session=None):
        keys = {name.encode(): str(value).encode() for name, value in KEYS.items()}
        connection = self.use(Initiator(self.lio.port, session=session))
        self.assertEqual(connection.login(INITIATOR.encode(), target.name.encode(),
                                          more_keys=keys.items()), (0, 0))
        return connection

    def test_two_connections_and_many_r2ts(self):
        target = self.lio.add_target(TARGET, [INITIATOR], **KEYS)
        lun = target.add_lun(kind="ramdisk")
        first = self.login(target)
        for name, value in KEYS.items():
            self.assertEqual(first.keys[name.encode()], str(value).encode(), name)
        second = self.login(target, first.session)
        connections = [first, second]
        first.run([(TEST_UNIT_READY, 0)], lun)  # takes the unit attention
        for lba in range(READS):
            # Either connection's command comes next in the session's order.
            itts = [(each, each.queue([(read_10(lba, 8), 8 * BLOCK)], lun)) for each in connections]
            for each, waiting in itts:
                each.finish(waiting)
        solicited = [each.write(0, bytes(WRITE_BYTES))[2] for each in connections]
        metrics = self.serve.settled()
        counted = target.counters("iscsi_sess_stats", INITIATOR)
        found = self.serve.sessions()["sessions"]
        first.logout()
        self.trace.stop()
        r2ts = sum(math.ceil(length / KEYS["MaxBurstLength"]) for length in solicited)
        self.assertGreater(r2ts, KEYS["MaxOutstandingR2T"])
        self.check_counts(metrics, counted, target.statistics(lun), connections, r2ts)
        self.check_records(connections)
        check_nothing_lost(self, self.serve.settled())
        self.assertEqual([(each["role"], len(each["connections"])) for each in found],
                         [(role, 2) for role in ROLES])

    def check_counts(self, metrics, counted, lun, connections, r2ts):
        commands = sum(len(each.commands) for each in connections)
        self.assertEqual((lun.commands, counted["cmd_pdus"], counted["rsp_pdus"]),
                         (commands, commands, commands))
        for role, way in (("initiator", "received"), ("target", "sent")):
            self.assertEqual(metrics.total(f"pdus_{way}_total", role=role, opcode="r2t"), r2ts)
            self.assertEqual(metrics.accounts(role), (commands, commands, 0, 0))
        for role in ROLES:
            self.assertEqual(metrics.total("written_bytes_total", role=role),
                             len(connections) * WRITE_BYTES)
            self.assertEqual(metrics.total("read_bytes_total", role=role),
                             len(connections) * READS * 8 * BLOCK)

    def check_records(self, connections):
        """Each command, on the connection that sent it, as both ends saw it."""
        expected = collections.Counter(
            (each.port, command.itt, int.from_bytes(command.header[24:28], "big"))
            for each in connections for command in each.commands)
        for role in ROLES:
            found = collections.Counter((initiator_port(record), record["itt"], record["cmdsn"])
                                        for record in role_of(self.trace.records(), role)
                                        if record["status"] == "Good")
            missing = expected - found
            # LIO greets each new session with a unit attention: the first command's answer.
            self.assertLessEqual(missing.total(), 1, role)
            self.assertEqual(found - expected, {}, role)

    def test_luns_and_access(self):
        """LUNs of several addressing methods, and who may log in."""
        everybody = self.lio.add_target(f"{TARGET}-demo")
        luns = [everybody.add_lun(number=number) for number in LUNS]
        someone = self.lio.add_target(f"{TARGET}-acl", [INITIATOR])
        someone.add_lun()
        for lun in luns:
            run(["iscsi-inq", everybody.url(lun)])
        run(["iscsi-inq", "-i", INITIATOR, someone.url(1)])
        code, _, said, _ = run(["iscsi-inq", someone.url(1)], check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("Authorization failure", said)
        metrics = self.serve.settled()
        for role in ROLES:
            for target, numbers in ((everybody, luns), (someone, [1])):
                for lun in numbers:
                    self.assertEqual(
                        metrics.total("commands_total", role=role, target=target.name, lun=LUNS[lun]),
                        target.statistics(lun).commands, f"{target.name}, LUN {lun}, {role}")
            self.assertEqual(metrics.total("login_failures_total", role=role), 1)
        self.assertEqual(someone.counters("iscsi_login_stats")["authorize_fails"], 1)


if __name__ == "__main__":
    main()
