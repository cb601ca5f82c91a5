#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds golden.metrics, a whole scrape, to what Prometheus asks of it.

golden_test compares lunscope's output with the file; here promtool reads it, and every metric that
the catalogue names must have a sample in it, for the dashboards are checked against
it (tests/dashboards/lint.py).
"""

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests" / "golden" / "golden.metrics"
# The parts of catalogue.h; the metrics of the process are no part of it.
CATALOGUE = sorted(set((REPOSITORY / "collector" / "metrics").glob("*_metrics.cc"))
                   - {REPOSITORY / "collector" / "metrics" / "process_metrics.cc"})

# The first string in a call that makes a family: New(type, "name"), AddPerRole("name").
NEW_FAMILY = re.compile(r'\b(?:New|Add[A-Z]\w*)\(\s*(?:families,\s*|LUNSCOPE_\w+,\s*)?'
                        r'(?:MetricType::\w+,\s*)?"([a-z0-9_]+)"')
SAMPLE = re.compile(r'^(\w+)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$')


def series():
    """(name, labels) of each sample."""
    for line in GOLDEN.read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            yield SAMPLE.match(line).group(1, 2)


class Exposition(unittest.TestCase):
    def test_promtool_has_nothing_against_it(self):
        self.assertIsNotNone(shutil.which("promtool"), "install promtool (package prometheus)")
        with GOLDEN.open(encoding="ascii") as exposition:
            done = subprocess.run(["promtool", "check", "metrics"], stdin=exposition,
                                  capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_every_metric_of_the_catalogue_has_a_sample(self):
        names = {name for file in CATALOGUE
                 for name in NEW_FAMILY.findall(file.read_text(encoding="utf-8"))}
        self.assertGreater(len(names), 30)
        sampled = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in series()}
        self.assertEqual({f"lunscope_{name}" for name in names} - sampled, set())
        self.assertEqual(sampled - {f"lunscope_{name}" for name in names}, set())

    def test_every_series_is_unique(self):
        seen = set()
        for each in series():
            self.assertNotIn(each, seen)
            seen.add(each)


if __name__ == "__main__":
    sys.exit(unittest.main())
