# SPDX-License-Identifier: Apache-2.0
"""`lunscope sessions`: what the target was configured to, and what tshark reads in the login."""

import signal
import time

from harness.capture import Capture, login_answers, login_offers
from harness.case import LiveTest, main
from harness.compare import ROLES
from harness.dialogue import Stage
from harness.lunscope import Serve
from harness.pdus import TEST_UNIT_READY
from harness.perf import Perf
from harness.process import Process, run, wait_until
from harness.scripted import Initiator
from harness.tgtd import Tgtd

INITIATOR = "iqn.2024-01.org.lunscope.test:initiator-"
TARGET = "iqn.2024-01.org.lunscope.test:list-"
WAIT_SECONDS = 60
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
ENDS = dict(zip(ROLES, ("ini", "tgt")))
BOOLEANS = {"Yes": True, "No": False}

# Settings of tgt, and the values that are then in effect. libiscsi offers MaxBurstLength and
# FirstBurstLength 262144, ImmediateData Yes, DefaultTime2Wait 2, DefaultTime2Retain 0.
CONFIGURED = {
    "MaxBurstLength": (131072, 131072),
    "FirstBurstLength": (32768, 32768),
    "ImmediateData": ("No", False),
    "DefaultTime2Wait": (7, 7),
    "DefaultTime2Retain": (30, 0),
    "MaxRecvDataSegmentLength": (65536, {"initiator": 262144, "target": 65536}),
    "HeaderDigest": ("CRC32C", "CRC32C"),
}


def parameters_of(session):
    """Those of the session and of its one connection."""
    (connection,) = session["connections"]
    return session["parameters"] | connection["parameters"]


