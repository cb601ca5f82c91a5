# SPDX-License-Identifier: Apache-2.0
"""Findings: what scripted peers do wrong is found, at both ends, live and from a capture of the
same run; and what real tools do on a good day is not.
"""

import contextlib
import re
import signal
import time

from harness.attribution import log_in, read, write
from harness.capture import Capture
from harness.case import LiveTest, TgtdTest, main
from harness.compare import ROLES
from harness.diagnose import FINDINGS, Diagnose, diagnose_capture
from harness.dialogue import (I, INITIATOR_NAME, TARGET_NAME, Stage, T, login_request,
                              login_response)
from harness.faults import (abort, answer_late, conflict, go_beyond, look_for_what_is_gone, names,
                            numbered, ping_in_vain, refuse, reject, send_data_late, stop_reading,
                            take_over, wait_for_acknowledgements)
from harness.fio import Fio
from harness.lunscope import fail_to_start
from harness.pdus import command, response, text
from harness.perf import Perf
from harness.process import run, wait_until
from harness.scripted import Initiator

# All that happens, and the findings at (the initiator's host, the target's host): live, and from a
# capture. Where a list differs, only sockets know it.
HAPPENINGS = [take_over, refuse, look_for_what_is_gone, reject, abort, conflict, go_beyond,
              answer_late, send_data_late, stop_reading]
FROM_WIRE = {"session-thrown-out": "critical", "login-refused": "warning",
             "target-not-found": "warning", "login-unanswered": "critical",
             "pdu-rejected": "warning", "commands-aborted": "warning",
             "reservation-conflict": "warning", "commands-beyond-window": "critical",
             "late-data": "warning", "target-ignores-pings": "critical"}
ON_TIME = {"delayed-ack": "warning"}  # if the machine is not busy
NOT_ON_TIME = {"delayed-ack", "late-reader"}  # else one of these is found, or neither
LIVE = {
    "initiator": FROM_WIRE | {"slow-answers": "warning", "target-silent": "warning",
                              "initiator-not-reading": "critical"},
    "target": FROM_WIRE | {"slow-backend": "warning", "target-stopped": "critical",
                           "initiator-not-reading": "critical"},
}
CAPTURED = {
    "initiator": FROM_WIRE | {"slow-answers": "warning", "target-silent": "warning"},
    "target": FROM_WIRE | {"slow-backend": "warning", "target-silent": "warning"},
}
SENTENCES = {
    "session-thrown-out": f"127.0.0.1 and 127.0.0.2 log in to {TARGET_NAME} under one initiator "
                          f"name, {INITIATOR_NAME}, and throw each other's session out: 5 times",
    "login-refused": f"iqn.2024-01.test:refused at 127.0.0.1 cannot log in to {TARGET_NAME}: "
                     "Authentication failure (0201), twice",
    "target-not-found": "iqn.2024-01.test:stale at 127.0.0.1 asks for the target "
                        "iqn.2024-01.test:gone, which is not there: twice",
    "pdu-rejected": f"{TARGET_NAME} rejects PDUs of iqn.2024-01.test:rejected at 127.0.0.1: "
                    "Protocol Error, once",
    "commands-beyond-window": "iqn.2024-01.test:beyond at 127.0.0.1 sent 1 command with a CmdSN "
                              f"above MaxCmdSN to {TARGET_NAME}, which ignores them for ever",
    "target-ignores-pings": f"{TARGET_NAME} does not answer the pings (NOP-Out) of "
                            "iqn.2024-01.test:pings at 127.0.0.1, although commands are answered "
                            "meanwhile: once",
}


def play(stage, undo):
    """All of it; the waits of the last three run side by side. Returns whether this machine has
    kept the time.
    """
    is_on_time = wait_for_acknowledgements(stage, undo)
    for happen in HAPPENINGS:
        happen(stage, undo)
    undo.enter_context(stage.connect()).say([
        I(login_request(names("iqn.2024-01.test:unanswered", TARGET_NAME), names=False))])
    pings = ping_in_vain(stage, undo)
    for itt in range(1, 15):
        time.sleep(1)
        pings.say([I(command(itt)), T(response(itt, **numbered(itt)))])
    return is_on_time


