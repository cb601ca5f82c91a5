#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every link between pages leads to a file that exists, and to a heading that is there."""

import re
import unittest

import english

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
# Paths of the tree that a page names in a code span: what they name exists, too.
NAMED = re.compile(r"`((?:include|bpf|collector|tests|scripts|docs|dashboards)/[\w./-]+\w)`")


def anchor(heading):
    """The name that GitHub gives a heading."""
    text = re.sub(r"[^\w\- ]", "", english.plain(heading.replace("`", "")).lower())
    return text.strip().replace(" ", "-")


def anchors(page):
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.M)}


def pages():
    return [path for path, _ in english.files() if english.is_page(path)]


def broken_links(page, text):
    for path, heading in LINK.findall(text):
        if re.match(r"\w+:", path):
            continue  # another site
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (heading and heading not in anchors(to)):
            yield f"{path}#{heading}"


class Links(unittest.TestCase):

    def test_links(self):
        for name in pages():
            page = english.REPOSITORY / name
            with self.subTest(name):
                self.assertEqual(list(broken_links(page, page.read_text())), [])

    def test_paths(self):
        for name in pages():
            for path in NAMED.findall((english.REPOSITORY / name).read_text()):
                with self.subTest(f"{name}: {path}"):
                    self.assertTrue((english.REPOSITORY / path).exists()
                                    or list(english.REPOSITORY.glob(f"{path}.*")))

    def test_a_broken_link_is_found(self):
        page = english.REPOSITORY / "README.md"
        text = "[a](LICENSE) [b](docs/NONE.md) [c](docs/USAGE.md#trace) [d](docs/USAGE.md#none)"
        self.assertEqual(list(broken_links(page, text)),
                         ["docs/NONE.md#", "docs/USAGE.md#none"])


if __name__ == "__main__":
    unittest.main()
