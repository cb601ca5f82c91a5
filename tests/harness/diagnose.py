# SPDX-License-Identifier: Apache-2.0
"""`lunscope diagnose` as a test uses it: live until it is stopped, and of a capture."""

import json
import signal

from harness.process import LUNSCOPE, run, start

_START_SECONDS = 60
_STOP_SECONDS = 20
FINDINGS = 10  # the exit code if there is a warning, or worse


class Report:
    """Its words and its exit code."""

    def __init__(self, code, text):
        self.code = code
        self.said = json.loads(text)
        self.findings = self.said["findings"]

    def ids(self, role):
        """{id: severity} of what was found at this end."""
        return {finding["finding"]: finding["severity"] for finding in self.findings
                if finding["subject"]["role"] == role}

    def sentence(self, name, role):
        """The sentence of the one finding with this id at this end."""
        sentence, = (finding["sentence"] for finding in self.findings
                     if (finding["finding"], finding["subject"]["role"]) == (name, role))
        return sentence


class Diagnose:
    """On some ports, from attached to ended."""

    def __init__(self, *ports, options=()):
        words = [word for port in ports for word in ("--port", port)]
        self._command = [LUNSCOPE, "diagnose", "-o", "json", "--duration", "1h", *words, *options]
        self.process = None

    def __enter__(self):
        self.process = start(self._command, lambda process: "watching " in process.stderr,
                             _START_SECONDS, "lunscope diagnose")
        return self

    def __exit__(self, *_):
        self.process.__exit__()

    def stop(self):
        """End it as a person does."""
        self.process.signal(signal.SIGINT)
        code = self.process.wait(_STOP_SECONDS)
        return Report(code, self.process.stdout.decode("utf-8"))


def diagnose_capture(file, *words):
    code, out, _, _ = run([LUNSCOPE, "diagnose", file, "-o", "json", *words], timeout=60,
                          check=False)
    return Report(code, out)
