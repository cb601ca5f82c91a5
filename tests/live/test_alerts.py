# SPDX-License-Identifier: Apache-2.0
"""From a fault to the message: lunscope, Prometheus and Alertmanager with the files that we ship.

Two things differ from these files. Addresses are the test's own. Waits are seconds and not minutes
(QUICK in tests/dashboards/prometheus.py and alertmanager.py), those of lunscope itself excepted.
"""

import contextlib
import signal
import sys

from harness import faults
from harness.attribution import log_in, read, write
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES
from harness.dialogue import INITIATOR_NAME, TARGET_NAME, Stage
from harness.lunscope import Serve
from harness.perf import Perf
from harness.process import ROOT, run, wait_until
from harness.scripted import Initiator
from harness.tgtd import Tgtd

sys.path.insert(0, str(ROOT / "tests" / "dashboards"))
from alertmanager import Alertmanager, Receiver  # noqa: E402  (needs the path above)
from prometheus import Prometheus, api  # noqa: E402

SECONDS = 120
CHAP, STOPPED = (f"iqn.2024-01.org.lunscope.test:{name}" for name in ("chap", "stopped"))


@contextlib.contextmanager
def watched(*ports):
    """(serve, prometheus, receiver) of a lunscope that watches these ports."""
    with Receiver() as receiver, Alertmanager(receiver.url) as alertmanager, Serve(*ports) as serve:
        with Prometheus(serve.address, alertmanager=alertmanager.address) as prometheus:
            prometheus.wait_for_samples(1)
            yield serve, prometheus, receiver


def message(receiver, **labels):
    """The first alert with these labels that arrives."""
    found = wait_until(lambda: receiver.alerts(**labels), SECONDS, f"an alert with {labels}")
    return found[0]


class Wrong(LiveTest):

    def setUp(self):
        super().setUp()
        self.tgtd = self.use(Tgtd())
        self.stage = self.use(Stage())

    def check(self, receiver, finding, severity, role, target, **labels):
        """The message names the finding, the target and the place of the words."""
        alert = message(receiver, alertname="LunscopeFinding", finding=finding, role=role)
        self.assertLessEqual(
            ({"severity": severity, "target": target, "job": "lunscope"} | labels).items(),
            alert["labels"].items())
        annotations = alert["annotations"]
        self.assertTrue(annotations["summary"].startswith(f"{finding}: {target}"), annotations)
        self.assertEqual(annotations["runbook"], f"docs/RUNBOOKS.md#{finding}")
        self.assertEqual(annotations["description"], f"http://{alert['labels']['instance']}/"
                         "findings has the sentence and the evidence.")

    def test_five_faults(self):
        refusing, stopping = map(self.tgtd.add_target, (CHAP, STOPPED))
        for target in refusing, stopping:
            target.add_lun()
        refusing.require_chap("user", "secret-of-the-test")
        undo = self.use(contextlib.ExitStack())
        with watched(self.stage.port, self.tgtd.port) as (_, _, receiver):
            with self.subTest("a wrong password"):
                for _ in range(2):
                    code, *_ = run(["iscsi-inq", refusing.url(1, login="user%wrong-password")],
                                   check=False)
                    self.assertNotEqual(code, 0)
                for role in ROLES:
                    self.check(receiver, "login-refused", "warning", role, CHAP)
            with self.subTest("two hosts with one name"):
                faults.take_over(self.stage, undo)
                self.check(receiver, "session-thrown-out", "critical", "target", TARGET_NAME,
                           initiator=INITIATOR_NAME)
            with self.subTest("a Reject"):
                faults.reject(self.stage, undo)
                self.check(receiver, "pdu-rejected", "warning", "initiator", TARGET_NAME,
                           initiator="iqn.2024-01.test:rejected")
            with self.subTest("a slow backend"):
                faults.answer_late(self.stage, undo)
                self.check(receiver, "slow-backend", "warning", "target", TARGET_NAME, lun="2")
                self.check(receiver, "slow-answers", "warning", "initiator", TARGET_NAME, lun="2")
            with self.subTest("a target that stands still"), Perf(stopping.url(1)):
                self.tgtd.wait_for_commands(100)
                self.tgtd.process.signal(signal.SIGSTOP)
                try:
                    self.check(receiver, "target-stopped", "critical", "target", STOPPED)
                finally:
                    self.tgtd.process.signal(signal.SIGCONT)
            self.check_groups(receiver)

    def check_groups(self, receiver):
        """Each message is of one target. That of the scripted target has all its findings."""
        for group, alerts in receiver.messages:
            self.assertEqual({alert["labels"]["target"] for alert in alerts} - {group["target"]},
                             set())
        self.assertTrue(any(
            {"pdu-rejected", "slow-backend"} <= {alert["labels"]["finding"] for alert in alerts}
            for _, alerts in receiver.messages), receiver.messages)


class Good(TgtdTest):

    def test_load_without_a_fault(self):
        """The first message of all is the one of a lunscope that was ended: nothing came before."""
        with watched(self.tgtd.port) as (serve, prometheus, receiver):
            run(["iscsi-ls", "-s", self.tgtd.url()])
            run(["iscsi-inq", self.url])
            with Initiator(self.tgtd.port) as initiator:
                log_in(initiator, self.TARGET).time(write(4096), 20).time(read(65536), 20)
                initiator.logout()
            with Perf(self.url) as perf:
                self.tgtd.wait_for_commands(2000)
                prometheus.wait_for_samples(10)
                perf.finish()
            serve.settled()
            scrapes = float(prometheus.query("sum_over_time(up[1h])")[0]["value"][1])
            prometheus.wait_for_samples(scrapes + 5)
            self.assertGreater(
                sum(float(series["value"][1])
                    for series in prometheus.query("lunscope_commands_total")), 4000)
            self.assertEqual(prometheus.query("ALERTS"), [])
            rules = api(prometheus.url, "rules")["groups"][0]["rules"]
            self.assertEqual([(rule["name"], rule["health"]) for rule in rules],
                             [("LunscopeFinding", "ok"), ("LunscopeDown", "ok")])
            serve.process.end()
            alert = message(receiver, alertname="LunscopeDown")
            self.assertEqual(len(receiver.alerts()), len(receiver.alerts(alertname="LunscopeDown")))
        self.assertEqual(alert["labels"], {"alertname": "LunscopeDown", "severity": "warning",
                                           "job": "lunscope", "instance": serve.address})


if __name__ == "__main__":
    main()
