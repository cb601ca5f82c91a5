# SPDX-License-Identifier: Apache-2.0
"""As much of PromQL as the lint needs: which metrics, labels, windows.

This finds selectors and label lists by pattern and knows nothing of the grammar; whether an
expression is one at all is promtool's to say.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "metrics"))

import catalogue

# The metric of findings.
FINDING = "lunscope_finding"

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
    """A series, from the catalogue."""

    type: str
    labels: set


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


def by_series_name(metrics):
    """{name of a series: Metric} of a catalogue (tests/metrics/catalogue.py). A histogram is there
    by the names of its series, not by its own."""
    return {name: Metric(metric["type"], set(catalogue.label_names(metric)) |
                         ({"le"} if name.endswith("_bucket") else set()))
            for metric in metrics for name in catalogue.series_names(metric)}


def functions(expr):
    return set(FUNCTION.findall(expr))
