# SPDX-License-Identifier: Apache-2.0
"""The kernel's target, LIO, by its configfs, and what it counted.

It has the names of tests/harness/tgtd.py where it can do the same, so that a test can run against
either. It keeps the counts of a LUN until the LUN is removed. A command counts when its LUN has been
found, whether it succeeds or not.
"""

import contextlib
import dataclasses
import pathlib
import tempfile
import uuid

from harness.process import free_port

from guest import CONFIGFS, load, mount_configfs

_TARGET = CONFIGFS / "target"
_CORE, _ISCSI = _TARGET / "core", _TARGET / "iscsi"
_PAGE_BYTES = 4096
# Every initiator may log in, read and write.
_DEMO_MODE = {"authentication": 0, "generate_node_acls": 1, "cache_dynamic_acls": 1,
              "demo_mode_write_protect": 0}
_ACL_MODE = {"authentication": 0, "generate_node_acls": 0}


@dataclasses.dataclass(frozen=True)
class LunStatistics:
    """The work of all sessions on one LUN. Megabytes are whole ones, of the bytes asked for."""

    commands: int
    read_mebibytes: int
    written_mebibytes: int


class Target:
    """One iSCSI target with one portal group; made by Lio.add_target."""

    def __init__(self, lio, name):
        self._lio = lio
        self.name = name
        self._folder = _ISCSI / name
        self._portal_group = self._folder / "tpgt_1"
        self._backstores = {}
        self._initiators = []

    def make(self, parameters, initiators):
        self._portal_group.mkdir(parents=True)
        for address in self._lio.addresses:
            (self._portal_group / "np" / self._lio.portal(address)).mkdir()
        for name, value in (_ACL_MODE if initiators else _DEMO_MODE).items():
            _write(self._portal_group / "attrib" / name, value)
        for name, value in parameters.items():
            _write(self._portal_group / "param" / name, value)
        # LIO takes this key not from the parameters.
        level = parameters.get("ErrorRecoveryLevel", 0)
        _write(self._portal_group / "attrib" / "default_erl", level)
        for name in initiators:
            acl = self._portal_group / "acls" / name
            acl.mkdir()
            _write(acl / "attrib" / "default_erl", level)
            self._initiators.append(name)
        _write(self._portal_group / "enable", 1)

    def add_lun(self, size=64 << 20, number=None, kind="fileio", device=None):
        """Add a LUN of this number, by default the next from 1 on; `kind`: fileio, ramdisk, or
        iblock, which is the block device `device`.
        """
        number = number or max(self._backstores, default=0) + 1
        backstore = self._lio.make_backstore(size, kind, device)
        self._backstores[number] = backstore
        lun = self._portal_group / "lun" / f"lun_{number}"
        lun.mkdir()
        (lun / "backstore").symlink_to(backstore)
        for name in self._initiators:
            mapped = self._portal_group / "acls" / name / f"lun_{number}"
            mapped.mkdir()
            (mapped / "lun").symlink_to(lun)
        return number

    def url(self, lun, host=None):
        """The libiscsi URL of a LUN."""
        return f"iscsi://{self._lio.portal(host)}/{self.name}/{lun}"

    def statistics(self, lun):
        """The work on a LUN since it was added."""
        folder = self._backstores[lun] / "statistics" / "scsi_lu"
        return LunStatistics(*(int((folder / name).read_text())
                               for name in ("num_cmds", "read_mbytes", "write_mbytes")))

    def counters(self, group, initiator=None):
        """{name: number} of a folder of fabric_statistics; of an ACL's one where it is named."""
        holder = self._portal_group / "acls" / initiator if initiator else self._folder
        values = {}
        for path in (holder / "fabric_statistics" / group).iterdir():
            with contextlib.suppress(ValueError):
                values[path.name] = int(path.read_text())
        return values

    def session_text(self, initiator):
        """LIO's description of the session of an initiator that has an ACL."""
        return (self._portal_group / "acls" / initiator / "info").read_text()

    def set_attributes(self, initiator, **values):
        """Those of an ACL, for instance dataout_timeout=2, in seconds."""
        for name, value in values.items():
            _write(self._portal_group / "acls" / initiator / "attrib" / name, value)

    def remove(self):
        group = self._portal_group
        if not group.exists():
            return
        _write(group / "enable", 0)  # ends its sessions
        for name in self._initiators:
            acl = group / "acls" / name
            for number in self._backstores:
                (acl / f"lun_{number}" / "lun").unlink(missing_ok=True)
                (acl / f"lun_{number}").rmdir()
            acl.rmdir()
        for number, backstore in self._backstores.items():
            lun = group / "lun" / f"lun_{number}"
            (lun / "backstore").unlink(missing_ok=True)
            lun.rmdir()
            backstore.rmdir()
        for address in self._lio.addresses:
            (group / "np" / self._lio.portal(address)).rmdir()
        group.rmdir()
        self._folder.rmdir()


class Lio:
    """LIO on a port, by default a free one, of all its addresses; the first is that of its URLs."""

    def __init__(self, addresses=("127.0.0.1",), port=None):
        self.addresses = addresses
        self.port = port or free_port()
        self.targets = []
        self._backstores = []
        self._files = tempfile.TemporaryDirectory(prefix="lunscope-lio-")
        self.folder = pathlib.Path(self._files.name)

    def __enter__(self):
        mount_configfs()
        for module in ("target_core_file", "iscsi_target_mod"):
            load(module)
        _ISCSI.mkdir(exist_ok=True)
        return self

    def __exit__(self, *_):
        for target in self.targets:
            target.remove()
        for host in {backstore.parent for backstore in self._backstores}:
            host.rmdir()
        _ISCSI.rmdir()
        self._files.cleanup()

    def add_target(self, name, initiators=(), **parameters):
        """A target of this name. Only `initiators` may log in, or everybody when none is named.

        `parameters` are keys of the negotiation (RFC 7143, section 13), for instance
        ErrorRecoveryLevel=2.
        """
        target = Target(self, name)
        self.targets.append(target)
        target.make(parameters, initiators)
        return target

    def make_backstore(self, size, kind, device=None):
        number = len(self._backstores)
        if kind == "fileio":
            file = self.folder / f"lun{number}.img"
            with file.open("wb") as image:
                image.truncate(size)
            host, control = "fileio_0", f"fd_dev_name={file},fd_dev_size={size}"
        elif kind == "iblock":
            load("target_core_iblock")
            host, control = "iblock_0", f"udev_path={device}"
        else:
            host, control = "rd_mcp_0", f"rd_pages={size // _PAGE_BYTES}"
        backstore = _CORE / host / f"lunscope{number}"
        backstore.mkdir(parents=True)
        self._backstores.append(backstore)
        _write(backstore / "control", control)
        # As targetcli does: without it LIO has no VPD pages, and so no names.
        _write(backstore / "wwn/vpd_unit_serial", uuid.uuid4())
        _write(backstore / "enable", 1)
        return backstore

    def portal(self, host=None):
        """address:port of a portal."""
        host = host or self.addresses[0]
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def _write(path, value):
    path.write_text(f"{value}\n", encoding="ascii")
