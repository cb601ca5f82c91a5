# SPDX-License-Identifier: Apache-2.0
"""An istgt of the test's own: another target in user space, with a thread for each connection.

It reads all of its configuration when it starts, from a file that is written here, and nothing of
/etc. It has no statistics, but can log each command that it queues.
"""

import pathlib
import re
import tempfile

from harness.process import free_port, start

NAME_BASE = "iqn.2026-01.org.lunscope.test"
VENDOR, PRODUCT = "LUNSCOPE", "Disk of istgt"
LUN = 0
_CONTROLLER = "127.0.0.1"
_LISTENERS = pathlib.Path("/proc/net/tcp")
_QUEUED = re.compile(r": Queue\(\d+\), CmdSN=\d+, OP=0x")

_CONFIGURATION = """
[Global]
  NodeBase {base}
  PidFile {folder}/pid
  AuthFile {folder}/auth.conf
  MediaDirectory {folder}
  LogFacility daemon
  Timeout 30
  NopInInterval 60
  DiscoveryAuthMethod None
  MaxSessions 16
  MaxConnections 4
  MaxR2T 32
  MaxOutstandingR2T 16
  FirstBurstLength 262144
  MaxBurstLength 1048576
  MaxRecvDataSegmentLength 262144
  InitialR2T Yes
  ImmediateData Yes
  DataPDUInOrder Yes
  DataSequenceInOrder Yes
  ErrorRecoveryLevel 0
[UnitControl]
  AuthMethod None
[PortalGroup1]
  Portal DA1 {address}:{port}
[InitiatorGroup1]
  InitiatorName "ALL"
  Netmask 127.0.0.1/8
[LogicalUnit1]
  TargetName {name}
  Mapping PortalGroup1 InitiatorGroup1
  AuthMethod {auth_method}
  AuthGroup AuthGroup1
  UseDigest Auto
  UnitType Disk
  UnitInquiry "{vendor}" "{product}" "0001" "10000001"
  QueueDepth 32
  LUN{lun} Storage {folder}/disk.img {mib}MB
"""


class Istgt:
    """istgt on a free port of 127.0.0.1 with one target, one disk.

    `account` are user and password without which nobody may log in; with `talks` it says what it
    does.
    """

    def __init__(self, name="disk", mib=64, account=None, talks=False):
        self.port = free_port()
        self.name = f"{NAME_BASE}:{name}"
        self._unit = name
        self._mib = mib
        self._account = account
        self._words = ["-t", "scsi"] if talks else []
        self._files = tempfile.TemporaryDirectory(prefix="lunscope-istgt-")
        self._process = None

    def __enter__(self):
        folder = pathlib.Path(self._files.name)
        with (folder / "disk.img").open("wb") as disk:
            disk.truncate(self._mib << 20)
        accounts = f'  Auth "{self._account[0]}" "{self._account[1]}"\n' if self._account else ""
        (folder / "auth.conf").write_text(f"[AuthGroup1]\n{accounts}", encoding="ascii")
        (folder / "auth.conf").chmod(0o600)
        (folder / "istgt.conf").write_text(_CONFIGURATION.format(
            base=NAME_BASE, folder=folder, address=_CONTROLLER, port=self.port, name=self._unit,
            auth_method="CHAP" if self._account else "None", vendor=VENDOR, product=PRODUCT,
            lun=LUN, mib=self._mib), encoding="ascii")
        self._process = start(
            ["istgt", "-D", *self._words, "-c", folder / "istgt.conf", "-p", folder / "pid"],
            lambda _: self._listens(), 30, "the portal")
        return self

    def __exit__(self, *_):
        self._process.__exit__()
        self._files.cleanup()

    def _listens(self):
        return f":{self.port:04X} 00000000:0000 0A" in _LISTENERS.read_text(encoding="ascii")

    def commands(self):
        """How many commands it says that it has queued."""
        return len(_QUEUED.findall(self._process.stderr))

    def portal(self):
        """address:port of the portal."""
        return f"{_CONTROLLER}:{self.port}"

    def url(self):
        """The libiscsi URL of the portal, without a target."""
        return f"iscsi://{self.portal()}"

    def lun_url(self, login=""):
        """The libiscsi URL of the disk; `login` is user%password."""
        return f"iscsi://{login}{'@' if login else ''}{self.portal()}/{self.name}/{LUN}"