class Wrong(LiveTest):

    def test_each(self):
        with contextlib.ExitStack() as undo:
            stage = undo.enter_context(Stage())
            capture = undo.enter_context(Capture(stage.port))
            diagnose = undo.enter_context(Diagnose(stage.port))
            is_on_time = play(stage, undo)
            live = diagnose.stop()
            capture.stop()
            captured = {role: diagnose_capture(capture.file, "--port", stage.port, "--role", role)
                        for role in ROLES}
        self.assertEqual(live.code, FINDINGS)
        for role in ROLES:
            with self.subTest(role=role, source="live"):
                self.check(live, role, LIVE[role], is_on_time)
            with self.subTest(role=role, source="capture"):
                self.assertEqual(captured[role].code, FINDINGS)
                self.check(captured[role], role, CAPTURED[role], is_on_time)

    def check(self, report, role, expected, is_on_time):
        found = report.ids(role)
        if is_on_time:
            expected = expected | ON_TIME
        else:
            found = {name: found[name] for name in found.keys() - NOT_ON_TIME}
        self.assertEqual(found, expected, [finding["sentence"] for finding in report.findings])
        for name, sentence in SENTENCES.items():
            self.assertEqual(report.sentence(name, role), sentence)

    def test_a_portal_that_is_not_there(self):
        with Stage() as stage, Diagnose(stage.port) as diagnose:
            stage.close()
            for _ in range(2):
                with self.assertRaises(ConnectionRefusedError):
                    Initiator(stage.port)
            report = diagnose.stop()
        self.assertEqual(report.ids("initiator"), {"portal-refused": "warning"})
        self.assertEqual(report.sentence("portal-refused", "initiator"),
                         f"nothing listens on the portal 127.0.0.1:{stage.port}, where this host "
                         "wants to connect: twice")

    def test_a_redirection_to_a_port_that_is_not_watched(self):
        with contextlib.ExitStack() as undo:
            stage = undo.enter_context(Stage())
            diagnose = undo.enter_context(Diagnose(stage.port))
            undo.enter_context(stage.connect()).say([I(login_request()), T(login_response(
                text(TargetAddress="127.0.0.1:9,1"), 0, tsih=0, status_class=1, status_detail=1))])
            time.sleep(1.5)
            report = diagnose.stop()
        self.assertEqual((report.code, report.findings), (0, []))
        self.assertIn(f"The target {TARGET_NAME} redirects to 127.0.0.1:9,1, and port 9 is not "
                      "watched: add --port 9.", report.said["not_seen"])

    def test_watch_says_when_one_begins(self):
        with contextlib.ExitStack() as undo:
            stage = undo.enter_context(Stage())
            diagnose = undo.enter_context(Diagnose(stage.port, options=["--watch"]))
            reject(stage, undo)
            wait_until(lambda: b"pdu-rejected" in diagnose.process.stdout, 20, "the finding")
            diagnose.process.signal(signal.SIGINT)
            self.assertEqual(diagnose.process.wait(20), FINDINGS)
            first = diagnose.process.stdout.decode().split("\n")[0]
        self.assertRegex(first, re.compile(r'^\{"finding":"pdu-rejected",'))


class Good(TgtdTest):
    """A target and real tools: nothing is wrong."""

    def test_tools(self):
        with Capture(self.tgtd.port) as capture:
            with Diagnose(self.tgtd.port) as diagnose:
                run(["iscsi-ls", "-s", self.tgtd.url()])
                run(["iscsi-inq", self.url])
                run(["iscsi-readcapacity16", self.url])
                with Initiator(self.tgtd.port) as initiator:
                    log_in(initiator, self.TARGET).time(write(4096), 20).time(read(65536), 20)
                    initiator.logout()
                with Perf(self.url) as perf:
                    self.tgtd.wait_for_commands(2000)
                    time.sleep(4)
                    perf.finish()
                report = diagnose.stop()
            capture.stop()
            captured = diagnose_capture(capture.file, "--port", self.tgtd.port)
        for each in report, captured:
            self.assertEqual(each.findings, [])
            self.assertEqual(each.code, 0)
            self.assertGreater(each.said["commands"], 2000)

    def test_fio(self):
        """Many writes in flight: each takes long, and nobody is late."""
        for words in (["--rw", "write", "--bs", "1m", "--iodepth", "32"],
                      ["--rw", "randwrite", "--bs", "64k", "--iodepth", "128", "--fsync", "32"]):
            with self.subTest(words), Diagnose(self.tgtd.port) as diagnose:
                with Fio(self.url, *words, "--size", "60m", "--time_based", "--runtime", 5) as fio:
                    fio.finish(60)
                report = diagnose.stop()
                self.assertEqual([(finding["finding"], finding["sentence"])
                                  for finding in report.findings
                                  if finding["severity"] != "info"], [])
                self.assertEqual(report.code, 0)
                self.assertGreater(report.said["commands"], 100)

    def test_nothing_to_look_at(self):
        with Diagnose(self.tgtd.port) as diagnose:
            report = diagnose.stop()
        self.assertEqual((report.code, report.findings), (0, []))
        self.assertEqual(report.said["commands"], 0)
        self.assertEqual(report.said["not_seen"], ["No iSCSI connection was seen."])


class Options(LiveTest):

    def test_what_excludes_each_other(self):
        for words in ["x.pcap", "--watch"], ["x.pcap", "--duration", "1s"], ["--source", "scsi"]:
            code, said = fail_to_start(["diagnose", *words])
            self.assertEqual(code, 2, said)


if __name__ == "__main__":
    main()
