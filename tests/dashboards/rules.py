# SPDX-License-Identifier: Apache-2.0
"""The rules a dashboard of lunscope keeps, each a function that yields what is wrong.

A rule is registered for what it looks at: the dashboard, each panel, or each expression (with the
catalogue, {sample name: Metric}). Why a rule is there is in its docstring, where its name does not
say so.
"""

import re

import dashboard as dashboards
from promql import bare_metrics, functions, grouping_labels, selectors

VARIABLES = ["datasource", "job", "instance", "role", "target", "lun", "operation"]
# A metric that has one of these labels is selected with the variable of that name.
FILTERS = ["role", "target", "lun", "operation"]
# Labels that Prometheus adds to every series.
SCRAPE_LABELS = {"job", "instance"}
PANEL_TYPES = {"timeseries", "stat", "table", "heatmap", "state-timeline", "bargauge"}
UNITS = {"none", "short", "s", "ops", "cps", "Bps", "bytes", "percentunit"}
GRID_COLUMNS = 24

RULES = {"dashboard": [], "panel": [], "expression": []}


def rule(kind):
    """Register a rule: dashboard(dashboard), panel(panel) or expression(expr, catalogue)."""
    def register(function):
        RULES[kind].append(function)
        return function
    return register


def targets(panel):
    return panel.get("targets", [])


def defaults(panel):
    return panel.get("fieldConfig", {}).get("defaults", {})


def units(panel):
    """Every unit that a panel shows: its own, those of overrides, and both of a heatmap."""
    options = panel.get("options", {})
    found = [defaults(panel).get("unit")]
    found += [each.get("value") for override in panel.get("fieldConfig", {}).get("overrides", [])
              for each in override.get("properties", []) if each.get("id") == "unit"]
    if panel.get("type") == "heatmap":
        found += [options.get(part, {}).get("unit") for part in ("yAxis", "cellValues")]
    return found


@rule("dashboard")
def schema_version_is_supported(dashboard):
    if dashboard.get("schemaVersion") not in (39, 40, 41):
        yield f"schemaVersion is {dashboard.get('schemaVersion')}, not 39 to 41"


@rule("dashboard")
def uid_is_fixed_and_id_is_not(dashboard):
    """Links and upgrades go by uid; an id belongs to one Grafana and would clash in another."""
    if not re.fullmatch(r"[a-z0-9-]{1,40}", dashboard.get("uid") or ""):
        yield f"uid is {dashboard.get('uid')!r}"
    if dashboard.get("id", 0) is not None:
        yield "id is not null"


@rule("dashboard")
def is_not_an_export(dashboard):
    """Only the import dialog asks for __inputs; a provisioned dashboard would keep them open."""
    for key in ("__inputs", "__requires", "__elements"):
        if key in dashboard:
            yield f"{key} is there"


@rule("dashboard")
def has_title_and_tags(dashboard):
    if not dashboard.get("title") or not dashboard.get("tags"):
        yield "no title or no tags"


@rule("dashboard")
def variables_are_the_agreed_ones(dashboard):
    if dashboards.variable_names(dashboard) != VARIABLES:
        yield f"variables are {dashboards.variable_names(dashboard)}"
    first = dashboards.variables(dashboard)[:1]
    if not first or first[0].get("type") != "datasource" or first[0].get("query") != "prometheus":
        yield "the first variable is not a Prometheus data source"


@rule("dashboard")
def variables_are_described(dashboard):
    for variable in dashboards.variables(dashboard):
        if not variable.get("label") or not variable.get("description"):
            yield f"{variable.get('name')} has no label or no description"


@rule("dashboard")
def variables_are_chained(dashboard):
    """Each narrows by all before it, so that no choice is offered that leaves the panels empty."""
    before = []
    for variable in dashboards.query_variables(dashboard):
        query = dashboards.variable_query(variable)
        if query is None:
            yield f"{variable.get('name')} is not label_values(series, label)"
            continue
        if query.label != query.variable:
            yield f"{query.variable} lists label {query.label}"
        used = selectors(query.series)[0].matchers if selectors(query.series) else {}
        if used != {name: f"=~${name}" for name in before}:
            yield f"{query.variable} is not narrowed by exactly {before}"
        before.append(query.variable)


