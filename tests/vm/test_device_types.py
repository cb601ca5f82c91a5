# SPDX-License-Identifier: Apache-2.0
"""The kernel's initiator with tgtd's tape and changer, driven by the tools that people use.

mt and dd go through the kernel's tape driver, mtx and sg3-utils through its generic one. Every
command has a name of its device's standard, or of SPC, and none a disk's. To be run with
tests/vm/run.
"""

import pathlib

from harness.capture import Capture
from harness.case import main
from harness.compare import ROLES, check_nothing_lost, check_same_commands, role_of
from harness.devices import add_devices
from harness.lunscope import Serve, Trace
from harness.process import run, wait_until
from harness.tgtd import Tgtd

from guest import GuestTest, load
from open_iscsi import OpenIscsi

MODULES = ("sg", "st", "sr_mod", "sd_mod")
PASSED_LUN = 7
FAR_LUN = 300  # in flat space; the kernel calls a LUN by its first two bytes
FAR_LUN_NAME = 0x4000 | FAR_LUN

# {tape}, {changer} and {far} are device files. A command that tgtd does not know fails, and has its
# name all the same.
TAPE_TOOLS = (
    "mt -f {tape} status", "mt -f {tape} rewind", "dd if=/dev/zero of={tape} bs=10240 count=20",
    "mt -f {tape} weof 2", "mt -f {tape} rewind", "mt -f {tape} fsf 1", "mt -f {tape} tell",
    "mt -f {tape} rewind", "dd if={tape} of=/dev/null bs=10240", "mt -f {tape} seek 3",
    "mt -f {tape} erase", "mt -f {tape} offline",
)
CHANGER_TOOLS = (
    "mtx -f {changer} inventory", "mtx -f {changer} status", "mtx -f {changer} load 1 0",
    "mtx -f {changer} unload 2 0", "mtx -f {changer} position 1", "sg_inq {changer}",
    "sg_luns {changer}",
)
DISK_TOOLS = ("dd if={far} of=/dev/null bs=4096 count=16 iflag=direct",)
# By tgtadm's word for the type: the names that the tools' commands have in SSC-4 and SMC-3.
NAMES = {
    "tape": {"Read Block Limits", "Rewind", "Write(6)", "Read(6)", "Write filemarks(6)", "Space(6)",
             "Read position, short form - vendor specific", "Locate(10)", "Erase(6)",
             "Load unload"},
    "changer": {"Initialize element status", "Read element status", "Move medium",
                "Position to element"},
}
SPC_NAMES = {"Inquiry", "Test Unit Ready", "Mode sense(6)", "Mode select(6)", "Report luns",
             "Request Sense", "Prevent allow medium removal", "Log sense",
             "Report supported operation codes"}


def device_file(lun, kind, pattern="*"):
    """The file of a LUN that a driver of this kind made; there is one session."""
    names = wait_until(lambda: sorted(path.name for path in pathlib.Path(
        "/sys/class/scsi_device").glob(f"*:{lun}/device/{kind}/{pattern}")), 60,
        f"a device of LUN {lun}, {kind}")
    return f"/dev/{names[0]}"


class DeviceTypes(GuestTest):

    def setUp(self):
        super().setUp()
        for module in MODULES:
            load(module)
        self.tgtd = self.use(Tgtd())
        self.target = self.tgtd.add_target("iqn.2026-01.org.lunscope.test:library")
        self.luns = add_devices(self.target)
        self.target.add_lun(number=FAR_LUN)
        self.initiator = self.use(OpenIscsi("iqn.2026-01.org.lunscope.test:kernel"))

    def files(self):
        return {"tape": device_file(self.luns["tape"], "scsi_tape", "nst?"),
                "changer": device_file(self.luns["changer"], "scsi_generic"),
                "far": device_file(FAR_LUN_NAME, "block")}

    def use_tools(self, tools):
        files = self.files()
        for words in tools:
            run(words.format(**files).split(), timeout=60, check=False)

    def check_names(self, records, devices):
        for role in ROLES:
            for device in devices:
                names = {record["command"] for record in role_of(records, role)
                         if record["lun"] == str(self.luns[device])}
                with self.subTest(role=role, device=device):
                    self.assertLessEqual(NAMES[device], names)
                    self.assertEqual(names - NAMES[device] - SPC_NAMES, set())

    def test_tools(self):
        with Capture(self.tgtd.port) as capture, Serve(self.tgtd.port) as serve, \
                Trace(self.tgtd.port) as trace:
            with self.initiator.login(self.tgtd, self.target):
                self.use_tools(TAPE_TOOLS + CHANGER_TOOLS + DISK_TOOLS)
            metrics = serve.settled()
            _, lost = trace.stop()
            commands = capture.commands()
            records = trace.records()
        print(f"{len(commands)} commands of {len(TAPE_TOOLS + CHANGER_TOOLS)} tools")
        self.assertEqual(lost, 0)
        self.check_names(records, NAMES)
        check_same_commands(self, records, commands)
        check_nothing_lost(self, metrics)
        for role in ROLES:
            blocks = sum(record.get("blocks", 0) for record in role_of(records, role)
                         if record["lun"] == str(FAR_LUN) and record["command"] == "Read(10)")
            self.assertGreaterEqual(blocks, 16 * 4096 // 512, role)

    def test_pass_through(self):
        """tgtd hands each command to a device of this kernel, and does not know what that is."""
        load("scsi_debug")
        name, = (path.name for path in pathlib.Path("/sys/bus/pseudo/drivers/scsi_debug").glob(
            "adapter*/host*/target*/*/scsi_generic/*"))
        lun = self.target.add_lun(path=f"/dev/{name}", device_type="pt", backing_type="sg",
                                  number=PASSED_LUN)
        with Capture(self.tgtd.port) as capture, Serve(self.tgtd.port) as serve, \
                Trace(self.tgtd.port) as trace:
            with self.initiator.login(self.tgtd, self.target):
                disk = device_file(lun, "block")
                run(["dd", f"if={disk}", "of=/dev/null", "bs=4096", "count=16", "iflag=direct"])
            metrics = serve.settled()
            trace.stop()
            check_same_commands(self, trace.records(), capture.commands())
            records = [record for record in trace.records() if record["lun"] == str(lun)]
        for role in ROLES:
            mine = role_of(records, role)
            self.assertIn("Read(10)", {record["command"] for record in mine})
            self.assertFalse([record for record in mine
                              if record["command"] == "Read(10)" and "lba" not in record])
            self.assertEqual(metrics.total("lun_info", role=role, lun=str(lun), vendor="Linux",
                                           model="scsi_debug"), 1)

    def test_session_that_was_there_before(self):
        """The type of the device comes from the kernel for its initiator, from tgtd for its target."""
        with self.initiator.login(self.tgtd, self.target), Trace(self.tgtd.port) as trace:
            tape = self.files()["tape"]

            def is_named():
                run(["mt", "-f", tape, "status"], check=False)
                return {record["role"] for record in trace.records()
                        if "names_from" in record} == set(ROLES)

            wait_until(is_named, 60, "the names of a session that was there before")
            self.use_tools(TAPE_TOOLS)
            trace.stop()
            self.check_names([record for record in trace.records() if "names_from" in record],
                             ("tape",))


if __name__ == "__main__":
    main()
