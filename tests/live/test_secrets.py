# SPDX-License-Identifier: Apache-2.0
"""Secrets of a login stay in the kernel: they are in nothing that lunscope says, and nowhere in the
memory of the running collector, the rings that the kernel shares with it included. A core dump could
hold nothing else.
"""

import contextlib
import pathlib
import re
import signal

from harness.capture import Capture
from harness.case import TgtdTest, main
from harness.dialogue import (I, INITIATOR_NAME, T, TARGET_NAME, Stage, login_request,
                              login_response, pieces)
from harness.lunscope import Serve, Trace
from harness.pdus import CONTINUE, FULL_FEATURE, OPERATIONAL, TRANSIT, text
from harness.process import run
from harness.table import Row

TARGET = "iqn.2024-01.org.lunscope.test:secrets"
INITIATOR = "iqn.2024-01.org.lunscope.test:secrets-initiator"
USER, PASSWORD = "chap-user-okapi", "sesame-secret-5512"
THEIR_USER, THEIR_PASSWORD = "chap-target-tapir", "sesame-answer-9004"
# CHAP_I is one digit: nothing to look for, but it goes the same way as the others.
CHAP_VALUE = re.compile(rb"CHAP_([NRC])=([^\0]{4,})\0")

# Every key that holds one (RFC 7143 section 12.1), each with a value of its own. CHAP_A is no secret.
SECRET_KEYS = ("CHAP_I", "CHAP_C", "CHAP_N", "CHAP_R", "SRP_U", "SRP_N", "SRP_g", "SRP_s", "SRP_A",
               "SRP_B", "SRP_M", "SRP_HM", "KRB_AP_REQ", "KRB_AP_REP", "SPKM_REQ",
               "X-com.example.password")
SECRETS = {key: f"hush-{number:02}-{key.lower()}-0x5ec2e7" for number, key in
           enumerate(SECRET_KEYS)}
NAMES = text(InitiatorName=INITIATOR_NAME, TargetName=TARGET_NAME)
SECURITY = 0 << 2


def login_with_secrets(size):
    """A login whose keys both sides send in pieces of this size."""
    keys = NAMES + text(**SECRETS)
    for piece, is_last in pieces(keys, size):
        flags = TRANSIT | FULL_FEATURE if is_last else CONTINUE
        yield I(login_request(piece, flags | SECURITY, names=False))
        yield T(login_response(piece, flags | OPERATIONAL))


def memory_of(pid):
    """All that can be read of a process."""
    found = []
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights = line.split()[:2]
            start, end = (int(side, 16) for side in place.split("-"))
            if rights.startswith("r"):
                with contextlib.suppress(OSError, ValueError, OverflowError):  # vvar, vsyscall
                    memory.seek(start)
                    found.append(memory.read(end - start))
    return b"\n".join(found)


class Secrets(TgtdTest):
    TARGET = TARGET

    def setUp(self):
        super().setUp()
        self.target.require_chap(USER, PASSWORD)
        self.target.answer_chap(THEIR_USER, THEIR_PASSWORD)
        self.stage = self.use(Stage())

    def log_in(self):
        """By CHAP, one way and both ways, and with a wrong password; and what no tool can do."""
        mutual = f"?target_user={THEIR_USER}&target_password={THEIR_PASSWORD}"
        for password, more, code in ((PASSWORD, "", 0), (PASSWORD, mutual, 0), ("wrong", "", 10)):
            url = self.target.url(1, login=f"{USER}%{password}") + more
            found, _, said, _ = run(["iscsi-inq", "-i", INITIATOR, url], check=False)
            self.assertEqual(bool(found), bool(code), said)
        for size in (1000, 37):
            self.stage.play(Row(list(login_with_secrets(size)), logs_in=False))

    def test_they_are_nowhere(self):
        ports = self.tgtd.port, self.stage.port
        with Capture(self.tgtd.port) as capture, Serve(*ports) as serve, \
                Trace(*ports, options=["--pdu"]) as pdus, Trace(*ports) as commands, \
                Trace(*ports, output="table") as table:
            watchers = (serve, pdus, commands, table)
            for watcher in watchers:
                watcher.process.signal(signal.SIGSTOP)
            self.log_in()
            capture.stop()
            secrets = self.secrets(capture.file.read_bytes())
            # Nobody has taken anything out of the rings yet.
            for watcher in watchers:
                self.check_memory(watcher, secrets)
                watcher.process.signal(signal.SIGCONT)
            said = serve.scrape().encode()
            for watcher in watchers:
                self.check_memory(watcher, secrets)
            for trace in (pdus, commands, table):
                trace.stop()
                said += trace.output
            said += serve.process.stderr.encode()
        self.assertEqual(self.found(secrets, said), [])
        self.assertIn(TARGET.encode(), said)
        self.assertIn(b'"opcode_name":"Login Request"', said)

    def secrets(self, captured):
        """Those configured, those sent between the scripts, and those of CHAP on the wire."""
        on_the_wire = CHAP_VALUE.findall(captured)
        self.assertEqual({letter for letter, _ in on_the_wire}, {b"N", b"R", b"C"})
        self.assertIn(THEIR_USER.encode(), {value for _, value in on_the_wire})
        return {USER.encode(), PASSWORD.encode(), THEIR_USER.encode(), THEIR_PASSWORD.encode(),
                *(value for _, value in on_the_wire), *map(str.encode, SECRETS.values())}

    @staticmethod
    def found(secrets, where):
        return sorted(secret for secret in secrets if secret in where)

    def check_memory(self, watcher, secrets):
        memory = memory_of(watcher.process.pid)
        with self.subTest(watcher.process.command):
            self.assertEqual(self.found(secrets, memory), [])
            # Names are shown: they are there, so what was looked for would have been found, too.
            for name in (INITIATOR, INITIATOR_NAME):
                self.assertIn(name.encode(), memory)


if __name__ == "__main__":
    main()
