# SPDX-License-Identifier: Apache-2.0
"""A guest boots from tgtd: not one command of the boot is missed, in either role.

QEMU's own initiator serves the guest's BIOS, boot loader and kernel alike.
"""

import collections
import pathlib
import signal
import tempfile

from capture import Capture, by_opcode
from compare import cdb_opcode, check_names, check_nothing_lost, check_same_commands, role_of
from harness import ROOT, LiveTest, main, run
from lunscope import Serve, Trace
from tgtd import Tgtd

GUEST = ROOT / "scripts" / "guest"
IMAGE_SECONDS = 240
BOOT_SECONDS = 120


class Boot(LiveTest):

    def test_boot(self):
        folder = pathlib.Path(self.use(tempfile.TemporaryDirectory(prefix="lunscope-boot-")))
        run([GUEST, "image", folder / "guest.img"], timeout=IMAGE_SECONDS)
        tgtd = self.use(Tgtd())
        target = tgtd.add_target("iqn.2024-01.org.lunscope.test:boot")
        target.add_lun(path=folder / "guest.img")
        with Capture(tgtd.port) as capture, Serve(tgtd.port) as serve, Trace(tgtd.port) as trace:
            run([GUEST, "boot", target.url(1), "--timeout", BOOT_SECONDS],
                timeout=BOOT_SECONDS + 30, death_signal=signal.SIGTERM)
            metrics = serve.settled()
            summary = trace.stop()
            commands = capture.commands()
            records = trace.records()
        self.check(metrics, summary, commands, records)

    def check(self, metrics, summary, commands, records):
        self.assertGreater(sum(command.read_bytes for command in commands), 10 << 20)
        self.assertGreater(sum(command.written_bytes for command in commands), 1 << 20)
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
