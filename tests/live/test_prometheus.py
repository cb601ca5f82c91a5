# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes lunscope while there is mixed traffic: no panel stays empty.

LUNSCOPE_TRAFFIC_SECONDS sets how long the traffic may last until every panel has data (120).
"""

import os
import sys
import time

from harness.case import LiveTest, main
from harness.lunscope import Serve, check_exposition
from harness.perf import Perf
from harness.process import ROOT, Process, run
from harness.tgtd import Tgtd

sys.path.insert(0, str(ROOT / "tests" / "dashboards"))
import queries  # noqa: E402  (needs the path above)

TRAFFIC_SECONDS = int(os.environ.get("LUNSCOPE_TRAFFIC_SECONDS", "120"))
SAMPLES = 4  # a rate is of two, and of what grew between them
# A guest whose firmware reads its disk twice a second, for there is no system on it.
GUEST = ("qemu-system-x86_64 -accel tcg -machine q35 -nodefaults -display none -nic none -drive "
         "file={url},if=none,id=disk,format=raw -device virtio-blk-pci,drive=disk -name guest "
         "-boot reboot-timeout=500")
# The test has a fault, a guest and --profile, so these have data although queries.EMPTY has them.
HERE = {"annotation Findings", "Findings that hold", "Slowest guests", "Sequential share",
        "Mean queue depth", "Alignment", "Time between commands"}
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
        serve = self.use(Serve(tgtd.port, options=["--profile"]))
        prometheus = self.use(queries.Prometheus(serve.address, "1s"))
        self.use(Process(GUEST.format(url=is_open.url(2)).split()))
        # A session that stays, so that the gauges of live sessions have something to show too.
        with Perf(is_open.url(1), "-m", "4"):
            answers = self.traffic_until_every_query_finds_data(prometheus, tgtd, is_open, closed)
            exposition = serve.scrape()
        self.assertGreater(len(answers), 150)
        self.assertEqual(self.missing(answers), [])
        self.assertEqual(set(queries.EMPTY) - {answer.panel for answer in answers}, set())
        self.assertEqual(check_exposition(exposition), "")
        self.assertNotIn(PASSWORD, exposition)

    def traffic_until_every_query_finds_data(self, prometheus, tgtd, is_open, closed):
        """Returns the answers of the last round, or of the one after which time is over."""
        deadline = time.monotonic() + TRAFFIC_SECONDS
        while True:
            self.traffic(tgtd, is_open, closed)
            prometheus.wait_for_samples(SAMPLES, timeout_s=60)
            answers = [answer for dashboard in queries.DASHBOARDS
                       for answer in queries.run_queries(prometheus.url, dashboard)]
            if not self.missing(answers) or time.monotonic() > deadline:
                return answers

    def missing(self, answers):
        """The queries that have to find data and did not."""
        return [f"{answer.panel}: {answer.expr}" for answer in queries.without_data(answers)
                if answer.panel in HERE or answer.panel not in queries.EMPTY]

    def traffic(self, tgtd, is_open, closed):
        """One round."""
        wrong = f"{USER}%not-the-password"
        urls = {
            "portal": tgtd.url(login=f"{USER}%{PASSWORD}"),
            "open": f"{tgtd.url()}/{is_open.name}",
            "closed": f"{tgtd.url('::1', f'{USER}%{PASSWORD}')}/{closed.name}",
            "closed_to_us": f"{tgtd.url(login=wrong)}/{closed.name}",
        }
        for succeeds, words in ROUND:
            code, _, stderr, _ = run([word.format(**urls) for word in words], check=False)
            self.assertEqual(code == 0, succeeds, f"{words}: {stderr}")


if __name__ == "__main__":
    main()
