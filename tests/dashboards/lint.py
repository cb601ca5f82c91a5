#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the Grafana dashboards and the files beside it to the rules of this project.

    lint.py [DASHBOARD.json ...]

Names, types and labels are checked against the catalogue that `lunscope metrics -o json` prints;
$LUNSCOPE is the program. The rules are in rules.py and expression_rules.py; promtool judges
every expression and the scrape config, amtool the example for Alertmanager. A finding is printed as
`file: where: rule: what`. Exit status: 0 clean, 1 findings, 2 could not check. lint_test.py shows
that each rule can fail.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import dashboard as dashboards
from expression_rules import (FILTERS, STANDARD, labels_are_in_the_catalogue,
                              metrics_are_in_the_catalogue)
from promql import by_series_name, catalogue
from rules import RULES

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = ROOT / "dashboards"


def promtool(*arguments, program="promtool"):
    """The complaint of promtool, or of amtool, about a file, or "" if it accepts the file."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return (done.stderr + done.stdout).strip() if done.returncode else ""


def promtool_parses(expressions):
    """Findings of promtool on {name: expression without variables}."""
    groups = [{"name": name, "rules": [{"record": f"lint:expression{number}", "expr": expr}]}
              for number, (name, expr) in enumerate(expressions.items())]
    with tempfile.TemporaryDirectory(prefix="lunscope-lint-") as folder:
        file = Path(folder) / "rules.yml"
        file.write_text(json.dumps({"groups": groups}), encoding="utf-8")  # JSON is YAML
        complaint = promtool("check", "rules", str(file))
    # The first line of each complaint names the file, then the group, which is our name.
    return [line.replace(f"{file}: ", "").strip()
            for line in complaint.splitlines() if "could not parse" in line] or (
                [complaint] if complaint else [])


def check_scrape_config(file):
    """Findings of promtool on a scrape config, and whether it has the job and address we ship."""
    complaint = promtool("check", "config", str(file))
    if complaint:
        yield complaint
    text = file.read_text(encoding="utf-8")
    for line in ("job_name: lunscope", 'targets: ["127.0.0.1:13260"]'):
        if line not in text:
            yield f"no `{line}`"


def check_alertmanager(file, metrics):
    """Findings of amtool, a group that is no label of a finding, and findings that nobody has."""
    complaint = promtool("check-config", str(file), program="amtool")
    if complaint:
        yield complaint
    labels = metrics["lunscope_finding"].labels
    text = file.read_text(encoding="utf-8")
    groups = re.findall(r"^\s*group_by: \[(.*)\]$", text, re.M)
    for label in (label.strip() for group in groups for label in group.split(",")):
        if label not in labels:
            yield f"a finding has no label {label}"
    runbooks = (ROOT / "docs" / "RUNBOOKS.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^## (\S+)$", runbooks, re.M))
    for names in re.findall(r'finding =~? "([^"]+)"', text):
        for name in sorted(set(names.split("|")) - known):
            yield f"no finding {name}"


def check_interval_is_the_same(scrape_config, datasource):
    """Grafana works out $__rate_interval from what the data source says the scrape interval is."""
    scraped = re.findall(r"^\s*scrape_interval: (\S+)$", scrape_config.read_text(), re.M)
    stated = re.findall(r"^\s*timeInterval: (\S+)$", datasource.read_text(), re.M)
    if not scraped or scraped != stated:
        yield f"timeInterval {stated} is not the scrape_interval {scraped} of {scrape_config.name}"


def check_alerts(file, metrics):
    """Findings of promtool on alert rules, and metrics and pages that they name and nobody has."""
    complaint = promtool("check", "rules", str(file))
    if complaint:
        yield complaint
    text = file.read_text(encoding="utf-8")
    for name in sorted(set(re.findall(r"\blunscope_\w+", text)) - set(metrics)):
        yield f"no metric {name}"
    for page in re.findall(r'runbook: "([^#"]+)', text):
        if not (ROOT / page).is_file():
            yield f"no page {page}"


def lint_files(folder, metrics):
    """Findings for the files beside the dashboards in `folder`."""
    scrape_config = folder / "prometheus.yml"
    datasource = folder / "provisioning" / "datasources" / "prometheus.yml"
    provider = folder / "provisioning" / "dashboards" / "lunscope.yml"
    alerts = folder / "rules" / "lunscope.yml"
    routes = folder / "alertmanager.yml"
    for file, found in ((scrape_config, check_scrape_config(scrape_config)),
                        (alerts, check_alerts(alerts, metrics)),
                        (routes, check_alertmanager(routes, metrics)),
                        (datasource, check_interval_is_the_same(scrape_config, datasource))):
        for what in found:
            yield f"{file.name}: {what}"
    for file in (datasource, provider):
        if not re.search(r"^apiVersion: 1$", file.read_text(encoding="utf-8"), re.M):
            yield f"{file.name}: no apiVersion: 1"


def expressions(dashboard):
    """(where, expression) of each panel target and annotation."""
    for panel in dashboards.panels(dashboard):
        for target in panel.get("targets", []):
            yield f"{panel.get('title')} / {target.get('refId')}", target.get("expr", "")
    for name, expr in dashboards.annotations(dashboard):
        yield f"annotation {name}", expr


def variable_selectors(dashboard):
    for variable in dashboards.query_variables(dashboard):
        query = dashboards.variable_query(variable)
        if query:
            yield f"variable {query.variable}", query


def lint_promtool(dashboard):
    values = dashboards.match_everything(dashboard, "1m")
    parsed = {}
    everything = [*expressions(dashboard),
                  *((where, query.series) for where, query in variable_selectors(dashboard))]
    for where, expr in everything:
        try:
            parsed[where] = dashboards.substitute(expr, values)
        except KeyError as unknown:
            yield f"{where}: promtool_parses: variable ${unknown.args[0]} is not defined"
    for what in promtool_parses(parsed):
        yield f"promtool_parses: {what}"


def lint_dashboard(dashboard, metrics):
    """Findings for one dashboard: `where: rule: what`."""
    for check in RULES["dashboard"]:
        for what in check(dashboard):
            yield f"dashboard: {check.__name__}: {what}"
    for panel in dashboards.panels(dashboard):
        for check in RULES["panel"]:
            for what in check(panel):
                yield f"{panel.get('title')}: {check.__name__}: {what}"
    filters = [name for name in FILTERS if name in dashboards.variable_names(dashboard)]
    for where, expr in expressions(dashboard):
        for check in RULES["expression"]:
            for what in check(expr, metrics, filters):
                yield f"{where}: {check.__name__}: {what}"
    for where, query in variable_selectors(dashboard):
        series = query.series if "{" in query.series else query.series + "{}"
        for check in (metrics_are_in_the_catalogue, labels_are_in_the_catalogue):
            for what in check(f"sum by ({query.label}) ({series})", metrics):
                yield f"{where}: {check.__name__}: {what}"
    yield from lint_promtool(dashboard)


def lint_links(loaded):
    """Findings on data links between dashboards: {file name: dashboard}."""
    variables = {each["uid"]: set(dashboards.variable_names(each)) for each in loaded.values()}
    for name, dashboard in loaded.items():
        for panel in dashboards.panels(dashboard):
            for title, url in dashboards.data_links(panel):
                match = re.match(r"/d/([\w-]+)\?", url)
                if not match:
                    continue
                if match[1] not in variables:
                    yield f"{name}: {panel.get('title')}: link {title!r} leads nowhere"
                    continue
                for variable in set(re.findall(r"\bvar-(\w+)=", url)) - variables[match[1]]:
                    yield (f"{name}: {panel.get('title')}: link {title!r} sets {variable}, which "
                           f"{match[1]} has not")


def lint_sources():
    """Findings on dashboards that are not what dashboards/source says."""
    done = subprocess.run([ROOT / "scripts" / "dashboards", "--check"], capture_output=True,
                          text=True, check=False)
    return (done.stdout + done.stderr).splitlines()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("dashboard", type=Path, nargs="*",
                        default=sorted(DASHBOARDS.glob("*.json")))
    options = parser.parse_args()
    try:
        metrics = by_series_name(catalogue.read()) | STANDARD
        if not metrics or not options.dashboard:
            raise ValueError("nothing to check, or no metric to check it against")
        loaded = {file.name: dashboards.load(file) for file in options.dashboard}
        findings = [*lint_files(DASHBOARDS, metrics), *lint_sources(), *lint_links(loaded)]
        for name, dashboard in loaded.items():
            findings += [f"{name}: {finding}" for finding in lint_dashboard(dashboard, metrics)]
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"lint.py: {error}", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    print(f"{len(options.dashboard)} dashboard(s), {sum(map(len, RULES.values()))} rules, "
          f"{len(findings)} finding(s)")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
