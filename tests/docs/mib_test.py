#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/MIB.md has each object of RFC 7147 once, and what it names of lunscope exists.

The list of the objects is not ours: Debian's python3-pysnmp4-mibs has the MIB as RFC 4544 defined
it, compiled. RFC 7147 took nothing away from that, and added NEW.
"""

import collections
import json
import re
import sys
import unittest

import english

sys.path.insert(0, str(english.REPOSITORY / "tests" / "metrics"))
import catalogue  # noqa: E402  (needs the path above)

RFC_4544 = "/usr/lib/python3/dist-packages/pysnmp_mibs/ISCSI-MIB.py"
NEW = {"iscsiInstXNodeArchitecture", "iscsiInstSsnTgtUnmappedErrors", "iscsiPortalDescr",
       "iscsiTgtLastIntrFailurePort", "iscsiTgtLogoutCxnClosed", "iscsiTgtLogoutCxnRemoved",
       "iscsiIntrLastTgtFailurePort", "iscsiIntrLoginAuthorizeFails", "iscsiSsnProtocolLevel",
       "iscsiSsnTaskReporting", "iscsiSsnNopReceivedPDUs", "iscsiSsnNopSentPDUs"}
ANSWERS = {"metric", "sessions", "event", "trace", "check", "no"}
ROW = re.compile(r"^\| `(iscsi\w+)` \| ([a-z ]+) \| (.+) \|$", re.M)
CODE = re.compile(r"`([^`]*)`")
METRIC = re.compile(r"(lunscope_\w+)(?:\{([^}]*)\})?")
LABEL_VALUE = re.compile(r'(\w+)="([^"]*)"')
LABELS_OF = re.compile(r"labels? `(\w+)`(?: and `(\w+)`)? of `(lunscope_\w+)`")

DOCS = english.REPOSITORY / "docs"
GOLDEN = english.REPOSITORY / "tests" / "golden"


def page():
    return (DOCS / "MIB.md").read_text()


def objects_of_rfc_4544(*kinds):
    with open(RFC_4544, encoding="utf-8") as file:
        return re.findall(rf"^(iscsi\w+) = (?:{'|'.join(kinds)})\(", file.read(), re.M)


def rows(text):
    """[(object, answer, words)]"""
    return ROW.findall(text)


def keys_of(value, path=""):
    """Each key of a JSON value; those of a session's or a connection's parameters with a dot."""
    if isinstance(value, list):
        return set().union(*(keys_of(each, path) for each in value))
    if not isinstance(value, dict):
        return set()
    found = {path + key for key in value}
    for key, below in value.items():
        found |= keys_of(below, "parameters." if key == "parameters" else "")
    return found


def wrong_names(text):
    """Metrics, labels and values in a text that the catalogue does not have."""
    metrics = {metric["name"]: metric for metric in catalogue.read()}
    for name, labels in METRIC.findall(text):
        if name not in metrics:
            yield name
            continue
        known = {label["name"]: {each["value"] for each in label["values"]}
                 for label in metrics[name]["labels"]}
        for label, value in LABEL_VALUE.findall(labels):
            if value not in known.get(label, ()):
                yield f'{name}{{{label}="{value}"}}'
    for *labels, name in LABELS_OF.findall(text):
        yield from (f"{label} of {name}" for label in labels
                    if label and label not in catalogue.label_names(metrics[name]))


class Mib(unittest.TestCase):

    def test_each_object_is_there_once(self):
        objects = objects_of_rfc_4544("MibTableColumn", "NotificationType", "ObjectIdentity")
        self.assertEqual(len(objects), 140)
        self.assertFalse(NEW & set(objects))
        found = collections.Counter(name for name, _, _ in rows(page()))
        self.assertEqual(found, collections.Counter([*objects, *NEW]))

    def test_each_table_is_named(self):
        named = re.findall(r"`(iscsi\w+Table)`", page())
        self.assertEqual(sorted(named), sorted(objects_of_rfc_4544("MibTable")))

    def test_each_row_is_of_the_form(self):
        text = page()
        self.assertEqual(len(rows(text)), len(re.findall(r"^\| `iscsi", text, re.M)))
        for name, answer, words in rows(text):
            self.assertIn(answer, ANSWERS, name)
            self.assertTrue(words.endswith("."), name)

    def test_names_of_metrics(self):
        self.assertGreater(len(METRIC.findall(page())), 50)
        self.assertEqual(list(wrong_names(page())), [])

    def test_a_wrong_name_is_found(self):
        text = ('`lunscope_nothing_total` `lunscope_logins_total{role="target"}` '
                '`lunscope_logins_total{role="both"}` the labels `role` and `lun` of '
                '`lunscope_logins_total` `lunscope_logins_total{lun="1"}`')
        self.assertEqual(list(wrong_names(text)),
                         ["lunscope_nothing_total", 'lunscope_logins_total{role="both"}',
                          'lunscope_logins_total{lun="1"}', "lun of lunscope_logins_total"])

    def test_answers_name_what_they_say(self):
        """A metric; a key of a session, an event or a PDU: of golden files and of USAGE.md."""
        sessions = keys_of(json.loads((GOLDEN / "golden.sessions.json").read_text()))
        pdus = {key for line in (GOLDEN / "golden.pdu.jsonl").read_text().splitlines()
                for key in json.loads(line)}
        events = (DOCS / "USAGE.md").read_text().split("### Events\n")[1].split("\n#")[0]
        keys = {"sessions": sessions, "trace": pdus, "event": set(CODE.findall(events))}
        for name, answer, words in rows(page()):
            with self.subTest(name):
                spans = CODE.findall(words)
                if answer == "metric":
                    self.assertRegex(words, "`(lunscope_|process_start_time_seconds`)")
                elif answer in keys:
                    self.assertTrue(set(spans) & keys[answer], spans)


if __name__ == "__main__":
    unittest.main()
