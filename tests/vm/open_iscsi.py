# SPDX-License-Identifier: Apache-2.0
"""The kernel's initiator: an iscsid of the test's own, its sessions, and what they counted.

The kernel counts per session and forgets with it. It counts all bytes of PDUs from the login on, a
Data-In when it has data, and a response for each status, also for one that came in a Data-In.
iscsid's database lies in /etc/iscsi, which in a guest of tests/vm/run is gone with the guest.
"""

import json
import pathlib
import re
import tempfile

from harness.process import run, start, wait_until

from guest import load

_RUNNING_SECONDS = 60
_CONTROL = "@ISCSIADM_ABSTRACT_NAMESPACE"
_SYSFS = pathlib.Path("/sys/class/iscsi_session")
# There is no systemd to start anything, and a test does not want to wait for what is gone. A ping
# changes the counts of a session. To read all of them takes a slow guest more than 5 s, the default.
_CONFIG = """
node.startup = manual
node.leading_login = No
node.session.timeo.replacement_timeout = 20
node.conn[0].timeo.login_timeout = 30
node.conn[0].timeo.logout_timeout = 30
node.conn[0].timeo.noop_out_interval = 60
node.conn[0].timeo.noop_out_timeout = 60
"""


class Session:
    """One login; `OpenIscsi.login` makes it."""

    def __init__(self, number, record):
        self.number = number
        self._record = record
        self._folder = _SYSFS / f"session{number}" / "device"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._folder.exists():
            self.logout()

    def disk(self, lun):
        """The device file of a LUN, as soon as the kernel has it."""
        pattern = f"target*/*:{lun}/block/*"
        names = wait_until(lambda: [path.name for path in self._folder.glob(pattern)],
                           _RUNNING_SECONDS, f"the disk of LUN {lun}")
        device = pathlib.Path("/dev", names[0])
        wait_until(device.is_block_device, _RUNNING_SECONDS, str(device))
        return device

    def statistics(self):
        """{name: number} of `iscsiadm -m session -s`."""
        _, said, _, _ = run(["iscsiadm", "-m", "session", "-r", self.number, "-s"])
        return {name: int(number) for name, number in re.findall(r"^\s+(\w+): (\d+)$", said, re.M)}

    def logout(self):
        run([*self._record, "--logout"], timeout=60)


def _attached_reading_hooks():
    """How many observers see the kernel's initiator read."""
    code, said, _, _ = run(["bpftool", "-j", "link", "show"], check=False)
    links = json.loads(said) if code == 0 else []  # one came or went meanwhile
    return sum(link.get("attach_type") == "trace_fentry" for link in links)


def wait_for_reading_hooks(observers):
    """REQUIRES: iscsi_tcp is loaded. A login within the second before the hook is there can have
    gaps, and commands without all of their phases: a slow guest's initiator is to log in late.
    """
    wait_until(lambda: _attached_reading_hooks() == observers, 60, "the reading hooks")


class OpenIscsi:
    """iscsid, in the foreground. `parameters` are those of the module iscsi_tcp."""

    def __init__(self, name, **parameters):
        self._name = name
        self._parameters = parameters
        self._files = tempfile.TemporaryDirectory(prefix="lunscope-iscsid-")
        self._process = None

    def __enter__(self):
        load("iscsi_tcp", **self._parameters)
        load("sd_mod")  # a host's udev does
        folder = pathlib.Path(self._files.name)
        (folder / "initiatorname").write_text(f"InitiatorName={self._name}\n", encoding="ascii")
        (folder / "iscsid.conf").write_text(_CONFIG, encoding="ascii")
        self._process = start(
            ["iscsid", "--foreground", "--config", folder / "iscsid.conf",
             "--initiatorname", folder / "initiatorname"],
            lambda _: _CONTROL in pathlib.Path("/proc/net/unix").read_text(), _RUNNING_SECONDS,
            "the control socket")
        return self

    def __exit__(self, *_):
        self._process.__exit__()
        self._files.cleanup()

    def login(self, server, target, **settings):
        """Log in to a target of a Tgtd or Lio.

        `settings` are those of the record below node.conn[0].iscsi or node.session.iscsi, or have
        their full names.
        """
        record = ["iscsiadm", "-m", "node", "-T", target.name, "-p", server.portal()]
        run([*record, "-o", "new"])
        for name, value in settings.items():
            place = "conn[0]" if name in ("HeaderDigest", "DataDigest",
                                          "MaxRecvDataSegmentLength") else "session"
            full = name if name.startswith("node.") else f"node.{place}.iscsi.{name}"
            run([*record, "-o", "update", "-n", full, "-v", value])
        before = set(_SYSFS.glob("session*"))
        run([*record, "--login"], timeout=90)
        session, = set(_SYSFS.glob("session*")) - before
        return Session(int(session.name.removeprefix("session")), record)
