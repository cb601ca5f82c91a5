# SPDX-License-Identifier: Apache-2.0
"""What LIO does and other targets do not: LUNs above 255, ACLs. All counts are LIO's own."""

from guest import GuestTest
from compare import ROLES
from harness import main, run
from lio import Lio
from lunscope import Serve

INITIATOR = "iqn.2024-01.org.lunscope.test:allowed"
TARGET = "iqn.2024-01.org.lunscope.test:lio"
# LIO's number, and what lunscope shows (SAM-5, section 4.7). LIO and libiscsi take the first two
# bytes of a LUN for its number: 300 is LUN 44 of bus 1, and the flat space begins at 0x4000.
LUNS = {1: "1", 255: "255", 300: "0x012c000000000000", 0x4000 + 300: "300"}


class LioTest(GuestTest):

    def setUp(self):
        super().setUp()
        self.lio = self.use(Lio())
        self.serve = self.use(Serve(self.lio.port))

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
