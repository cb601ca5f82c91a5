# SPDX-License-Identifier: Apache-2.0
"""A Grafana dashboard file for the tests of this folder: panels, queries, variables.

A dashboard is the dict that json.load() gives. Nothing here judges or runs anything; lint.py and
queries.py do.
"""

import json
import re
from dataclasses import dataclass

# $name, ${name} and ${name:format}: how a query refers to a variable.
VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")

LABEL_VALUES = re.compile(r"^label_values\(\s*(?:(?P<series>.+)\s*,\s*)?(?P<label>\w+)\s*\)$", re.S)


@dataclass(frozen=True)
class LabelValues:
    """The query of a template variable: the values that `label` has in `series`."""

    variable: str
    series: str
    label: str


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def rows(dashboard):
    """[(row panel or None, its panels)]. A collapsed row keeps them inside, an open one leads."""
    found = []
    for panel in dashboard.get("panels", []):
        if panel.get("type") == "row":
            found.append((panel, list(panel.get("panels", []))))
        elif found:
            found[-1][1].append(panel)
        else:
            found.append((None, [panel]))
    return found


def panels(dashboard):
    """Every panel that shows data, in reading order."""
    return [panel for _, inside in rows(dashboard) for panel in inside]


def annotations(dashboard):
    """[(name, expression)] of the annotations."""
    return [(each.get("name"), each.get("expr", ""))
            for each in dashboard.get("annotations", {}).get("list", []) if "expr" in each]


def data_links(panel):
    """[(title, address)] of the links in its cells and curves."""
    config = panel.get("fieldConfig", {})
    links = list(config.get("defaults", {}).get("links", []))
    for override in config.get("overrides", []):
        links += [link for each in override.get("properties", []) if each.get("id") == "links"
                  for link in each["value"]]
    return [(link.get("title"), link.get("url", "")) for link in links]


def variables(dashboard):
    return dashboard.get("templating", {}).get("list", [])


def variable_names(dashboard):
    return [variable.get("name", "") for variable in variables(dashboard)]


def query_variables(dashboard):
    return [variable for variable in variables(dashboard) if variable.get("type") == "query"]


def variable_query(variable):
    """The query of a variable as LabelValues, or None if it is of another form."""
    query = variable.get("query", "")
    text = query.get("query", "") if isinstance(query, dict) else query
    match = LABEL_VALUES.match(text.strip())
    if not match or not match["series"]:
        return None
    return LabelValues(variable.get("name", ""), match["series"].strip(), match["label"])


def substitute(text, values):
    """`text` with each variable replaced by its value. Raises KeyError for one that has none."""
    return VARIABLE.sub(lambda match: values[match[1] or match[2]], text)


def match_everything(dashboard, rate_interval):
    """Values for substitute() that select every series, as a dashboard does with all set to All."""
    values = {variable["name"]: ".*" for variable in query_variables(dashboard)}
    return values | {"__rate_interval": rate_interval}
