#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks docs/HARD-CASES.md: every test that it names exists, and every case names a test.

A name is `ctest name: test`: Suite.Name of a GoogleTest program, Class.method of a live test, or
the name of a row in one of its tables.
"""

import importlib.util
import re
import sys
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "HARD-CASES.md"
REFERENCE = re.compile(r"`((?:unit|live|vm)\.\w+): ([^`]+)`")
CASES, HOSTILE_CASES, TSHARK_CASES = 45, 9, 11

sys.path[:0] = [str(TESTS), str(TESTS / "vm")]


def rows(heading):
    """The cells of the tables below a heading; without one, of all tables above "Hostile input"."""
    sections = re.split(r"^## (.*)$", PAGE.read_text(), flags=re.M)
    names = sections[1::2]
    wanted = [heading] if heading else names[:names.index("Hostile input")]
    text = "".join(body for name, body in zip(names, sections[2::2]) if name in wanted)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if row[0] not in ("#", "Case")]


def registered():
    """{ctest name: its sources} for the GoogleTest programs, the live tests and the VM tests."""
    found = {}
    for lists in TESTS.glob("**/CMakeLists.txt"):
        text = lists.read_text()
        for name, sources in re.findall(r"^add_unit_test\((\w+) \w+([^)]*)\)", text, re.M):
            found[f"unit.{name}"] = [lists.parent / source for source in sources.split()]
        for subjects in re.findall(r"foreach\(SUBJECT ([^)]*)\)", text):
            for subject in subjects.split():
                found[f"live.{subject}"] = [TESTS / "live" / f"test_{subject}.py"]
        for subject, source in re.findall(r"^add_vm_test\((\w+) tests/(\S+)", text, re.M):
            found[f"vm.{subject}"] = [TESTS / source]
    return found


def tests_of(name, sources):
    """The names of a program's tests that the page may use."""
    if name.startswith("unit."):
        return {f"{suite}.{test}" for source in sources
                for suite, test in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)",
                                              source.read_text(), re.M)}
    # Imported by path, because a live test and a VM test may have the same name.
    spec = importlib.util.spec_from_file_location(name, sources[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = set()
    for case in vars(module).values():
        if isinstance(case, type) and issubclass(case, unittest.TestCase):
            found |= {f"{case.__name__}.{method}" for method in dir(case)
                      if method.startswith("test_")} | set(getattr(case, "ROWS", ()))
    return found


class HardCases(unittest.TestCase):

    def test_every_test_that_is_named_exists(self):
        known = {name: tests_of(name, sources) for name, sources in registered().items()}
        references = REFERENCE.findall(PAGE.read_text())
        self.assertGreater(len(references), 100)
        for name, test in references:
            with self.subTest(f"{name}: {test}"):
                self.assertIn(test, known.get(name, ()))

    def test_every_name_has_its_form(self):
        """Every quoted text is a reference or a path. A misspelt reference would not be checked."""
        for quoted in re.findall(r"`([^`]+)`", PAGE.read_text()):
            with self.subTest(quoted):
                self.assertTrue(REFERENCE.fullmatch(f"`{quoted}`")
                                or (TESTS.parent / quoted).exists())

    def test_every_case_is_there_once(self):
        for heading, count in ((None, CASES), ("Hostile input", HOSTILE_CASES)):
            numbers = sorted(int(row[0]) for row in rows(heading))
            self.assertEqual(numbers, list(range(1, count + 1)))
        self.assertEqual(len(rows("Where tshark 4.0.17 is wrong")), TSHARK_CASES)

    def test_every_case_has_a_test_or_says_why_not(self):
        for row in [*rows(None), *rows("Hostile input"), *rows("Where tshark 4.0.17 is wrong")]:
            with self.subTest(row[:2]):
                self.assertRegex(row[2], REFERENCE.pattern + r"|Open: \w|live\.\w|\.md")


if __name__ == "__main__":
    unittest.main()
