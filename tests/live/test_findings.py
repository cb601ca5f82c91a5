# SPDX-License-Identifier: Apache-2.0
"""Findings of `serve`: as pages, as metrics, and on standard error. The report of `diagnose`.
test_diagnose.py has the rules.
"""

import json
import re
import stat
import tempfile
import time
import urllib.error
from pathlib import Path

from harness.attribution import log_in, read, write
from harness.capture import Capture
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES
from harness.diagnose import Diagnose
from harness.dialogue import INITIATOR_NAME, TARGET_NAME, I, Stage, T, login_request, login_response
from harness.lunscope import Serve, Trace, fail_to_start, findings_of, replay
from harness.pdus import data_in, response, text
from harness.pdus import read as read_pdu
from harness.process import run, wait_until
from harness.scripted import Initiator

NAME = "iqn.2024-01.test:refused"
# A look between the two refusals says "once".
SENTENCE = f"{NAME} at 127.0.0.1 cannot log in to {TARGET_NAME}: Authentication failure (0201), "


def refuse_twice(stage):
    keys = text(InitiatorName=NAME, TargetName=TARGET_NAME)
    for _ in range(2):
        with stage.connect() as conversation:
            conversation.say([
                I(login_request(keys, names=False)),
                T(login_response(flags=0, tsih=0, status_class=2, status_detail=1))])
            conversation.end("target")


def page_of(serve):
    return json.loads(serve.page("/findings.json"))


class Wrong(LiveTest):

    def test_a_login_that_is_refused(self):
        def page_of_both_ends():
            page = page_of(serve)
            sentences = [finding["sentence"] for finding in page["findings"]]
            return page if sentences == 2 * [SENTENCE + "twice"] else None

        with Stage() as stage, Serve(stage.port) as serve:
            metrics = serve.metrics()
            self.assertEqual(metrics.select("finding"), [])
            zero, = metrics.select("findings_total", finding="login-refused")
            self.assertEqual((zero.value, metrics.total("findings_total")), (0, 0))
            refuse_twice(stage)
            page = wait_until(page_of_both_ends, 20, "the finding at both ends")
            table, metrics = serve.page("/findings"), serve.metrics()
            self.check_said(serve)
        self.check_page(page)
        self.assertTrue(table.startswith(
            f"Findings: 2 hold, and 0 have ended\n\nWARNING   {NAME}"), table)
        self.check_metrics(metrics)

    def check_said(self, serve):
        for role in ROLES:
            line = re.compile(f"login-refused: at the {role}'s host: {re.escape(SENTENCE)}"
                              "(once|twice); docs/RUNBOOKS.md#login-refused\n")
            wait_until(lambda line=line: line.search(serve.process.stderr), 20, line.pattern)

    def check_page(self, page):
        self.assertEqual((page["hold"], page["ended"], page["left_out"]), (2, 0, ""))
        self.assertEqual({finding["subject"]["role"] for finding in page["findings"]}, set(ROLES))
        for finding in page["findings"]:
            self.assertEqual((finding["finding"], finding["severity"], finding["runbook"]),
                             ("login-refused", "warning", "docs/RUNBOOKS.md#login-refused"))
            self.assertIn("advice", finding)
            self.assertNotIn("until", finding)

    def check_metrics(self, metrics):
        for role in ROLES:
            series, = metrics.select("finding", role=role)
            self.assertEqual(series.value, 1)
            self.assertEqual(series.labels, {
                "finding": "login-refused", "severity": "warning", "role": role,
                "target": TARGET_NAME, "initiator": NAME, "lun": "", "address": "127.0.0.1"})
        self.assertEqual(metrics.total("findings_total"), 2)
        self.assertEqual(metrics.total("findings_total", finding="login-refused"), 2)

    def test_nobody_looks(self):
        with Stage() as stage, Serve(stage.port, options=["--no-diagnosis"]) as serve:
            refuse_twice(stage)
            serve.settled()
            self.assertEqual(serve.metrics().select("findings_total"), [])
            with self.assertRaises(urllib.error.HTTPError) as refused:
                serve.page("/findings.json")
            with refused.exception as answer:
                self.assertEqual(answer.code, 404)
            wait_until(lambda: ": login refused: " in serve.process.stderr, 20, "the events")
            self.assertNotIn("login-refused", serve.process.stderr)


