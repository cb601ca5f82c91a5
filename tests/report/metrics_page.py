#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/METRICS.md from the golden exposition: the catalogue itself lives in the code.

  metrics_page.py            checks that the page is up to date
  metrics_page.py --write    writes it
"""

import pathlib
import re
import sys

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_GOLDEN = _ROOT / "tests" / "report" / "golden.metrics"
_PAGE = _ROOT / "docs" / "METRICS.md"
_HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/report/metrics_page.py; a test checks that it is up to date. -->
# Metrics

Seconds and bytes; counters end in `_total`. `role` tells where the observed host stands: it sent
(`initiator`) or received (`target`) the SCSI commands; on a host that has both ends of a connection
each is a vantage point of its own, so do not add them up. `operation` is `read`, `write`, `flush`,
`discard`, `control` or `other`. `lun` is the decimal LUN where its addressing method has one, else
its eight bytes in hex. A `target` whose login was not seen has the name that this host tells, as
`lunscope_inferred_connections` says, or is `unknown`; that of discovery sessions is `discovery`, and what is beyond `--max-label-sets` is `overflow`.

At every moment, for each role: `lunscope_commands_seen_total` = `lunscope_commands_reported_total` +
`lunscope_commands_unreported_total` (all reasons) + `lunscope_commands_in_flight`.

| Metric | Type | Labels | |
|---|---|---|---|
"""


def rows(text):
    """A table row for each metric, in the order of the exposition."""
    labels = {}
    for name, inside in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.M):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        seen = labels.setdefault(base, [])
        for label in re.findall(r'(\w+)="', inside):
            if label != "le" and label not in seen:
                seen.append(label)
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    for name, purpose in re.findall(r"^# HELP (\w+) (.*)$", text, re.M):
        yield f"| `{name}` | {kinds[name]} | {', '.join(labels.get(name, []))} | {purpose} |\n"


def main():
    page = _HEAD + "".join(rows(_GOLDEN.read_text(encoding="utf-8")))
    if sys.argv[1:] == ["--write"]:
        _PAGE.write_text(page, encoding="utf-8")
    elif _PAGE.read_text(encoding="utf-8") != page:
        sys.exit(f"{_PAGE.relative_to(_ROOT)} is out of date: run {pathlib.Path(__file__).name} --write")


if __name__ == "__main__":
    main()
