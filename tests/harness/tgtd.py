# SPDX-License-Identifier: Apache-2.0
"""A tgtd of the test's own, and what it counted.

tgtd keeps its statistics per session and logical unit, and drops them when the session ends: they
can be compared only while the initiator is still logged in. `*_submitted_*` counts every command
that names a data direction (its R or W bit), with its Expected Data Transfer Length, READ CAPACITY
and INQUIRY as much as READ; commands without data are counted nowhere. `*_done_*` counts what was
answered, with the bytes that moved, and `errors` the answers whose status was not GOOD.
"""

import collections
import dataclasses
import pathlib
import random
import tempfile

from harness.process import Process, free_port, run, wait_until

_RUN = pathlib.Path("/var/run/tgtd")
_BUSY_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class LunStatistics:
    """One line of `tgtadm --op stat`: one logical unit as one session used it."""

    target_id: int
    lun: int
    session: int
    read_submitted_bytes: int
    read_submitted_commands: int
    read_done_bytes: int
    read_done_commands: int
    written_submitted_bytes: int
    written_submitted_commands: int
    written_done_bytes: int
    written_done_commands: int
    errors: int


class Target:
    """One iSCSI target; made by Tgtd.add_target."""

    def __init__(self, tgtd, target_id, name):
        self._tgtd = tgtd
        self.id = target_id
        self.name = name
        self._luns = 0

    def add_lun(self, size=64 << 20, path=None, device_type="disk", number=None,
                backing_type="rdwr", open_flags=()):
        """Add the next LUN, backed by a new sparse file of `size` bytes, or by `path`.

        `device_type`, `backing_type` and `open_flags` are tgtadm's words for it.
        """
        self._luns = self._luns + 1 if number is None else number
        if path is None:
            path = self._tgtd.folder / f"target{self.id}-lun{self._luns}.img"
            with path.open("wb") as file:
                file.truncate(size)
        self._tgtd.admin("logicalunit", "new", "--tid", self.id, "--lun", self._luns,
                         "--device-type", device_type, "--backing-store", path,
                         *(["--bstype", backing_type] if device_type in ("disk", "pt") else []),
                         *(["--bsoflags", *open_flags] if open_flags else []))
        return self._luns

    def add_tape(self, barcode):
        """Add a tape drive with a medium in it."""
        return self.add_lun(path=self._new_medium(barcode), device_type="tape")

    def add_changer(self, barcode, drive):
        """Add a changer of two slots, a medium with this barcode in the first, and a tape drive."""
        self._new_medium(barcode)
        changer = self.add_lun(size=0, device_type="changer")
        elements = [f"element_type={kind},start_address={start},quantity={quantity}"
                    for kind, start, quantity in ((1, 1, 1), (2, 1000, 2), (3, 2000, 1),
                                                  (4, 500, 1))]
        for parameters in (f"media_home={self._tgtd.folder}", *elements,
                           f"element_type=4,address=500,tid={self.id},lun={drive}",
                           f"element_type=2,address=1000,barcode={barcode},sides=1"):
            self._tgtd.admin("logicalunit", "update", "--tid", self.id, "--lun", changer,
                             "--params", parameters)
        return changer

    def _new_medium(self, barcode):
        path = self._tgtd.folder / barcode
        run(["tgtimg", "--op", "new", "--device-type", "tape", "--barcode", barcode, "--size", 100,
             "--type", "data", "--file", path, "--thin-provisioning"])
        return path

    def require_chap(self, user, password):
        """Only `user` with `password` may log in from now on."""
        self._tgtd.admin("account", "new", "--user", user, "--password", password)
        self._tgtd.admin("account", "bind", "--tid", self.id, "--user", user)

    def answer_chap(self, user, password):
        """Where an initiator wants to know who it is, it says so with this."""
        self._tgtd.admin("account", "new", "--user", user, "--password", password)
        self._tgtd.admin("account", "bind", "--tid", self.id, "--user", user, "--outgoing")

    def update(self, name, value):
        """Set a negotiable parameter, for instance MaxQueueCmd."""
        self._tgtd.admin("target", "update", "--tid", self.id, "--name", name, "--value", value)

    def url(self, lun, host=None, login=""):
        """The libiscsi URL of a LUN; `login` is user%password."""
        return f"{self._tgtd.url(host, login)}/{self.name}/{lun}"


