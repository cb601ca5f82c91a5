# SPDX-License-Identifier: Apache-2.0
"""A guest boots from tgtd: not one command of the boot is missed, in either role.

QEMU's own initiator serves the guest's BIOS, boot loader and kernel alike. iPXE, the ROM of a
network card, is an initiator by itself: it serves BIOS and boot loader, and the kernel finds no
disk.
"""

import collections
import pathlib
import signal
import tempfile

from harness.capture import Capture, by_opcode
from harness.case import TgtdTest, main
from harness.compare import (cdb_opcode, check_names, check_nothing_lost, check_same_commands,
                             role_of)
from harness.lunscope import Serve, Trace
from harness.process import ROOT, Process, run, wait_until
from harness.witness import measure

GUEST = ROOT / "scripts" / "guest"
IMAGE_SECONDS = 240
BOOT_SECONDS = 200
KERNEL_IS_UP = b"is up"  # scripts/guest.init
IPXE_NAME = "iqn.2024-01.org.lunscope.test:ipxe"
# QEMU's network has the host's loopback at this address. An address without a protocol is TCP's.
IPXE_SCRIPT = """#!ipxe
set initiator-iqn {initiator}
sanboot iscsi:10.0.2.2::{port}:{lun:x}:{target}
"""


class Boot(TgtdTest):
    TARGET = "iqn.2024-01.org.lunscope.test:boot"
    LUNS = 0

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.use(tempfile.TemporaryDirectory(prefix="lunscope-boot-")))
        run([GUEST, "image", self.folder / "guest.img"], timeout=IMAGE_SECONDS)
        self.lun = self.target.add_lun(path=self.folder / "guest.img")

    def test_boot(self):
        self.kinds = {"logged_in", "logged_out", "connection_ended"}
        commands, _ = self.check(lambda: run(
            [GUEST, "boot", self.target.url(self.lun), "--timeout", BOOT_SECONDS],
            timeout=BOOT_SECONDS + 30, death_signal=signal.SIGTERM))
        self.assertGreater(sum(command.written_bytes for command in commands), 1 << 20)

    def test_ipxe(self):
        self.kinds = {"logged_in", "connection_ended"}
        _, records = self.check(self.boot_with_ipxe)
        self.assertEqual({record["initiator"] for record in records}, {IPXE_NAME})

    def boot_with_ipxe(self):
        """Until the kernel runs, which is read then."""
        folder = self.folder / "tftp"
        folder.mkdir(exist_ok=True)
        (folder / "boot.ipxe").write_text(IPXE_SCRIPT.format(
            initiator=IPXE_NAME, port=self.tgtd.port, lun=self.lun, target=self.target.name))
        with Process(["qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-m", 256,
                      "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
                      "-netdev", f"user,id=net,tftp={folder},bootfile=boot.ipxe",
                      "-device", "virtio-net-pci,netdev=net,bootindex=0"]) as qemu:
            wait_until(lambda: KERNEL_IS_UP in qemu.stdout or not qemu.running, BOOT_SECONDS,
                       "the guest's kernel")
            self.assertIn(KERNEL_IS_UP, qemu.stdout, qemu.stderr)

    def check(self, boot):
        """Watch a boot; returns tshark's commands and lunscope's records."""
        metrics, summary, commands, records = measure(lambda: self.watch(boot), self.tgtd.port)
        self.compare(metrics, summary, commands, records)
        return commands, records

    def watch(self, boot):
        with Capture(self.tgtd.port) as capture, Serve(self.tgtd.port) as serve, \
                Trace(self.tgtd.port) as trace:
            boot()
            metrics = serve.settled()
            summary = trace.stop()
            self.check_events(trace.events())
            return metrics, summary, capture.commands(), trace.records()

    def check_events(self, events):
        """A boot is no trouble: logins, and the ends that QEMU or iPXE make of their connections."""
        self.assertEqual({event["event"] for event in events}, self.kinds)

    def compare(self, metrics, summary, commands, records):
        self.assertGreater(sum(command.read_bytes for command in commands), 10 << 20)
        self.assertEqual(summary, (2 * len(commands), 0))
        check_nothing_lost(self, metrics)
        check_names(self, records)
        check_same_commands(self, records, commands)
        names = {cdb_opcode(record): record["command"] for record in records}
        expected = {names.get(opcode, opcode): count
                    for opcode, count in by_opcode(commands).items()}
        for role in ("initiator", "target"):
            with self.subTest(role=role):
                mine = role_of(records, role)
                self.assertEqual(collections.Counter(record["command"] for record in mine),
                                 expected)
                self.assertEqual(metrics.total("commands_reported_total", role=role),
                                 len(commands))
                for metric, field in (("read_bytes_total", "read_bytes"),
                                      ("written_bytes_total", "written_bytes")):
                    self.assertEqual(metrics.total(metric, role=role),
                                     sum(getattr(command, field) for command in commands), metric)


if __name__ == "__main__":
    main()
