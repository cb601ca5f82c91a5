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
_GOLDEN = _ROOT / "tests" / "golden" / "golden.metrics"
_PAGE = _ROOT / "docs" / "METRICS.md"
_HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/metrics/metrics_page.py; a test checks that it is up to date. -->
# Metrics

Seconds and bytes; counters end in `_total`. `role` tells where the observed host stands: it sent
(`initiator`) or received (`target`) the SCSI commands; on a host that has both ends of a connection
each is a vantage point of its own, so do not add them up. `operation` is `read`, `write`, `flush`,
`discard`, `control` or `other`. `lun` is the decimal LUN where its addressing method has one, else
its eight bytes in hex. A `target` whose login was not seen has the name that this host tells, as
`lunscope_inferred_connections` says, or is `unknown`; that of discovery sessions is `discovery`, and what is beyond `--max-label-sets` is `overflow`.

`transport` is on the families of their own that the kernel's SCSI layers have, `lunscope_scsi_*`
(`--source scsi,target`): below the mid-layer (`initiator`) the low-level driver, above LIO (`target`) the
fabric. They are not a label on those of iSCSI, because a command of the kernel's iSCSI initiator passes
the mid-layer and the wire, and on a host with LIO the target core as well: a sum over one family would
count it two or three times, on every dashboard that exists. `target` is there `host:channel:id`, or the
name that the iSCSI session or LIO has. Labels are bounded as those of iSCSI are, by `--max-label-sets`.

At every moment, for each role: `lunscope_commands_seen_total` = `lunscope_commands_reported_total` +
`lunscope_commands_unreported_total` (all reasons) + `lunscope_commands_in_flight`.
The same holds for `lunscope_scsi_commands_*`. There `timed_out` and `not_ended` are commands that ended
where the kernel has no hook: the mid-layer's error handler, LIO's aborts. What is in flight for good at
such an end shows as outstanding until its memory is used again, after a timeout for a minute at most.

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
