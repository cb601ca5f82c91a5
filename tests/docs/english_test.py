#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that each rule of english.py can fail, and that it reads prose and nothing else."""

import unittest

import english

LONG = " ".join(["word"] * 26) + "."
SHORT = " ".join(["word"] * 25) + "."

# Page, long sentences in it.
PAGES = {
    "25 words": (SHORT, 0),
    "26 words": (LONG, 1),
    "two sentences": (f"{SHORT} {SHORT}", 0),
    "a sentence over two lines": (LONG.replace("word word", "word\nword", 1), 1),
    "a name with a dot is no end": (LONG.replace("word", "docs/A.md", 1), 1),
    "a code span is one word": (SHORT.replace("word", "`one two three`", 1), 0),
    "a link is its text": (SHORT.replace("word", "[word](a b)", 1), 0),
    "a list": (f"- {SHORT}\n- {SHORT}\n1. {LONG}\n", 1),
    "lines of a list item": (f"- {LONG}".replace("word word", "word\n  word", 1), 1),
    "a heading": (f"# {LONG}", 0),
    "a table": (f"| {LONG} |", 0),
    "a comment": (f"<!-- {LONG} -->", 0),
    "fenced code": (f"```\n{LONG}\n```", 0),
    "indented code": (f"Text:\n\n    {LONG}\n", 0),
    "text behind code": (f"    code\n\n{LONG}", 1),
    "a colon ends no sentence": (LONG.replace("word", "word:", 1), 1),
}

# File name, content, patterns in it.
TEXTS = {
    "a comment": ("a.h", "// There is none.\n", ["is none"]),
    "a comment over two lines": ("a.h", "int a;  // there is\n        // none left\n", ["is none"]),
    "a comment of C": ("a.c", "/* found\n * anew */", ["anew"]),
    "a string": ("a.cc", 'f("it is " "to be had");', ["to be had"]),
    "code": ("a.cc", "int anew = is_none;", []),
    "a comment of Python": ("a.py", "# one\n# is\n# none\n", ["is none"]),
    "a string of Python": ("a.py", '"""Amid\na test."""', ["amid"]),
    "a formatted string of Python": ("a.py", 'f"likewise {1}"', ["likewise"]),
    "a script": ("a.sh", "#!/bin/sh\necho 'anew' # code\n# untold\n", ["untold"]),
    "a program without a suffix": ("scripts/a", "#!/usr/bin/env bash\n# that one's\n",
                                   ["that one's"]),
    "a list of CMake": ("tests/CMakeLists.txt", "# Of all of them one.\n", ["Of at the beginning"]),
    "a page": ("docs/A.md", "It begins anew.", ["anew"]),
    "a table": ("docs/A.md", "| a | begins anew |", ["anew"]),
    "code of a page": ("docs/A.md", "    anew\n\nA `anew` span.", []),
    "told": ("a.h", "// The name that it told.", ["told"]),
    "told apart": ("a.h", "// They are told apart by name.", []),
    "who": ("a.h", "// First. Who reads it is followed.", ["Who or What as a subject"]),
    "what": ("a.h", "// What is left stays.", ["Who or What as a subject"]),
    "a question": ("a.h", "// What is left?", []),
    "of course": ("a.h", "// Of course.", []),
    "of inside": ("a.h", "// The number of bytes.", []),
    "a sentence that was rewritten": ("a.h", "// A name, if it tells one.", ["if it tells"]),
    "data": ("a.json", '{"a": "anew"}', []),
}


class English(unittest.TestCase):

    def test_long_sentences(self):
        for name, (page, expected) in PAGES.items():
            with self.subTest(name):
                self.assertEqual(len(english.long_sentences(page)), expected)

    def test_patterns(self):
        for name, (path, content, expected) in TEXTS.items():
            with self.subTest(name):
                found = [each for _, text in english.texts(path, content)
                         for each in english.found_in(text)]
                self.assertEqual(found, expected)

    def test_every_pattern_has_a_row(self):
        rows = {name for _, _, expected in TEXTS.values() for name in expected}
        self.assertLessEqual({*english.PATTERNS, *english.OPENINGS}, rows)

    def test_limits(self):
        found = [("docs/A.md", "x"), ("docs/A.md", "y"), ("docs/B.md", "z"), ("bpf/a.h", "w")]
        self.assertEqual(set(english.above(found, {"": 0, "docs/": 3})), {""})
        self.assertEqual(set(english.above(found, {"": 1, "docs/": 2})), {"docs/"})
        self.assertEqual(set(english.above(found, {"": 1, "docs/": 2, "docs/B.md": 1})), set())

    def test_the_tree_is_read(self):
        paths = {path for path, _ in english.files()}
        self.assertLessEqual({"README.md", "docs/ARCHITECTURE.md", "bpf/lunscope.bpf.c",
                              "scripts/test", "CMakeLists.txt"}, paths)


if __name__ == "__main__":
    unittest.main()