class SessionList(LiveTest):

    def setUp(self):
        super().setUp()
        self.tgtd = self.use(Tgtd())
        self.targets = [self.tgtd.add_target(TARGET + name) for name in ("one", "two")]
        for target in self.targets:
            target.add_lun()

    def login(self, name, target):
        initiator = self.use(Initiator(self.tgtd.port))
        self.assertEqual(initiator.login((INITIATOR + name).encode(), target.name.encode()), (0, 0))
        initiator.run([(TEST_UNIT_READY, 0)])
        return initiator

    def test_parameters_in_effect(self):
        target = self.targets[0]
        for name, (value, _) in CONFIGURED.items():
            target.update(name, value)
        began = time.time() - 1  # the wall clock may be set back
        url = target.url(1) + "?header_digest=crc32c"
        with Capture(self.tgtd.port) as capture, Serve(self.tgtd.port) as serve, \
                Perf(url, "-i", INITIATOR + "perf") as perf:
            sessions = self.both_ends_of_a_session(serve)
            perf.finish()
            after = wait_until(lambda: not (found := serve.sessions())["sessions"] and found,
                               WAIT_SECONDS, "the session to end")
            capture.stop()
            answers = login_answers(capture.file, self.tgtd.port)
            offers = login_offers(capture.file, self.tgtd.port)
        self.assertEqual(after["other_connections"], [])
        self.assertGreater(len(answers), 8)
        for role, session in zip(ROLES, sessions):
            with self.subTest(role=role):
                self.assertEqual((session["role"], session["target"], session["initiator"]),
                                 (role, target.name, INITIATOR + "perf"))
                self.assertEqual(session["portal"], f"127.0.0.1:{self.tgtd.port}")
                self.assertGreaterEqual(session["since"],
                                        time.strftime("%FT%T", time.gmtime(began)))
                self.assertTrue(session["up"])
                self.check_parameters(parameters_of(session), answers)
                (connection,) = session["connections"]
                self.assertEqual(connection["offered"].keys(), {"HeaderDigest", "DataDigest"})
                self.assertLessEqual(connection["offered"].items(), set(offers))
                self.assertEqual(session.get("luns"), self.luns_of(role))

    def luns_of(self, role):
        """tgt has a file behind its LUN. An initiator in user space has no disk for it."""
        if role == "initiator":
            return None
        return [{"lun": "1", "device": str(self.tgtd.folder / "target1-lun1.img"), "mounts": []}]

    @staticmethod
    def both_ends_of_a_session(serve):
        def both():
            found = serve.sessions()["sessions"]
            return found if len(found) == 2 and all(each["up"] for each in found) else None
        return wait_until(both, WAIT_SECONDS, "a session at each end")

    def check_parameters(self, found, answers):
        for name, (_, effective) in CONFIGURED.items():
            self.assertEqual(found[name], effective, name)
        # The target's answer is the value in effect; a key that it declares is its own.
        compared = 0
        for name, answer in answers.items():
            if name not in found:
                continue
            value = found[name]
            if isinstance(value, dict):
                value = value["target"]
            if isinstance(value, bool):
                answer = BOOLEANS[answer]
            self.assertEqual(str(value), str(answer), name)
            compared += 1
        self.assertGreater(compared, 8)

    def test_targets_that_are_listed(self):
        with Serve(self.tgtd.port) as serve:
            run(["iscsi-ls", self.tgtd.url()])
            listed = serve.sessions()["targets"]
        portals = [f"127.0.0.1:{self.tgtd.port},1"]
        self.assertEqual(listed, [{"role": role, "target": target.name, "addresses": portals}
                                  for role in ROLES for target in self.targets])

    def test_redirection(self):
        stage, target = self.use(Stage()), self.targets[0]
        address = f"127.0.0.1:{self.tgtd.port}"
        with Serve(stage.port, self.tgtd.port) as serve, \
                Process(["iscsi-inq", "-i", INITIATOR + "moved",
                         f"iscsi://127.0.0.1:{stage.port}/{target.name}/1"]) as tool:
            stage.redirect(address)
            self.assertEqual(tool.wait(WAIT_SECONDS), 0, tool.stderr)
            listed, metrics = serve.sessions()["targets"], serve.settled()
        self.assertEqual(listed, [{"role": role, "target": target.name, "addresses": [],
                                   "redirected_to": address, "is_permanent": False}
                                  for role in ROLES])
        for role in ROLES:
            with self.subTest(role=role):
                self.assertEqual(metrics.total("login_redirections_total", role=role), 1)
                self.assertEqual(metrics.total("login_failures_total", role=role), 0)
                self.assertEqual(metrics.total("logins_total", role=role), 1)

    def test_a_login_that_gets_no_answer(self):
        self.tgtd.process.signal(signal.SIGSTOP)
        try:
            with Serve(self.tgtd.port) as serve, \
                    Process(["iscsi-inq", "-i", INITIATOR + "waits", self.targets[0].url(1)]):
                def both():
                    found = serve.sessions()["other_connections"]
                    return found if [each["state"] for each in found] == ["logging_in"] * 2 else None
                found = wait_until(both, WAIT_SECONDS, "both ends of a login")
                table = serve.sessions_table()
        finally:
            self.tgtd.process.signal(signal.SIGCONT)
        self.assertEqual(sorted(each["role"] for each in found), sorted(ROLES))
        for each in found:
            self.assertEqual((each["target"], each["initiator"]),
                             (self.targets[0].name, INITIATOR + "waits"))
            # The time itself may differ: the wall clock may have been set in between.
            self.assertRegex(table, rf"{ENDS[each['role']]} +logging_in +{TIME} ")
        (initiator,) = (each for each in found if each["role"] == "initiator")
        way = f"    connection from {initiator['local']} to {initiator['remote']}"
        self.assertEqual(table.count(way), 2)

    def test_session_reinstatement(self):
        """The second login has the ISID of the first: there is one session, that of the second."""
        with Serve(self.tgtd.port) as serve:
            self.login("again", self.targets[0])
            second = self.login("again", self.targets[0])
            sessions = self.both_ends_of_a_session(serve)
        self.assertEqual([session["role"] for session in sessions], list(ROLES))
        for session in sessions:
            self.assertTrue(session["up"])
            (connection,) = session["connections"]
            self.assertIn(f"127.0.0.1:{second.port}", (connection["local"], connection["remote"]))

    def names(self, initiators):
        """Connections as a lunscope shows them that began after these logins."""
        with Serve(self.tgtd.port) as serve:
            def others():
                for initiator in initiators:
                    initiator.run([(TEST_UNIT_READY, 0)] * 4)
                found = serve.sessions()["other_connections"]
                is_over = time.monotonic() - serve.process.started > 2
                return found if is_over and len(found) == 2 * len(initiators) else None
            found = wait_until(others, WAIT_SECONDS, "both ends of each connection")
            metrics = serve.metrics()
        return found, metrics

    def test_names_of_a_session_that_was_there_before(self):
        found, metrics = self.names([self.login("before", self.targets[0])])
        for role, connection in zip(ROLES, sorted(found, key=lambda each: each["role"])):
            with self.subTest(role=role):
                self.assertEqual({key: connection[key] for key in
                                  ("role", "target", "initiator", "names_from")},
                                 {"role": role, "target": self.targets[0].name,
                                  "initiator": INITIATOR + "before", "names_from": "tgtadm"})
                self.assertEqual(metrics.total("inferred_connections", role=role, source="tgtadm",
                                               target=self.targets[0].name), 1)

    def test_names_that_could_be_either(self):
        """tgt tells no port: of two sessions from one address neither is sure."""
        found, metrics = self.names([self.login("a", self.targets[0]),
                                     self.login("b", self.targets[1])])
        self.assertEqual({(each["target"], each["initiator"]) for each in found},
                         {("unknown", "unknown")})
        self.assertEqual(metrics.total("inferred_connections"), 0)

    def test_a_target_that_hangs(self):
        """tgtadm waits for a tgtd that is stopped; lunscope does not wait for tgtadm."""
        self.tgtd.process.signal(signal.SIGSTOP)
        try:
            with Serve(self.tgtd.port) as serve:
                self.assertEqual(serve.sessions()["sessions"], [])
                serve.process.signal(signal.SIGINT)
                self.assertLess(serve.process.seconds_to_end(WAIT_SECONDS), 20)
                self.assertEqual(serve.process.wait(1), 0)
        finally:
            self.tgtd.process.signal(signal.SIGCONT)


if __name__ == "__main__":
    main()
