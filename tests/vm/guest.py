# SPDX-License-Identifier: Apache-2.0
"""Only in a guest of tests/vm/run does a test have a kernel whose modules it may change."""

import pathlib
import re

from harness.case import LiveTest
from harness.process import run

CONFIGFS = pathlib.Path("/sys/kernel/config")


def load(module, **parameters):
    """Load a module and what it needs."""
    run(["modprobe", module, *(f"{name}={value}" for name, value in parameters.items())])


def unload(*modules):
    run(["modprobe", "--remove", *modules])


def module_has(module, parameter):
    """Does this kernel's module know the parameter?"""
    said = run(["modinfo", "-F", "parm", module])[1]
    return any(line.startswith(f"{parameter}:") for line in said.splitlines())


def mount_configfs():
    load("configfs")
    if not CONFIGFS.is_mount():
        run(["mount", "-t", "configfs", "none", CONFIGFS])


class GuestTest(LiveTest):
    """A test that would spoil the machine it is started on by mistake: it refuses to."""

    def setUp(self):
        super().setUp()
        if "lunscope.modules=" not in pathlib.Path("/proc/cmdline").read_text():
            self.fail("this test changes the kernel it runs on: run it with tests/vm/run")

    def set_kernel(self, name, value):
        """A setting of sysctl kernel.NAME, until the test ends."""
        path = pathlib.Path("/proc/sys/kernel", name)
        self.addCleanup(path.write_text, path.read_text())
        path.write_text(value)

    def check_kernel_is_well(self):
        self.assertEqual(re.findall(r"BUG: .*|Oops: .*", run(["dmesg"])[1]), [])
