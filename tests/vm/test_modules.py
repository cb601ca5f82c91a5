# SPDX-License-Identifier: Apache-2.0
"""Modules come after lunscope has started, go while it runs, and come again."""

import contextlib

from harness.case import main
from harness.lunscope import Serve
from harness.process import run, wait_until

from guest import GuestTest, unload
from lio import Lio
from open_iscsi import OpenIscsi

INITIATOR = "iqn.2024-01.org.lunscope.test:later"
TARGET = "iqn.2024-01.org.lunscope.test:later"
INITIATOR_MODULES = ("iscsi_tcp", "libiscsi_tcp", "libiscsi", "scsi_transport_iscsi")
# It loads a module for each kind of backstore by itself.
TARGET_MODULES = ("iscsi_target_mod", "target_core_file", "target_core_iblock", "target_core_pscsi",
                  "target_core_user", "target_core_mod")
TARGET_PROBES = {"target_start", "target_complete"}
TIMES = 2


class Modules(GuestTest):

    def setUp(self):
        super().setUp()
        self.serve = self.use(Serve(options=["--source", "iscsi,scsi,target"]))

    def attached(self):
        return {probe.labels["program"] for probe in self.serve.metrics().select("probe_attached")
                if probe.value == 1}

    def wait_for(self, probe, is_attached):
        wait_until(lambda: (probe in self.attached()) == is_attached, 30, f"{probe}: {is_attached}")

    def test_modules_come_and_go(self):
        self.assertNotIn("kernel_consumption", self.attached())
        self.assertEqual(self.attached() & TARGET_PROBES, set())
        commands = 0
        for number in range(TIMES):
            with self.subTest(time=number):
                commands += self.use_both()
                # lunscope does not hold the modules that it watches.
                self.unload_all(*INITIATOR_MODULES)
                self.unload_all(*TARGET_MODULES)
                self.wait_for("target_start", False)
                metrics = self.serve.settled()
                for name in ("commands_total", "scsi_commands_total"):
                    self.assertGreaterEqual(
                        metrics.total(name, role="target", target=TARGET), commands, name)
        self.check_kernel_is_well()

    def use_both(self):
        """Returns how many commands LIO counted."""
        with contextlib.ExitStack() as stack:
            lio = stack.enter_context(Lio(port=3260))
            target = lio.add_target(TARGET)
            lun = target.add_lun()
            self.wait_for("target_start", True)
            initiator = stack.enter_context(OpenIscsi(INITIATOR))
            self.wait_for("kernel_consumption", True)
            disk = stack.enter_context(initiator.login(lio, target)).disk(lun)
            run(["dd", f"if={disk}", "of=/dev/null", "bs=4k", "count=8", "iflag=direct"])
            return target.statistics(lun).commands

    def unload_all(self, *modules):
        """As soon as they are in use no more: a module's last work may be going on."""
        def unloaded():
            with contextlib.suppress(RuntimeError):
                unload(*modules)
                return True
            return False
        wait_until(unloaded, 20, f"{modules} to go")


if __name__ == "__main__":
    main()
