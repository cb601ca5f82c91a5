# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes lunscope while there is mixed traffic: no panel stays empty.

LUNSCOPE_TRAFFIC_SECONDS sets how long the traffic lasts (20).
"""

import os
import sys
import time

from harness.case import LiveTest, main
from harness.lunscope import Serve, check_exposition
from harness.process import ROOT, Process, run
from harness.tgtd import Tgtd

sys.path.insert(0, str(ROOT / "tests" / "dashboards"))
import queries  # noqa: E402  (needs the path above)

DASHBOARD = ROOT / "dashboards" / "lunscope-overview.json"
TRAFFIC_SECONDS = int(os.environ.get("LUNSCOPE_TRAFFIC_SECONDS", "20"))
USER, PASSWORD = "prometheus-test", "secret-of-the-test"

# One round of the traffic: whether the tool has to succeed, and its words. {open} and {closed} are
# URLs of targets, the second behind CHAP, logged in to with the right and with a wrong password.
ROUND = [
    (True, ["iscsi-ls", "-s", "{portal}"]),
    (True, ["iscsi-inq", "{open}/1"]),
    (True, ["iscsi-readcapacity16", "{closed}/1"]),
    (True, ["qemu-io", "-f", "raw", "{open}/2", "-c", "write -P 90 0 1M", "-c", "read -P 90 0 1M",
            "-c", "write -z 1M 64k", "-c", "discard 0 64k", "-c", "flush"]),
    (False, ["iscsi-inq", "{closed_to_us}/1"]),  # a failed login
    (False, ["iscsi-inq", "{open}/7"]),  # CHECK CONDITION: no such LUN
]


class RealPrometheus(LiveTest):

    def test_every_query_finds_data(self):
        tgtd = self.use(Tgtd())
        is_open, closed = (tgtd.add_target(f"iqn.2024-01.org.lunscope.test:{name}")
                           for name in ("open", "closed"))
        for target in (is_open, is_open, closed):
            target.add_lun()
        closed.require_chap(USER, PASSWORD)
        serve = self.use(Serve(tgtd.port))
        prometheus = self.use(queries.Prometheus(serve.address, "1s"))
        self.traffic(tgtd, is_open, closed)
        # A session of its own, so that the gauges of live sessions have something to show too.
        with Process(["iscsi-perf", "-t", "30", "-m", "2", is_open.url(1)]):
            prometheus.wait_for_samples(TRAFFIC_SECONDS // 2, timeout_s=30)
            answers = queries.run_queries(prometheus.url, DASHBOARD)
            exposition = serve.scrape()
        self.assertGreater(len(answers), 20)
        self.assertEqual([f"{answer.panel}: {answer.expr}"
                          for answer in queries.without_data(answers)], [])
        self.assertEqual(check_exposition(exposition), "")
        self.assertNotIn(PASSWORD, exposition)

    def traffic(self, tgtd, is_open, closed):
        wrong = f"{USER}%not-the-password"
        urls = {
            "portal": tgtd.url(login=f"{USER}%{PASSWORD}"),
            "open": f"{tgtd.url()}/{is_open.name}",
            "closed": f"{tgtd.url('::1', f'{USER}%{PASSWORD}')}/{closed.name}",
            "closed_to_us": f"{tgtd.url(login=wrong)}/{closed.name}",
        }
        end = time.monotonic() + TRAFFIC_SECONDS
        with Process(["iscsi-perf", "-t", TRAFFIC_SECONDS + 20, "-m", "4", is_open.url(1)]):
            while time.monotonic() < end:
                for succeeds, words in ROUND:
                    code, _, stderr, _ = run([word.format(**urls) for word in words], check=False)
                    self.assertEqual(code == 0, succeeds, f"{words}: {stderr}")
                time.sleep(0.5)


if __name__ == "__main__":
    main()
