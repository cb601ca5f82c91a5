#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that every rule of the lint can fail: a small good dashboard, broken once per row.

A new rule is one function in rules.py and one row or more in BROKEN; a rule without a row fails.
"""

import copy
import re
import sys
import tempfile
import unittest
from pathlib import Path

import lint
import rules
from promql import by_series_name


def metric(name, kind, *labels):
    return {"name": name, "type": kind, "labels": [{"name": label} for label in labels]}


CATALOGUE = by_series_name([
    metric("x_commands_total", "counter", "role", "target", "lun", "operation"),
    metric("x_errors_total", "counter", "role", "target", "lun", "status"),
    metric("x_duration_seconds", "histogram", "role", "target", "lun", "operation"),
    metric("x_up", "gauge"),
    metric("lunscope_finding", "gauge", "finding", "role", "target", "lun"),
])

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
ALL = ",".join(f'{name}=~"${name}"' for name in rules.VARIABLES[1:])
RATE = f"sum by (operation) (rate(x_commands_total{{{ALL}}}[$__rate_interval]))"
BUCKETS = f"sum by (le) (rate(x_duration_seconds_bucket{{{ALL}}}[$__rate_interval]))"
FINDINGS = ('lunscope_finding{job=~"$job",instance=~"$instance",target=~"$target|",'
            'lun=~"$lun|"} == 1')
UP = 'x_up{job=~"$job",instance=~"$instance"}'


def query_variable(name, before):
    narrowed = ",".join(f'{each}=~"${each}"' for each in before)
    single = name in ("role", "lun")
    return {"name": name, "type": "query", "label": name, "description": "Its meaning.",
            "datasource": DATASOURCE, "refresh": 2, "multi": not single, "includeAll": not single,
            "allValue": ".*",
            "query": {"query": f"label_values(x_commands_total{{{narrowed}}}, {name})"}}


def panel(number, kind, expr, legend, **target):
    return {"id": number, "type": kind, "title": f"Panel {number}", "datasource": DATASOURCE,
            "description": "It shows a rate. Bad: a bad rate.",
            "gridPos": {"x": 0, "y": number, "w": 24, "h": 1},
            "fieldConfig": {"defaults": {"unit": "ops", "thresholds": {
                "mode": "absolute", "steps": [{"color": "green", "value": None},
                                              {"color": "red", "value": 1}]}}},
            "options": {"yAxis": {"unit": "s"}, "cellValues": {"unit": "ops"}},
            "targets": [{"refId": "A", "datasource": DATASOURCE, "expr": expr,
                         "legendFormat": legend, **target}]}


def data_link(url):
    return [{"properties": [{"id": "links", "value": [{"title": "Link", "url": url}]}]}]


# Panel 0 and 4 are the rows; SERIES, HEATMAP and TABLE below are where the others are.
GOOD = {
    "schemaVersion": 39, "uid": "good", "id": None, "title": "Good", "tags": ["good"],
    "links": [{"title": "other", "keepTime": True, "includeVars": True}],
    "annotations": {"list": [{"name": "Findings", "datasource": DATASOURCE, "expr": FINDINGS}]},
    "templating": {"list": [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source",
         "description": "Its meaning."},
        *(query_variable(name, rules.VARIABLES[1:number])
          for number, name in enumerate(rules.VARIABLES) if number)]},
    "panels": [
        {"id": 10, "type": "row", "title": "Open", "collapsed": False, "panels": []},
        panel(1, "timeseries", RATE, "{{operation}}"),
        panel(2, "heatmap", BUCKETS, "{{le}}", format="heatmap"),
        panel(3, "table", UP, "", format="table", instant=True),
        {"id": 11, "type": "row", "title": "Closed", "collapsed": True, "panels": [
            panel(4, "stat", f"histogram_quantile(0.99, {BUCKETS})", "p99")]}],
}

SERIES, HEATMAP, TABLE = (("panels", number) for number in (1, 2, 3))
EXPR = ("targets", 0, "expr")
INSTANCE, ROLE, LUN, OPERATION = (("templating", "list", number) for number in (2, 3, 5, 6))
NOTE = ("annotations", "list", 0)
OVERRIDES = (*SERIES, "fieldConfig", "overrides")
STEPS = (*SERIES, "fieldConfig", "defaults", "thresholds", "steps")
GONE = object()

# (rule, where in GOOD, what is put there)
BROKEN = [
    ("schema_version_is_supported", ("schemaVersion",), 38),
    ("schema_version_is_supported", ("schemaVersion",), 42),
    ("uid_is_fixed_and_id_is_not", ("uid",), None),
    ("uid_is_fixed_and_id_is_not", ("uid",), "a" * 41),
    ("uid_is_fixed_and_id_is_not", ("id",), 7),
    ("uid_is_fixed_and_id_is_not", ("id",), GONE),
    ("is_not_an_export", ("__inputs",), []),
    ("has_title_and_tags", ("title",), ""),
    ("has_title_and_tags", ("tags",), []),
    ("variables_are_the_agreed_ones", INSTANCE, GONE),
    ("variables_are_the_agreed_ones", (*LUN, "name"), "disk"),
    ("variables_are_the_agreed_ones", ("templating", "list", 0, "query"), "loki"),
    ("variables_are_described", (*ROLE, "description"), ""),
    ("variables_are_chained", (*LUN, "query"), "label_values(x_commands_total, lun)"),
    ("variables_are_chained", (*LUN, "query"), "query_result(x_up)"),
    ("variables_are_chained", (*LUN, "query", "query"),
     "label_values(x_commands_total{}, operation)"),
    ("variables_follow_the_time_range", (*LUN, "refresh"), 1),
    ("role_is_one_at_a_time", (*ROLE, "multi"), True),
    ("role_is_one_at_a_time", (*ROLE, "includeAll"), True),
    ("role_is_one_at_a_time", (*INSTANCE, "includeAll"), False),
    ("all_is_a_regular_expression", (*INSTANCE, "allValue"), ""),
    ("findings_are_annotations", (*NOTE, "expr"), UP),
    ("findings_are_annotations", (*NOTE, "datasource"), {"type": "prometheus", "uid": "abc"}),
    ("data_links_have_what_they_name", OVERRIDES,
     data_link("/d/good?var-lun=${__field.labels.lun}&${__url_time_range}")),
    ("data_links_have_what_they_name", OVERRIDES, data_link("/d/good?var-lun=1")),
    ("findings_are_never_hidden", (*NOTE, "expr"), FINDINGS.replace("$lun|", "$lun")),
    ("findings_are_never_hidden", (*NOTE, "expr"),
     FINDINGS.replace("target=", 'role=~"$role",target=')),
    ("variables_use_the_datasource_variable", (*LUN, "datasource"), {"uid": "abc"}),
    ("links_keep_time_and_variables", ("links", 0, "keepTime"), False),
    ("links_keep_time_and_variables", ("links", 0, "includeVars"), GONE),
    ("first_rows_are_expanded", ("panels", 0, "collapsed"), True),
    ("first_rows_are_expanded", ("panels", 0), GONE),
    ("first_rows_are_expanded", ("panels", 4, "panels"), []),
    ("first_rows_are_expanded", ("panels", 4, "collapsed"), False),
    ("ids_and_titles_are_unique", (*SERIES, "id"), 4),
    ("ids_and_titles_are_unique", (*SERIES, "title"), "Closed"),
    ("panels_do_not_overlap", (*SERIES, "gridPos", "h"), 2),
    ("panels_do_not_overlap", (*SERIES, "gridPos", "x"), 1),
    ("type_is_allowed", (*SERIES, "type"), "graph"),
    ("has_a_title", (*SERIES, "title"), ""),
    ("description_says_what_bad_looks_like", (*SERIES, "description"), GONE),
    ("description_says_what_bad_looks_like", (*SERIES, "description"), "It shows a rate."),
    ("units_are_known", (*SERIES, "fieldConfig", "defaults", "unit"), GONE),
    ("units_are_known", (*SERIES, "fieldConfig", "defaults", "unit"), "seconds"),
    ("units_are_known", (*HEATMAP, "options", "yAxis", "unit"), GONE),
    ("units_are_known", (*SERIES, "fieldConfig", "overrides"),
     [{"properties": [{"id": "unit", "value": "bps?"}]}]),
    ("uses_the_datasource_variable", (*SERIES, "datasource"), GONE),
    ("uses_the_datasource_variable", (*SERIES, "targets", 0, "datasource"),
     {"type": "prometheus", "uid": "abc"}),
    ("thresholds_are_in_order", (*SERIES, "fieldConfig", "defaults", "thresholds"), GONE),
    ("thresholds_are_in_order", (*STEPS, 0, "value"), 0),
    ("thresholds_are_in_order", STEPS, [{"value": None}, {"value": 2}, {"value": 1}]),
    ("thresholds_are_in_order", (*SERIES, "fieldConfig", "overrides"),
     [{"properties": [{"id": "thresholds", "value": {"mode": "absolute", "steps": []}}]}]),
    ("targets_have_their_own_ref_id", (*SERIES, "targets"), []),
    ("targets_have_their_own_ref_id", (*SERIES, "targets", 0, "refId"), GONE),
    ("format_fits_the_panel", (*HEATMAP, "targets", 0, "format"), "time_series"),
    ("format_fits_the_panel", (*HEATMAP, *EXPR), RATE),
    ("format_fits_the_panel", (*TABLE, "targets", 0, "format"), GONE),
    ("format_fits_the_panel", (*TABLE, "targets", 0, "instant"), False),
    ("legend_names_labels_that_are_kept", (*SERIES, "targets", 0, "legendFormat"), ""),
    ("legend_names_labels_that_are_kept", (*SERIES, "targets", 0, "legendFormat"), "{{lun}}"),
    ("metrics_are_in_the_catalogue", (*SERIES, *EXPR), RATE.replace("commands", "comands")),
    ("metrics_are_in_the_catalogue", (*SERIES, *EXPR), BUCKETS.replace("_bucket", "")),
    ("metrics_are_in_the_catalogue", (*LUN, "query"), 'label_values(x_no{job=~"$job"}, lun)'),
    ("labels_are_in_the_catalogue", (*SERIES, *EXPR), RATE.replace("target=~", "tgt=~")),
    ("labels_are_in_the_catalogue", (*SERIES, *EXPR), RATE.replace("(operation)", "(opcode)")),
    ("labels_are_in_the_catalogue", (*LUN, "query"), "label_values(x_up, lun)"),
    ("selectors_name_job_and_instance", (*TABLE, *EXPR), 'x_up{job=~"$job"}'),
    ("selectors_name_job_and_instance", (*TABLE, *EXPR), UP.replace('"$job"', '"lunscope"')),
    ("selectors_name_job_and_instance", (*TABLE, *EXPR), f"{UP} * lunscope_up"),
    ("selectors_follow_the_variables", (*SERIES, *EXPR), RATE.replace(',role=~"$role"', "")),
    ("selectors_follow_the_variables", (*SERIES, *EXPR),
     RATE + " / " + RATE.replace('role=~"$role"', 'role="target"')),
    ("selectors_follow_the_variables", (*SERIES, *EXPR),
     f"{RATE} / {RATE}".replace("x_commands", "x_errors", 1)),
    ("windows_are_the_rate_interval", (*SERIES, *EXPR), RATE.replace("$__rate_interval", "5m")),
    ("windows_are_the_rate_interval", (*SERIES, *EXPR), f"max_over_time({RATE}[1h:1m])"),
    ("counters_are_rates_and_gauges_are_not", (*TABLE, *EXPR), f"x_commands_total{{{ALL}}}"),
    ("counters_are_rates_and_gauges_are_not", (*TABLE, *EXPR), f"rate({UP}[$__rate_interval])"),
    ("quantiles_keep_le", (*SERIES, *EXPR), f"histogram_quantile(0.5, {RATE})"),
    ("no_made_up_zero", (*SERIES, *EXPR), f"{RATE} or vector(0)"),
    ("promtool_parses", (*SERIES, *EXPR), RATE[:-1]),
    ("promtool_parses", (*SERIES, *EXPR), RATE + " offset $offset"),
    ("promtool_parses", (*LUN, "query"), 'label_values(x_commands_total{job=~"("}, lun)'),
]


def broken(where, value):
    """A copy of GOOD with `value` at the path `where`, or without what is there."""
    dashboard = copy.deepcopy(GOOD)
    holder = dashboard
    for key in where[:-1]:
        holder = holder[key]
    if value is GONE:
        del holder[where[-1]]
    else:
        holder[where[-1]] = value
    return dashboard


class LintTest(unittest.TestCase):

    def test_good_dashboard_has_no_finding(self):
        self.assertEqual(list(lint.lint_dashboard(GOOD, CATALOGUE)), [])

    def test_each_rule_finds_what_it_is_there_for(self):
        for name, where, value in BROKEN:
            with self.subTest(rule=name, where=where, value=value):
                findings = list(lint.lint_dashboard(broken(where, value), CATALOGUE))
                self.assertTrue([each for each in findings if f"{name}: " in each], findings)

    def test_each_rule_has_a_row(self):
        every = {rule.__name__ for kind in rules.RULES.values() for rule in kind}
        self.assertEqual(every | {"promtool_parses"}, {name for name, _, _ in BROKEN})

    def test_what_a_dashboard_may_be(self):
        """Fewer variables, and an expression that is about one role."""
        for where, value in ((OPERATION, GONE), ((*SERIES, *EXPR), RATE.replace(
                'role=~"$role"', 'role="target"'))):
            findings = list(lint.lint_dashboard(broken(where, value), CATALOGUE))
            self.assertEqual([each for each in findings if "variables_" in each or "role" in each],
                             [])

    def test_links_lead_to_a_dashboard_and_its_variables(self):
        for url, expected in (("/d/good?var-lun=1", None), ("/d/bad?var-lun=1", "leads nowhere"),
                              ("/d/good?var-disk=1", "sets disk, which good has not"),
                              ("http://host/findings", None)):
            found = list(lint.lint_links({"good.json": broken(OVERRIDES, data_link(url))}))
            self.assertEqual(len(found), 1 if expected else 0, found)
            self.assertIn(expected or "", "".join(found))

    def test_finding_names_the_panel(self):
        findings = list(lint.lint_dashboard(broken((*SERIES, *EXPR), "sum("), CATALOGUE))
        self.assertRegex("\n".join(findings), "promtool_parses: .*Panel 1 / A")


class FilesTest(unittest.TestCase):
    """The files beside the dashboard, each broken by replacing one text."""

    CASES = [
        ("prometheus.yml", "scrape_interval: 15s", "scrape_interval: 1day", "prometheus.yml"),
        ("prometheus.yml", "scrape_interval: 15s", "scrape_interval: 30s", "timeInterval"),
        ("prometheus.yml", "job_name: lunscope", "job_name: other", "no `job_name: lunscope`"),
        ("prometheus.yml", ":13260", ":9100", "no `targets:"),
        ("provisioning/datasources/prometheus.yml", "timeInterval: 15s", "", "timeInterval"),
        ("provisioning/datasources/prometheus.yml", "apiVersion: 1", "", "no apiVersion"),
        ("provisioning/dashboards/lunscope.yml", "apiVersion: 1", "apiVersion: 2", "no apiVersion"),
        ("rules/lunscope.yml", "expr: up{", "expr: up{{", "lunscope.yml"),
        ("rules/lunscope.yml", "lunscope_finding{", "lunscope_other{", "no metric lunscope_other"),
        ("alertmanager.yml", "receiver: operators", "receiver: nobody", "nobody"),
        ("alertmanager.yml", "group_by: [target]", "group_by: [tgt]", "no label tgt"),
        ("alertmanager.yml", '"target-stopped"', '"target-stoped"', "no finding target-stoped"),
        ("rules/lunscope.yml", "docs/RUNBOOKS.md", "docs/OTHER.md", "no page docs/OTHER.md"),
    ]
    METRICS = by_series_name([metric("lunscope_finding", "gauge", "finding", "target")])

    def copy_of_files(self, folder):
        for name in {name for name, *_ in self.CASES}:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text((lint.DASHBOARDS / name).read_text())

    def test_files_as_shipped_have_no_finding(self):
        self.assertEqual(list(lint.lint_files(lint.DASHBOARDS, self.METRICS)), [])

    def test_each_broken_file_is_found(self):
        for name, old, new, expected in self.CASES:
            with self.subTest(name=name, new=new), tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                self.copy_of_files(folder)
                text = (folder / name).read_text()
                self.assertIn(old, text)
                (folder / name).write_text(text.replace(old, new))
                findings = list(lint.lint_files(folder, self.METRICS))
                self.assertTrue([each for each in findings if expected in each], findings)

    def test_alerts(self):
        """Which series make which alert. Where one has other words, promtool says so."""
        tests = Path(__file__).with_name("alerts_test.yml")
        self.assertEqual(lint.promtool("test", "rules", str(tests)), "")
        with tempfile.TemporaryDirectory() as folder:
            broken = Path(folder, "test.yml")
            rules = lint.DASHBOARDS / "rules" / "lunscope.yml"
            broken.write_text(re.sub(r"- \.\./.*yml", f"- {rules}", tests.read_text())
                              .replace("severity: critical", "severity: warning"))
            self.assertIn("severity=\"critical\"", lint.promtool("test", "rules", str(broken)))


if __name__ == "__main__":
    sys.exit(unittest.main())