@rule("dashboard")
def variables_follow_the_time_range(dashboard):
    for variable in dashboards.query_variables(dashboard):
        if variable.get("refresh") != 2:
            yield f"{variable.get('name')} is not refreshed with the time range"


@rule("dashboard")
def role_is_one_at_a_time(dashboard):
    """A host may be both ends of a session; with two roles at once every sum counts it twice."""
    for variable in dashboards.query_variables(dashboard):
        single = not variable.get("multi") and not variable.get("includeAll")
        if (variable.get("name") == "role") != single:
            yield f"{variable.get('name')} is {'single' if single else 'multi'}-valued"


@rule("dashboard")
def all_is_a_regular_expression(dashboard):
    """Else Grafana spells All as an alternation of what it listed: long, and blind to the new."""
    for variable in dashboards.query_variables(dashboard):
        if variable.get("includeAll") and variable.get("allValue") != ".*":
            yield f"{variable.get('name')} has allValue {variable.get('allValue')!r}"


@rule("dashboard")
def variables_use_the_datasource_variable(dashboard):
    for variable in dashboards.query_variables(dashboard):
        if variable.get("datasource", {}).get("uid") != "${datasource}":
            yield f"{variable.get('name')} does not use ${{datasource}}"


@rule("dashboard")
def links_keep_time_and_variables(dashboard):
    for link in dashboard.get("links", []):
        if not link.get("keepTime") or not link.get("includeVars"):
            yield f"link {link.get('title')!r} drops them"


@rule("dashboard")
def first_rows_are_expanded(dashboard):
    """Open rows cost queries at every refresh: the first for a glance, the rest on demand."""
    rows = [row for row, _ in dashboards.rows(dashboard)]
    if None in rows:
        yield "a panel stands before the first row"
        return
    collapsed = [bool(row.get("collapsed")) for row in rows]
    if not rows or collapsed[0] or collapsed != sorted(collapsed):
        yield "an expanded row stands after a collapsed one, or none is expanded"
    for row, panels in dashboards.rows(dashboard):
        if not panels:
            yield f"row {row.get('title')!r} is empty"
        if not row.get("collapsed") and row.get("panels"):
            yield f"expanded row {row.get('title')!r} keeps panels inside, where Grafana hides them"


@rule("dashboard")
def ids_and_titles_are_unique(dashboard):
    rows = [row for row, _ in dashboards.rows(dashboard) if row]
    everything = rows + dashboards.panels(dashboard)
    for key in ("id", "title"):
        values = [panel.get(key) for panel in everything]
        for value in {value for value in values if values.count(value) > 1}:
            yield f"{key} {value!r} is there twice"


@rule("dashboard")
def panels_do_not_overlap(dashboard):
    for _, panels in dashboards.rows(dashboard):
        taken = {}
        for panel in panels:
            at = panel.get("gridPos", {})
            x, y, w, h = (at.get(key, 0) for key in "xywh")
            if w < 1 or h < 1 or x + w > GRID_COLUMNS:
                yield f"{panel.get('title')!r} does not fit {GRID_COLUMNS} columns"
            for cell in ((x + i, y + j) for i in range(w) for j in range(h)):
                if taken.setdefault(cell, panel.get("title")) != panel.get("title"):
                    yield f"{panel.get('title')!r} overlaps {taken[cell]!r}"
                    break


@rule("panel")
def type_is_allowed(panel):
    if panel.get("type") not in PANEL_TYPES:
        yield f"type is {panel.get('type')}"


@rule("panel")
def has_a_title(panel):
    if not panel.get("title"):
        yield "no title"


@rule("panel")
def description_says_what_bad_looks_like(panel):
    what, bad, how = panel.get("description", "").partition(" Bad: ")
    if not what or not bad or not how:
        yield "description is not `What it shows. Bad: what bad looks like.`"


@rule("panel")
def units_are_known(panel):
    """Grafana shows a misspelt unit as a suffix and says nothing."""
    for unit in units(panel):
        if unit not in UNITS:
            yield f"unit {unit!r}"


