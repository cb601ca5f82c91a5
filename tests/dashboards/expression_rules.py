# SPDX-License-Identifier: Apache-2.0
"""The rules that each expression of a dashboard keeps; rules.py has the others.

A rule takes the expression, the catalogue, {sample name: Metric}, and the filters: those variables
of the dashboard that narrow by a label.
"""

import re

from promql import FINDING, Metric, bare_metrics, functions, grouping_labels, selectors
from rules import rule

# A metric that has one of these labels is selected with the variable of that name.
FILTERS = ["role", "target", "lun", "operation"]
# A finding may be about a whole target, or a host: the label is empty then, and is never hidden.
# The role is where it was seen, which is not where its cause is.
FINDING_FILTERS = ["target", "lun"]
# Labels that Prometheus adds to every series.
SCRAPE_LABELS = {"job", "instance"}
# Every exporter has these, so they are not in the catalogue.
STANDARD = {"process_cpu_seconds_total": Metric("counter", set()),
            "process_resident_memory_bytes": Metric("gauge", set())}


@rule("expression")
def metrics_are_in_the_catalogue(expr, catalogue, _=()):
    for selector in selectors(expr):
        if selector.metric not in catalogue:
            yield f"{selector.metric} is not in the catalogue"


@rule("expression")
def labels_are_in_the_catalogue(expr, catalogue, _=()):
    known = SCRAPE_LABELS | {"le"}
    complete = True
    for selector in selectors(expr):
        metric = catalogue.get(selector.metric)
        if metric is None:
            complete = False
            continue
        known |= metric.labels
        for label in set(selector.matchers) - metric.labels - SCRAPE_LABELS:
            yield f"{selector.metric} has no label {label}"
    for label in grouping_labels(expr) - known:
        if complete:
            yield f"no metric of the expression has label {label}"


@rule("expression")
def selectors_name_job_and_instance(expr, *_):
    for selector in selectors(expr):
        for label in ("job", "instance"):
            if selector.matchers.get(label) != f"=~${label}":
                yield f"{selector.metric} is not narrowed by {label}"
    for metric in bare_metrics(expr):
        yield f"{metric} has no selector"


@rule("expression")
def selectors_follow_the_variables(expr, catalogue, filters):
    """Every metric of an expression is narrowed by a variable, if they all have its label; else
    none is, for a ratio of a narrowed and a whole number means nothing. An expression may be about
    one role, whatever the variable says."""
    found = [each for each in selectors(expr) if each.metric != FINDING]
    metrics = [catalogue.get(selector.metric) for selector in found]
    if not metrics or any(metric is None for metric in metrics):
        return
    for label in filters:
        wanted = [f"=~${label}"] if all(label in metric.labels for metric in metrics) else [None]
        if label == "role" and wanted != [None]:
            chosen = {selector.matchers.get(label) for selector in found}
            wanted += [role for role in ("=initiator", "=target") if chosen == {role}]
        for selector in found:
            if selector.matchers.get(label) not in wanted:
                verb = "not narrowed" if wanted != [None] else "narrowed alone"
                yield f"{selector.metric} is {verb} by {label}"


@rule("expression")
def findings_are_never_hidden(expr, _, filters):
    """A finding without a LUN is about all of them, and one seen in the other role counts, too."""
    for selector in selectors(expr):
        if selector.metric == FINDING:
            for label in FILTERS:
                narrows = label in filters and label in FINDING_FILTERS
                if selector.matchers.get(label) != (f"=~${label}|" if narrows else None):
                    yield f"{selector.metric} is wrongly narrowed by {label}"


@rule("expression")
def windows_are_the_rate_interval(expr, *_):
    for window in re.findall(r"\[[^\]]*\]", expr):
        if window != "[$__rate_interval]":
            yield f"window {window}"


@rule("expression")
def counters_are_rates_and_gauges_are_not(expr, catalogue, _):
    for selector in selectors(expr):
        metric = catalogue.get(selector.metric)
        if metric and (metric.type != "gauge") != bool(selector.window):
            yield f"{selector.metric} is a {metric.type}"


@rule("expression")
def quantiles_keep_le(expr, *_):
    if "histogram_quantile" in expr and "le" not in grouping_labels(expr):
        yield "histogram_quantile of series without le"


@rule("expression")
def no_made_up_zero(expr, *_):
    """vector(0) shows "none" where nothing is measured. A value of 0 has a series with 0."""
    if {"vector", "absent"} & functions(expr):
        yield "vector() or absent()"
