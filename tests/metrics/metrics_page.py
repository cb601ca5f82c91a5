#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/METRICS.md, written from the catalogue that `lunscope metrics -o json` prints.

  metrics_page.py            checks that the page is up to date
  metrics_page.py --write    writes it
"""

import pathlib
import sys

import catalogue

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs" / "METRICS.md"
_HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/metrics/metrics_page.py; a test checks that it is up to date. -->
# Metrics

`lunscope metrics` prints this list, and `lunscope metrics -o json` prints it for programs. The metrics
of the process itself (`process_*`), which every exporter has, are not listed.

- Times are in seconds and sizes in bytes. Counters end in `_total`.
- Most series have a `role`: this host is initiator or target. On a host that has both ends of a
  connection, each end has its own series. Do not add the two up.
- `--max-label-sets` bounds the number of series. A label set beyond it counts in the series with the
  target `overflow`, so that sums stay right.
- The kernel's SCSI layers (`--source scsi,target`) have metrics of their own, `lunscope_scsi_*`, and not a
  label on the metrics of iSCSI. A command of the kernel's iSCSI initiator passes the mid-layer and the
  wire, and on a host with LIO the target core as well. A sum over one metric would count that command two
  or three times.

## Nothing is missed in silence

At every moment, for each role:

`lunscope_commands_seen_total` = `lunscope_commands_reported_total` +
`lunscope_commands_unreported_total` (all reasons) + `lunscope_commands_in_flight`

The same holds for `lunscope_scsi_commands_*`. There, the reasons `timed_out` and `not_ended` are commands
that ended where the kernel has no hook. Such a command counts as in flight until its memory is used
again; after a timeout, for one minute at most.
"""
_AVAILABLE = """
## When a metric is available

| Available | |
|---|---|
"""
_TABLE = """
| Metric | Type | Available | Labels | |
|---|---|---|---|---|
"""
_LABELS = """
## Labels
"""


def groups(items, key):
    """The items by key, both in the order of the items."""
    found = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found.items()


def availability(metrics):
    known = {metric["available"]["name"]: metric["available"]["help"] for metric in metrics}
    return _AVAILABLE + "".join(f"| {name} | {text} |\n" for name, text in known.items())


def tables(metrics):
    for topic, members in groups(metrics, lambda metric: metric["topic"]):
        yield f"\n## {topic}\n{_TABLE}"
        for metric in members:
            labels = ", ".join(catalogue.label_names(metric))
            yield (f"| `{metric['name']}` | {metric['type']} | {metric['available']['name']} | "
                   f"{labels} | {metric['help']} |\n")


def labels_by_name(metrics):
    """{label name: {label as text: (label, names of the metrics that have it)}}."""
    found = {}
    for metric in metrics:
        for label in metric["labels"]:
            meanings = found.setdefault(label["name"], {})
            meanings.setdefault(str(label), (label, []))[1].append(metric["name"])
    return found


def label_sections(metrics):
    yield _LABELS
    for name, meanings in labels_by_name(metrics).items():
        yield f"\n### {name}\n"
        for label, owners in meanings.values():
            if len(meanings) > 1:
                yield "\n" + ", ".join(f"`{owner}`" for owner in owners) + ":\n"
            yield f"\n{label['help']}\n"
            if label["values"]:
                yield "\n| Value | |\n|---|---|\n"
                yield from (f"| `{each['value']}` | {each['help']} |\n" for each in label["values"])


def page(metrics):
    return "".join([_HEAD, availability(metrics), *tables(metrics), *label_sections(metrics)])


def main():
    text = page(catalogue.read())
    if sys.argv[1:] == ["--write"]:
        _PAGE.write_text(text, encoding="utf-8")
    elif _PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{_PAGE.relative_to(_ROOT)} is out of date: run {pathlib.Path(__file__).name} --write")


if __name__ == "__main__":
    main()
