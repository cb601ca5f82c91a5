# SPDX-License-Identifier: Apache-2.0
"""Segments that TCP has sent and no device has got: lunscope reads them in the retransmit queue.

A firewall hands them to a queue that nobody reads. TCP counts them as sent, and sends them again
when it misses their acknowledgement. Until then they are holes in what passes the hook of
`transmit`. A witness at the same hook counts them. The other end's programs see every byte as it is
received, so they tell what the sender's have to count.
"""

import re

from harness.case import TgtdTest, main
from harness.compare import ROLES, check_nothing_lost
from harness.perf import Perf
from harness.process import run, wait_until
from harness.witness import Witness

from guest import GuestTest, load
from test_open_iscsi import RINGS

MODULES = ("nf_tables", "nft_numgen", "nft_queue", "nfnetlink_queue")
ONE_IN = 25  # segments is lost
LOST = 40  # at least so many
OTHER_END = dict(zip(ROLES, reversed(ROLES)))


class Heal(GuestTest, TgtdTest):

    def lose_segments(self):
        for module in MODULES:
            load(module)
        rules = "\n".join(f"tcp flags & syn == 0 tcp {port} {self.tgtd.port} "
                          f"numgen random mod {ONE_IN} == 0 counter queue num 9"
                          for port in ("sport", "dport"))
        run(["nft", f"""table ip lunscope {{
            chain output {{
                type filter hook output priority 0
                {rules}
            }}
        }}"""])
        self.addCleanup(run, ["nft", "delete", "table", "ip", "lunscope"])

    def lost_segments(self):
        """How many each end has lost."""
        rules = run(["nft", "list", "ruleset"])[1]
        return [int(packets) for packets in re.findall(r"counter packets (\d+)", rules)]

    def test_nothing_is_missed(self):
        serve = self.serve(*RINGS)
        wait_until(lambda: serve.metrics().total("probe_attached", program="heal") == 1, 60,
                   "the program that heals")
        witness = self.use(Witness(self.tgtd.port))
        self.lose_segments()
        with Perf(self.url, "-m", "16") as perf:
            wait_until(lambda: min(self.lost_segments()) > LOST, 300, "lost segments")
            perf.finish()
        metrics = serve.settled()
        holes = witness.holes()
        self.assertGreater(len(holes), 1, "streams with holes")
        # lunscope skips data segments, and misses nothing if a hole lies within one.
        self.assertLessEqual(metrics.total("healed_bytes_total"),
                             sum(each.bytes for each in holes))
        self.assertGreater(metrics.total("healed_bytes_total"), 0)
        check_nothing_lost(self, metrics)
        self.assertEqual(metrics.total("unparsed_bytes_total"), 0)
        self.assertEqual(metrics.accounts("initiator"), metrics.accounts("target"))
        for role in ROLES:
            for name in ("pdus_{}_total", "{}_bytes_total"):
                self.assertEqual(metrics.total(name.format("sent"), role=role),
                                 metrics.total(name.format("received"), role=OTHER_END[role]),
                                 (role, name))


if __name__ == "__main__":
    main()