class Traces(LiveTest):

    def test_a_line_among_the_commands(self):
        with Stage() as stage, Capture(stage.port) as capture:
            with Trace(stage.port) as trace, Trace(
                    stage.port, options=["--no-findings"]) as without:
                refuse_twice(stage)
                time.sleep(1.5)
                trace.stop()
                without.stop()
                live = findings_of(trace.process.stdout.decode())
                self.assertEqual(findings_of(without.process.stdout.decode()), [])
            capture.stop()
            _, replayed, _ = replay(capture.file, "-o", "json", "--port", stage.port)
            _, table, _ = replay(capture.file, "--port", stage.port)
        self.assertEqual({(line["finding"], line["subject"]["role"]) for line in live},
                         {("login-refused", role) for role in ROLES})
        line, = findings_of(replayed)
        self.assertEqual(line["sentence"], SENTENCE + "twice")
        self.assertEqual(list(line)[:2], ["time", "finding"])
        self.assertIn(f" finding login-refused: {SENTENCE}twice\n", table)


class Reports(LiveTest):

    def test_a_report_of_a_live_host(self):
        hostile = text(InitiatorName="iqn.2024-01.test:<b>", TargetName=TARGET_NAME)
        with tempfile.TemporaryDirectory() as folder, Stage() as stage:
            file = Path(folder) / "report.html"
            with Diagnose(stage.port, options=["--report", str(file)]) as diagnose:
                refuse_twice(stage)
                with stage.connect() as conversation:
                    conversation.say([
                        I(login_request(hostile, names=False)), T(login_response()),
                        I(read_pdu(1)), T(data_in(1), response(1))])
                    time.sleep(1.5)
                    report = diagnose.stop()
            self.assertEqual([entry.name for entry in Path(folder).iterdir()], ["report.html"])
            self.assertEqual(stat.S_IMODE(file.stat().st_mode) & ~0o640, 0)
            page = file.read_text(encoding="ascii")
        self.assertEqual(report.ids("target"), {"login-refused": "warning"})
        for words in (report.sentence("login-refused", "target"), TARGET_NAME, "<svg ",
                      "iqn.2024-01.test:&lt;b&gt;", "Where the time goes", "CID 0: 127.0.0.1:"):
            self.assertIn(words, page)
        self.assertNotIn("test:<b>", page)

    def test_no_name_is_left(self):
        with tempfile.TemporaryDirectory() as folder, Stage() as stage:
            file = Path(folder) / "report.md"
            with Diagnose(stage.port, options=["--anonymous", "--report", str(file)]) as diagnose:
                refuse_twice(stage)
                with stage.connect() as conversation:
                    conversation.say([I(login_request()), T(login_response())])
                    time.sleep(1.5)
                    report = diagnose.stop()
            page = file.read_text(encoding="ascii")
        sentence = report.sentence("login-refused", "target")
        self.assertRegex(sentence, r"^initiator-\d at host-1 cannot log in to target-1: "
                                   r"Authentication failure \(0201\), twice$")
        self.assertIn("CID 0: host-1:", page)
        self.assertRegex(page, r"\n\| Host \| host-\d \|\n")
        for said in json.dumps(report.said), page:
            for name in NAME, TARGET_NAME, INITIATOR_NAME, "127.0.0.1":
                self.assertNotIn(name, said)

    def test_no_such_folder(self):
        code, said = fail_to_start(["diagnose", "--report", "/nowhere/at/all.md"])
        self.assertEqual(code, 1)
        self.assertIn("cannot write /nowhere/at/all.md: No such file or directory (errno 2)", said)


class Good(TgtdTest):

    def test_tools(self):
        with Serve(self.tgtd.port) as serve:
            run(["iscsi-ls", "-s", self.tgtd.url()])
            run(["iscsi-inq", self.url])
            with Initiator(self.tgtd.port) as initiator:
                log_in(initiator, self.TARGET).time(write(4096), 20).time(read(65536), 20)
                initiator.logout()
            time.sleep(3)  # for looks behind all of that
            metrics = serve.settled()
            page, said = page_of(serve), serve.process.stderr
        self.assertGreater(metrics.total("commands_seen_total"), 40)
        self.assertEqual(metrics.total("findings_total"), 0)
        self.assertEqual(page, {"findings": [], "hold": 0, "ended": 0, "left_out": ""})
        self.assertNotIn("RUNBOOKS", said)


if __name__ == "__main__":
    main()
