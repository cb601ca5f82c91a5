# SPDX-License-Identifier: Apache-2.0
"""`scripts/install-unit` on a host with systemd: the service starts, is limited, serves, reloads,
starts again after its death and when it hangs, and goes.
"""

import os
import pathlib
import signal
import urllib.request

from harness.case import main
from harness.checked import CAPABILITIES
from harness.libiscsi import GOOD, Libiscsi
from harness.lunscope import Metrics
from harness.process import ROOT, Process, run, status_of, text_of, wait_until
from harness.tgtd import Tgtd

from guest import GuestTest

INSTALL = ROOT / "scripts/install-unit"
UNIT = "lunscope.service"
UNITS = pathlib.Path("/run/systemd/system")
ROOTS = ("/lib/systemd/system", "/etc/systemd/system")
DEFAULTS = pathlib.Path("/etc/default/lunscope")
PAGE = "http://127.0.0.1:13260/metrics"
SECONDS = 120
# Under emulation the service may be late by some seconds.
WATCHDOG_SECONDS = 20

# Every service waits for these units. Here they are empty: the guest has no other services.
BARE = {"sysinit.target": "", "basic.target": "", "test.target": ""}


class Systemd:
    """systemd as the first process of a PID namespace, with this guest's files."""

    def __enter__(self):
        UNITS.mkdir(parents=True)
        for name, text in BARE.items():
            (UNITS / name).write_text(f"[Unit]\nDescription={name}\nDefaultDependencies=no\n{text}")
        # These targets want services of the host, of which one empties /tmp.
        for wanted in (path for root in ROOTS for target in BARE
                       for path in pathlib.Path(root).glob(f"{target}.wants/*")):
            (UNITS / wanted.name).unlink(missing_ok=True)
            (UNITS / wanted.name).symlink_to("/dev/null")
        self._process = Process(
            ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "env",
             "container=lunscope-test", "/lib/systemd/systemd", "--unit=test.target",
             "--show-status=no", "--log-target=console"])
        children = f"/proc/{self._process.pid}/task/{self._process.pid}/children"
        self._first = wait_until(lambda: text_of(children).strip(), SECONDS, "the namespace")
        self._process.wait_for(lambda: self.run("systemctl", "is-active", "test.target",
                                                check=False) == "active", SECONDS, "systemd")
        return self

    def __exit__(self, *_):
        self._process.__exit__()

    def run(self, *command, check=True):
        """A command in the namespace: systemd takes orders from no process that it cannot see.
        Returns what it said.
        """
        return run(["nsenter", "--pid", "--mount", "--target", self._first, *command],
                   timeout=SECONDS, check=check)[1].strip()

    def property(self, name):
        return self.run("systemctl", "show", f"--property={name}", "--value", UNIT)


class Service(GuestTest):

    def setUp(self):
        super().setUp()
        self.systemd = self.use(Systemd())
        self.tgtd = self.use(Tgtd())
        self.target = self.tgtd.add_target("iqn.2024-01.org.lunscope.test:service")
        self.lun = self.target.add_lun()
        self.set_options("--no-syscall-filter")
        self.addCleanup(self.systemd.run, INSTALL, "--remove", check=False)

    def set_options(self, more=""):
        """An installation leaves them as it finds them."""
        DEFAULTS.write_text(f'LUNSCOPE_OPTIONS="--port {self.tgtd.port} {more}"\n')

    def page(self):
        with urllib.request.urlopen(PAGE, timeout=20) as response:
            return Metrics(response.read().decode())

    def process(self):
        """The number of the service's process, here and not in its namespace."""
        found = [int(name) for name in os.listdir("/proc") if name.isdigit()
                 and text_of(f"/proc/{name}/cmdline").startswith("/usr/local/bin/lunscope\0")]
        return found[0] if len(found) == 1 else None

    def wait_for_another(self, before):
        number = wait_until(lambda: (now := self.process()) != before and now, SECONDS,
                            f"another process than {before}")
        wait_until(lambda: self.systemd.property("ActiveState") == "active", SECONDS, "active")
        return number

    def test_service(self):
        self.systemd.run(INSTALL)
        process = self.process()
        filters = self.filters(process)
        self.set_options()
        self.systemd.run("systemctl", "restart", UNIT)
        process = self.wait_for_another(process)
        self.check_limits(process, filters)
        self.check_it_counts()
        self.systemd.run("systemctl", "reload", UNIT)
        self.assertTrue(self.page().select("probe_attached"))
        self.assertEqual(self.process(), process)
        self.assertEqual(self.systemd.property("NRestarts"), "0")
        os.kill(process, signal.SIGKILL)
        process = self.wait_for_another(process)
        self.check_it_counts()
        self.check_it_may_not_hang(process)
        self.systemd.run(INSTALL, "--remove")
        self.assertIsNone(self.process())
        self.assertFalse(pathlib.Path("/usr/local/bin/lunscope").exists())
        self.assertNotEqual(run(["getent", "passwd", "lunscope"], check=False)[0], 0)
        self.check_kernel_is_well()

    def filters(self, process):
        return int(status_of(f"/proc/{process}/status")["Seccomp_filters"])

    def check_limits(self, process, filters_of_systemd):
        wait_until(lambda: self.filters(process) == filters_of_systemd + 2, SECONDS,
                   "the two filters that lunscope adds")
        status = status_of(f"/proc/{process}/status")
        kept = 1 << CAPABILITIES["CAP_PERFMON"] | 1 << CAPABILITIES["CAP_BPF"]
        for name in ("CapPrm", "CapEff"):
            self.assertEqual(int(status[name], 16), kept, name)
        user = run(["id", "-u", "lunscope"])[1].strip()
        self.assertEqual(status["Uid"].split(), [user] * 4)
        self.assertEqual(status["NoNewPrivs"], "1")

    def check_it_counts(self):
        """The commands of a session that begins now."""
        before = self.page().total("commands_total", role="target")
        name = "iqn.2024-01.org.lunscope.test:service-initiator"
        with Libiscsi(name, f"127.0.0.1:{self.tgtd.port}", self.target.name) as session:
            session.wait_until_ready(self.lun)
            for _ in range(10):
                self.assertEqual(session.command("testunitready", self.lun), GOOD)
        wait_until(lambda: self.page().total("commands_total", role="target") - before
                   == session.commands, SECONDS, f"{session.commands} commands")

    def check_it_may_not_hang(self, process):
        """The watchdog ends a service that says nothing any more, and systemd starts another."""
        folder = UNITS / f"{UNIT}.d"
        folder.mkdir()
        (folder / "watchdog.conf").write_text(f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}\n")
        self.systemd.run("systemctl", "daemon-reload")
        self.systemd.run("systemctl", "restart", UNIT)
        process = self.wait_for_another(process)
        os.kill(process, signal.SIGSTOP)
        self.wait_for_another(process)


if __name__ == "__main__":
    main()
