#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the metric catalogue and golden.metrics, a whole scrape, to the rules of Prometheus.

golden_test compares lunscope's output with golden.metrics. Here promtool reads that file, and the
catalogue of `lunscope metrics -o json` is compared with it: names, types, help, labels and values.
"""

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import catalogue

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = REPOSITORY / "tests" / "golden" / "golden.metrics"

SAMPLE = re.compile(r'^(\w+)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# The end of a name, by unit. A counter has _total after it.
SUFFIXES = {"seconds": "_seconds", "bytes": "_bytes", "info": "_info"}


def samples():
    """(name, labels as text) of each sample."""
    for line in GOLDEN.read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            yield SAMPLE.match(line).group(1, 2)


def comments(kind):
    """{name: text} of the lines `# kind name text`."""
    return dict(re.findall(rf"^# {kind} (\w+) (.*)$", GOLDEN.read_text(encoding="ascii"), re.M))


class Exposition(unittest.TestCase):
    def test_promtool_has_nothing_against_it(self):
        self.assertIsNotNone(shutil.which("promtool"), "install promtool (package prometheus)")
        with GOLDEN.open(encoding="ascii") as exposition:
            done = subprocess.run(["promtool", "check", "metrics"], stdin=exposition,
                                  capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_every_series_is_unique(self):
        seen = set()
        for each in samples():
            self.assertNotIn(each, seen)
            seen.add(each)


class Catalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.metrics = catalogue.read()

    def test_is_whole(self):
        self.assertGreater(len(self.metrics), 60)

    def test_every_metric_has_a_sample_and_no_other_has(self):
        names = {name for metric in self.metrics for name in catalogue.series_names(metric)}
        self.assertEqual({name for name, _ in samples()}, names)

    def test_names_are_unique_and_have_the_prefix(self):
        names = [metric["name"] for metric in self.metrics]
        self.assertEqual(len(names), len(set(names)))
        for name in names:
            self.assertRegex(name, r"^lunscope_[a-z][a-z_]*[a-z]$")

    def test_types_and_helps_are_those_of_the_page(self):
        self.assertEqual({metric["name"]: metric["type"] for metric in self.metrics},
                         comments("TYPE"))
        self.assertEqual({metric["name"]: metric["help"] for metric in self.metrics},
                         comments("HELP"))

    def test_counters_end_in_total_and_nothing_else_does(self):
        for metric in self.metrics:
            self.assertEqual(metric["name"].endswith("_total"), metric["type"] == "counter", metric)

    def test_names_end_in_their_unit(self):
        for metric in self.metrics:
            name = metric["name"].removesuffix("_total")
            for unit, suffix in SUFFIXES.items():
                self.assertEqual(name.endswith(suffix), metric["unit"] == unit, name)

    def test_texts_are_sentences_of_one_ascii_line(self):
        for metric in self.metrics:
            texts = [metric["help"], metric["available"]["help"]]
            texts += [label["help"] for label in metric["labels"]]
            for text in texts:
                self.assertRegex(text, r"^[ -~]+\.$")

    def test_series_have_the_labels_of_the_catalogue(self):
        labels = {name: catalogue.label_names(metric) for metric in self.metrics
                  for name in catalogue.series_names(metric)}
        for name, text in samples():
            found = [label for label, _ in LABEL.findall(text or "")]
            if name.endswith("_bucket"):
                self.assertEqual(found.pop(), "le")
            self.assertEqual(found, labels[name], name)

    def test_values_are_those_of_the_catalogue(self):
        """A label that lists all of its values has no other; and no value is explained twice."""
        known = {}
        for metric in self.metrics:
            for label in metric["labels"]:
                values = [each["value"] for each in label["values"]]
                self.assertEqual(len(values), len(set(values)), metric["name"])
                for each in label["values"]:
                    self.assertRegex(each["value"] + each["help"], "^[ -~]+$")
                if not label["has_other_values"]:
                    known |= {(name, label["name"]): values
                              for name in catalogue.series_names(metric)}
        for name, text in samples():
            for label, value in LABEL.findall(text or ""):
                if (name, label) in known:
                    self.assertIn(value, known[name, label], f"{name}, {label}")

    def test_people_read_the_same_list(self):
        text = catalogue.text()
        for metric in self.metrics:
            self.assertRegex(text, rf"(?m)^{metric['name']}$")
            for label in metric["labels"]:
                for each in label["values"]:
                    self.assertIn(f"\n    {each['value']}: {each['help']}\n", text)

    def test_reasons_are_explained(self):
        for metric in self.metrics:
            for label in metric["labels"]:
                if label["name"] == "reason" and not label["has_other_values"]:
                    self.assertTrue(all(each["help"].endswith(".") for each in label["values"]))
                    self.assertTrue(label["values"])


if __name__ == "__main__":
    sys.exit(unittest.main())
