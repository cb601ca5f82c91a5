#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service's unit, as systemd judges it, and the reasons in docs/SECURITY.md."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
UNIT = REPOSITORY / "packaging/lunscope.service"
PAGE = REPOSITORY / "docs/SECURITY.md"
MOST_EXPOSED = 2.3


def security(unit, *options):
    """The verdict of systemd-analyze on the file. Its exit code is 0 if the unit is no more exposed."""
    return subprocess.run(["systemd-analyze", "security", "--offline=true", *options, unit],
                          capture_output=True, text=True, timeout=60, check=False)


def changed_unit(folder, old, new):
    text = UNIT.read_text()
    assert old in text, old
    changed = pathlib.Path(folder, UNIT.name)
    changed.write_text(text.replace(old, new))
    return changed


class UnitFile(unittest.TestCase):

    def is_within(self, unit):
        # The option takes tenths as whole numbers.
        return security(unit, f"--threshold={MOST_EXPOSED * 10:.0f}").returncode == 0

    def test_exposure(self):
        self.assertTrue(self.is_within(UNIT), security(UNIT).stdout)

    def test_a_weaker_unit_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertFalse(self.is_within(changed_unit(folder, "User=lunscope", "User=root")))

    def test_each_point_that_remains_has_its_reason(self):
        points = json.loads(security(UNIT, "--json=short").stdout)
        remaining = {point["name"] for point in points if float(point["exposure"] or 0) > 0}
        table = PAGE.read_text().split("## The service", 1)[1].split("\n## ", 1)[0]
        # A bar in a cell of the table is written \\|.
        explained = {name.replace("\\|", "|")
                     for name in re.findall(r"^\| `([^`]+)` \|", table, re.M)}
        self.assertEqual(remaining, explained)

    def test_no_line_is_wrong(self):
        with tempfile.TemporaryDirectory() as folder:
            unit = changed_unit(folder, "@BINARY@", "/bin/true")
            self.assertEqual(self.complaints(unit), [])
            unit.write_text(unit.read_text().replace("WatchdogSec=30", "WatchdogSeconds=30"))
            self.assertIn("WatchdogSeconds", "".join(self.complaints(unit)))

    def complaints(self, unit):
        said = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True,
                              timeout=60, check=False)
        return [line for line in said.stderr.splitlines() if unit.name in line]


if __name__ == "__main__":
    unittest.main()
