# SPDX-License-Identifier: Apache-2.0
"""As much of PromQL and of the text exposition as the lint needs: which metrics, labels, windows.

This finds selectors and label lists by pattern and knows nothing of the grammar; whether an
expression is one at all is promtool's to say.
"""

import re
from typing import NamedTuple

SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}(\s*\[[^\]]*\])?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
FUNCTION = re.compile(r"\b(\w+)\s*\(")


class Selector(NamedTuple):
    """One series selector of an expression: `metric{matchers}[window]`."""

    metric: str
    matchers: dict  # label -> operator and value: '=~$job'
    window: str     # "" for an instant vector


class Metric(NamedTuple):
    """What the catalogue says of a metric. `labels` is None when it has no sample to tell."""

    type: str
    labels: set | None


def selectors(expr):
    return [Selector(name, {label: operator + value
                            for label, operator, value in MATCHER.findall(inside)},
                     window.strip())
            for name, inside, window in SELECTOR.findall(expr)]


def grouping_labels(expr):
    labels = {label.strip() for inside in GROUPING.findall(expr) for label in inside.split(",")}
    return labels - {""}


def bare_metrics(expr):
    """Names of metrics that stand in `expr` without a selector."""
    without_selectors = MATCHER.sub("", SELECTOR.sub("", expr))
    return re.findall(r"\b(?:lunscope|process)_\w+", without_selectors)


def parse_catalogue(text):
    """{sample name: Metric} of a text exposition. A histogram is there by its sample names."""
    catalogue, sampled = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:4]
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            catalogue |= {name + suffix: Metric(kind, None) for suffix in suffixes}
        elif line and not line.startswith("#"):
            name = re.match(r"[\w:]+", line)[0]
            labels = {label for label, _, _ in MATCHER.findall(line)}
            sampled[name] = sampled.get(name, set()) | labels
    return catalogue | {name: Metric(catalogue[name].type, labels)
                        for name, labels in sampled.items() if name in catalogue}


def functions(expr):
    return set(FUNCTION.findall(expr))