class Tgtd:
    """tgtd on a free port or on `port`, the same on all its addresses; the first is in its URLs.

    `prefix` are words before its command line, which bring it to another namespace.
    """

    def __init__(self, prefix=(), addresses=("127.0.0.1", "::1"), port=None):
        self.port = port or free_port()
        self._prefix = prefix
        self._addresses = addresses
        self.targets = []
        self._files = tempfile.TemporaryDirectory(prefix="lunscope-tgtd-")
        self.folder = pathlib.Path(self._files.name)
        self.process = None
        self.control = None

    def __enter__(self):
        for _ in range(5):
            self.control = random.randrange(1000, 30000)
            if not self._socket().exists() and self._start():
                return self
        raise RuntimeError("tgtd did not start")

    def __exit__(self, *_):
        self._stop()
        self._files.cleanup()

    def _socket(self):
        return _RUN / f"socket.{self.control}"

    def _start(self):
        portals = ",".join(f"portal={self.portal(address)}" for address in self._addresses)
        self.process = Process([*self._prefix, "tgtd", "-f", "-C", self.control,
                                "--iscsi", portals])
        try:
            wait_until(lambda: self._socket().exists() or not self.process.running, 30,
                       "the control socket of tgtd")
            if self.process.running:
                wait_until(self._has_portals, 30, "the portals of tgtd")
                return True
        except BaseException:
            self._stop()
            raise
        self._stop()
        return False

    def _has_portals(self):
        # The file of its socket is there a moment before tgtd listens on it, and tgtadm fails then.
        code, portals, _, _ = self._run_tgtadm("portal", "show", check=False)
        return code == 0 and f":{self.port}" in portals

    def _stop(self):
        if self.process is not None:
            # tgtd waits for its initiators after SIGTERM, so it is not asked politely, and what it
            # then leaves behind is removed for it.
            self.process.__exit__()
            self.process = None
            for path in (self._socket(), pathlib.Path(f"{self._socket()}.lock")):
                path.unlink(missing_ok=True)

    def admin(self, mode, operation, *words):
        """One tgtadm command; returns its output."""
        return self._run_tgtadm(mode, operation, *words)[1]

    def _run_tgtadm(self, mode, operation, *words, check=True):
        return run(["tgtadm", "-C", self.control, "--lld", "iscsi", "--mode", mode,
                    "--op", operation, *words], check=check)

    def add_target(self, name):
        target = Target(self, len(self.targets) + 1, name)
        self.admin("target", "new", "--tid", target.id, "--targetname", name)
        self.admin("target", "bind", "--tid", target.id, "--initiator-address", "ALL")
        self.targets.append(target)
        return target

    def portal(self, host=None):
        """address:port of a portal."""
        host = host or self._addresses[0]
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def url(self, host=None, login=""):
        """The libiscsi URL of a portal, without a target."""
        return f"iscsi://{login}{'@' if login else ''}{self.portal(host)}"

    def statistics(self):
        """The counts of every LUN by session, of sessions that are still logged in."""
        lines = self.admin("sys", "stat").splitlines()[1:]
        return [LunStatistics(*map(int, line.split())) for line in lines]

    def wait_for_commands(self, count, sessions=1):
        """Return when each of so many sessions has had so many commands with data answered."""
        wait_until(lambda: sum(answered >= count for answered in self.answered()) >= sessions,
                   _BUSY_SECONDS, f"{count} commands")

    def answered(self):
        """How many commands with data have been answered, of each session."""
        done = collections.Counter()
        for line in self.statistics():
            done[line.target_id, line.session] += (line.read_done_commands
                                                   + line.written_done_commands)
        return list(done.values())

    def idle_statistics(self, lun):
        """The only session's counts of a LUN; None while commands are being answered."""
        before, after = ([line for line in self.statistics() if line.lun == lun]
                         for _ in range(2))
        is_idle = before == after and len(after) == 1 and \
            after[0].read_done_commands == after[0].read_submitted_commands
        return after[0] if is_idle else None