@rule("panel")
def uses_the_datasource_variable(panel):
    for user in [panel, *targets(panel)]:
        if user.get("datasource") != {"type": "prometheus", "uid": "${datasource}"}:
            yield f"datasource of {user.get('refId', 'the panel')} is {user.get('datasource')}"


@rule("panel")
def thresholds_are_in_order(panel):
    all_thresholds = [defaults(panel).get("thresholds", {})]
    all_thresholds += [each["value"]
                       for override in panel.get("fieldConfig", {}).get("overrides", [])
                       for each in override.get("properties", []) if each.get("id") == "thresholds"]
    for thresholds in all_thresholds:
        values = [step.get("value", 0) for step in thresholds.get("steps", [])]
        if thresholds.get("mode") != "absolute" or not values or values[0] is not None:
            yield "no absolute thresholds that begin with a base colour"
        elif None in values[1:] or values[1:] != sorted(values[1:]):
            yield f"thresholds {values} do not rise"


@rule("panel")
def targets_have_their_own_ref_id(panel):
    ids = [target.get("refId") for target in targets(panel)]
    if not ids or None in ids or len(set(ids)) != len(ids):
        yield f"refIds are {ids}"


@rule("panel")
def format_fits_the_panel(panel):
    """A heatmap of buckets needs them apart by le; a table is one instant, not every step."""
    for target in targets(panel):
        kept = grouping_labels(target.get("expr", ""))
        if panel.get("type") == "heatmap" and (
                target.get("format") != "heatmap" or "le" not in kept):
            yield "not of format heatmap by le"
        if panel.get("type") == "table" and (
                target.get("format") != "table" or not target.get("instant")):
            yield "not an instant table"


@rule("panel")
def legend_names_labels_that_are_kept(panel):
    """An aggregation drops what it does not name, and the legend would show an empty place."""
    for target in targets(panel):
        legend = target.get("legendFormat", "")
        if not legend and panel.get("type") != "table":
            yield f"{target.get('refId')} has no legend"
        for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", legend):
            if label not in grouping_labels(target.get("expr", "")):
                yield f"legend label {label} is not kept by the expression"


@rule("expression")
def metrics_are_in_the_catalogue(expr, catalogue):
    for selector in selectors(expr):
        if selector.metric not in catalogue:
            yield f"{selector.metric} is not in the catalogue"


@rule("expression")
def labels_are_in_the_catalogue(expr, catalogue):
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
def selectors_name_job_and_instance(expr, _):
    for selector in selectors(expr):
        for label in ("job", "instance"):
            if selector.matchers.get(label) != f"=~${label}":
                yield f"{selector.metric} is not narrowed by {label}"
    for metric in bare_metrics(expr):
        yield f"{metric} has no selector"


@rule("expression")
def selectors_follow_the_variables(expr, catalogue):
    """Every metric of an expression is narrowed by a variable, if they all have its label; else
    none is, for a ratio of a narrowed and a whole number means nothing."""
    metrics = [catalogue.get(selector.metric) for selector in selectors(expr)]
    if not metrics or any(metric is None for metric in metrics):
        return
    for label in FILTERS:
        wanted = f"=~${label}" if all(label in metric.labels for metric in metrics) else None
        for selector in selectors(expr):
            if selector.matchers.get(label) != wanted:
                verb = "not narrowed" if wanted else "narrowed alone"
                yield f"{selector.metric} is {verb} by {label}"


@rule("expression")
def windows_are_the_rate_interval(expr, _):
    for window in re.findall(r"\[[^\]]*\]", expr):
        if window != "[$__rate_interval]":
            yield f"window {window}"


@rule("expression")
def counters_are_rates_and_gauges_are_not(expr, catalogue):
    for selector in selectors(expr):
        metric = catalogue.get(selector.metric)
        if metric and (metric.type != "gauge") != bool(selector.window):
            yield f"{selector.metric} is a {metric.type}"


@rule("expression")
def quantiles_keep_le(expr, _):
    if "histogram_quantile" in expr and "le" not in grouping_labels(expr):
        yield "histogram_quantile of series without le"


@rule("expression")
def no_made_up_zero(expr, _):
    """vector(0) shows "none" where nothing is measured. A value of 0 has a series with 0."""
    if {"vector", "absent"} & functions(expr):
        yield "vector() or absent()"
