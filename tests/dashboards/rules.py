# SPDX-License-Identifier: Apache-2.0
"""The rules that a dashboard and its panels keep, each a function that yields what is wrong.

A rule is registered for what it looks at: the dashboard, each panel, or each expression; the rules
of expressions are in expression_rules.py. Why a rule is there is in its docstring, where its name
does not say so.
"""

import re

import dashboard as dashboards
from promql import FINDING, grouping_labels, selectors

# Those of a dashboard are some of these, in this order, and the first three always.
VARIABLES = ["datasource", "job", "instance", "role", "target", "lun", "operation"]
ALWAYS = VARIABLES[:3]
PANEL_TYPES = {"timeseries", "stat", "table", "heatmap", "state-timeline", "bargauge"}
UNITS = {"none", "short", "s", "ops", "cps", "Bps", "bytes", "percentunit"}
GRID_COLUMNS = 24

RULES = {"dashboard": [], "panel": [], "expression": []}


def rule(kind):
    """Register a rule: dashboard(dashboard), panel(panel), or expression(expr, catalogue,
    filters); filters are the variables that narrow by a label."""
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
    names = dashboards.variable_names(dashboard)
    if names[:3] != ALWAYS or names != [name for name in VARIABLES if name in names]:
        yield f"variables are {names}"
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
    """A host may be both ends of a session; with two roles at once every sum counts it twice.
    Hosts are many at a time: nothing here is right for one host alone."""
    for variable in dashboards.query_variables(dashboard):
        several = [variable.get("multi"), variable.get("includeAll")]
        if variable.get("name") == "role" and any(several):
            yield "role has several values"
        if variable.get("name") == "instance" and not all(several):
            yield "instance has one value"


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
def findings_are_annotations(dashboard):
    """A line in every graph where a finding began: the first thing to compare a curve with."""
    if not any(FINDING in expr for _, expr in dashboards.annotations(dashboard)):
        yield "no annotation of findings"
    for annotation in dashboard.get("annotations", {}).get("list", []):
        if annotation.get("datasource") != {"type": "prometheus", "uid": "${datasource}"}:
            yield f"annotation {annotation.get('name')} does not use ${{datasource}}"


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
def data_links_have_what_they_name(panel):
    """A link of a cell or a curve takes values from labels, and a label that an aggregation has
    dropped would leave an empty place in the address."""
    for title, url in dashboards.data_links(panel):
        for label in re.findall(r"__(?:data\.fields|field\.labels)\.(\w+)", url):
            for target in targets(panel):
                kept = grouping_labels(target.get("expr", ""))
                if kept and label not in kept:
                    yield f"link {title!r} takes {label}, which the expression drops"
        if url.startswith("/d/") and "${__url_time_range}" not in url:
            yield f"link {title!r} drops the time range"


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
