#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run every query of the dashboards against a real Prometheus, and fail for each that finds nothing
and is not in EMPTY.

As a module: run_queries() for a Prometheus that runs already, `with Prometheus(target) as server`
for one of our own. As a command:

    queries.py --target 127.0.0.1:13260 --seconds 60     scrape it, then ask
    queries.py --url http://127.0.0.1:9090               ask a Prometheus that has the data

A query that answers only NaN found nothing: it is what a ratio or a quantile of no traffic gives,
and a panel that shows it is as empty as one without a series. Exit status: 0 all found data, 1 some
did not, 2 could not ask.
"""

import argparse
import math
import re
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import dashboard as dashboards
from prometheus import HTTP_TIMEOUT_S, Prometheus, PrometheusError, api

DASHBOARDS = sorted((Path(__file__).resolve().parents[2] / "dashboards").glob("*.json"))


_WELL, _LAYERS = "nothing is wrong", "no SCSI layer of the kernel is watched, or in use"
# Panels whose queries may find nothing on a host where all is well, and why.
EMPTY = {
    "annotation Findings": _WELL,
    "Findings that hold": _WELL,
    "Probes that are not attached": _WELL,
    "Slowest guests": "no guest",
    "Time in BPF programs": "kernel.bpf_stats_enabled is not set",
    "Sequential share": "no --profile",
    "Mean queue depth": "no --profile",
    "Alignment": "no --profile",
    "Time between commands": "no --profile",
    "The LUN on its hosts": "the LUN is no disk of the kernel",
    "Commands of the SCSI layers": _LAYERS,
    "Mean duration in the SCSI layers": _LAYERS,
    "Above the wire": _LAYERS,
    "Outstanding in the SCSI layers": _LAYERS,
    "Errors of the SCSI layers": _LAYERS,
    "Retries, timeouts, refusals": _LAYERS,
    "Oldest commands in the SCSI layers": _LAYERS,
}


class Answer(NamedTuple):
    """The result of one query. `panel` is a panel title, or "variable NAME" for a templating query,
    or "annotation NAME"; `n_series` counts series with at least one number (values, for a
    templating query)."""

    panel: str
    expr: str
    n_series: int


def _has_number(series):
    samples = series["values"] if "values" in series else [series["value"]]
    return any(not math.isnan(float(value)) for _, value in samples)


def _count_series(url, expr, instant, now, seconds):
    if instant:
        data = api(url, "query", query=expr, time=now)
    else:
        data = api(url, "query_range", query=expr, start=now - seconds, end=now, step=1)
    return sum(_has_number(series) for series in data["result"])


def _count_values(url, series, label, now, seconds):
    parameters = {"match[]": series, "start": now - seconds, "end": now}
    return len(api(url, f"label/{label}/values", **parameters))


def _questions(dashboard, values, url, now, seconds):
    """(name, query text, function that asks it and counts the answers), for every query."""
    for variable in dashboards.query_variables(dashboard):
        query = dashboards.variable_query(variable)
        if query is None:
            raise PrometheusError(f"variable {variable['name']}: not label_values(series, label)")
        series = dashboards.substitute(query.series, values)
        yield (f"variable {variable['name']}", f"label_values({series}, {query.label})",
               partial(_count_values, url, series, query.label, now, seconds))
    for name, expr in dashboards.annotations(dashboard):
        expr = dashboards.substitute(expr, values)
        yield f"annotation {name}", expr, partial(_count_series, url, expr, False, now, seconds)
    for panel in dashboards.panels(dashboard):
        for target in panel.get("targets", []):
            expr = dashboards.substitute(target["expr"], values)
            yield (panel["title"], expr,
                   partial(_count_series, url, expr, bool(target.get("instant")), now, seconds))


def run_queries(prometheus_url, dashboard_file, variables=None, rate_interval="20s", seconds=30):
    """Every query of a dashboard, run as Grafana would over the last `seconds`: [Answer].

    `variables` maps variable name to the regular expression put in its place; what it leaves out
    selects everything. `rate_interval` must span two scrapes or more. Raises PrometheusError that
    lists the queries Prometheus refused, if any.
    """
    dashboard = dashboards.load(dashboard_file)
    values = dashboards.match_everything(dashboard, rate_interval) | (variables or {})
    answers, refused = [], []
    for name, expr, count in _questions(dashboard, values, prometheus_url, time.time(), seconds):
        try:
            answers.append(Answer(name, expr, count()))
        except PrometheusError as error:
            refused.append(f"{name}: {expr}: {error}")
    if refused:
        raise PrometheusError("\n".join(refused))
    return answers


def without_data(answers):
    return [answer for answer in answers if answer.n_series == 0]


def unexplained(answers):
    """Those without data for which EMPTY has no reason."""
    return [answer for answer in without_data(answers) if answer.panel not in EMPTY]


def seconds_of(duration):
    """A Prometheus duration of one unit ("500ms", "20s", "1m") in seconds."""
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", duration)
    if not match:
        raise argparse.ArgumentTypeError(f"{duration}: not a duration such as 20s")
    return int(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2]]


def name_and_value(text):
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text}: not NAME=REGEX")
    return name, value


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="ask this Prometheus")
    where.add_argument("--target", help="start a Prometheus that scrapes this address, and ask it")
    parser.add_argument("--dashboard", type=Path, action="append",
                        help="a dashboard file; may be given again (default: all)")
    parser.add_argument("--seconds", type=int, default=30, help="time range of each query")
    parser.add_argument("--scrape-interval", default="1s")
    parser.add_argument("--rate-interval", default="20s", help="value of $__rate_interval")
    parser.add_argument("--variable", type=name_and_value, action="append", default=[],
                        metavar="NAME=REGEX", help="value of a variable; any other is .*")
    return parser.parse_args()


def ask(url, options):
    answers = [answer for file in options.dashboard or DASHBOARDS
               for answer in run_queries(url, file, dict(options.variable), options.rate_interval,
                                         options.seconds)]
    for answer in answers:
        print(f"{answer.n_series:5}  {answer.panel}: {answer.expr}")
    empty = unexplained(answers)
    for answer in empty:
        print(f"no data: {answer.panel}: {answer.expr}", file=sys.stderr)
    for panel in sorted({answer.panel for answer in without_data(answers)} & set(EMPTY)):
        print(f"no data: {panel}: {EMPTY[panel]}")
    return 1 if empty else 0


def main():
    # So that a test runner that times out leaves no Prometheus behind: SystemExit unwinds the with.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    options = arguments()
    try:
        if options.url:
            return ask(options.url.rstrip("/"), options)
        with Prometheus(options.target, options.scrape_interval) as server:
            scrapes = int(options.seconds / seconds_of(options.scrape_interval))
            server.wait_for_samples(scrapes, timeout_s=2 * options.seconds + HTTP_TIMEOUT_S)
            return ask(server.url, options)
    except (PrometheusError, OSError) as error:
        print(f"queries.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
