#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that queries.py tells data from no data, against a real Prometheus and an exporter in here.

Takes about twenty seconds, most of it the five that Prometheus takes to its first scrape.
"""

import http.server
import json
import os
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import prometheus
import queries

SCRAPES = 3


class Exporter(http.server.BaseHTTPRequestHandler):
    """Counts its scrapes in x_total; x_idle_total stands still."""

    scrapes = 0

    def do_GET(self):
        Exporter.scrapes += 1
        body = ("# TYPE x_total counter\n"
                f'x_total{{lun="0"}} {Exporter.scrapes}\n'
                "# TYPE x_idle_total counter\n"
                'x_idle_total{lun="0"} 1\nx_idle_total{lun="1"} 1\n')
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


# title, expression, whether it is instant, number of series with data (with $lun set to .*)
PANELS = [
    ("moves", 'rate(x_total{lun=~"$lun"}[$__rate_interval])', False, 1),
    ("stands still, and that is data", "rate(x_idle_total[${__rate_interval}])", False, 2),
    ("instant", "x_total", True, 1),
    ("misspelt", "x_totl", False, 0),
    ("misspelt, instant", "x_totl", True, 0),
    ("only NaN", "rate(x_idle_total[$__rate_interval]) / 0", False, 0),
]


def dashboard(panels):
    return {"panels": [{"type": "timeseries", "title": title,
                        "targets": [{"expr": expr, "instant": instant}]}
                       for title, expr, instant, _ in panels],
            "annotations": {"list": [{"name": "moments", "expr": "x_total > 1"},
                                     {"name": "Findings", "expr": "x_totl"}]},
            "templating": {"list": [
                {"name": "lun", "type": "query", "query": {"query": "label_values(x_total, lun)"}},
                {"name": "no", "type": "query", "query": "label_values(x_totl, lun)"}]}}


class QueriesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        exporter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
        cls.addClassCleanup(exporter.server_close)
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        cls.addClassCleanup(exporter.shutdown)
        cls.server = cls.enterClassContext(
            prometheus.Prometheus(f"127.0.0.1:{exporter.server_port}"))
        cls.server.wait_for_samples(SCRAPES)

    def run_on(self, panels, **variables):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "dashboard.json"
            file.write_text(json.dumps(dashboard(panels)))
            return queries.run_queries(self.server.url, file, variables, "10s", 10)

    def test_data_is_told_from_no_data(self):
        counts = {answer.panel: answer.n_series for answer in self.run_on(PANELS)}
        self.assertEqual(counts, {title: count for title, _, _, count in PANELS}
                         | {"variable lun": 1, "variable no": 0, "annotation moments": 1,
                            "annotation Findings": 0})

    def test_some_may_be_empty(self):
        """Those that queries.EMPTY names, and no others."""
        answers = self.run_on(PANELS)
        self.assertEqual(
            {answer.panel for answer in queries.without_data(answers)}
            - {answer.panel for answer in queries.unexplained(answers)}, {"annotation Findings"})

    def test_variable_narrows_a_query(self):
        answers = self.run_on(PANELS, lun="7")
        self.assertIn("moves", [answer.panel for answer in queries.without_data(answers)])

    def test_every_refused_query_is_named(self):
        refused = [("many to many", "x_idle_total * on (job) x_idle_total", True, 0),
                   ("no expression", "rate(", False, 0)]
        with self.assertRaises(prometheus.PrometheusError) as raised:
            self.run_on(refused)
        for title, *_ in refused:
            self.assertIn(title, str(raised.exception))

    def test_variable_without_a_value_is_an_error(self):
        with self.assertRaises(KeyError):
            self.run_on([("unknown", "x_total[$nothing]", False, 0)])


class PrometheusTest(unittest.TestCase):

    def test_ends_and_cleans_up_when_the_body_raises(self):
        with self.assertRaises(ZeroDivisionError):
            with prometheus.Prometheus("127.0.0.1:1") as server:
                folder, pid = server.folder, server.pid
                self.assertTrue(folder.is_dir())
                1 / 0
        self.assertFalse(folder.exists())
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    def test_says_why_it_did_not_start(self):
        with self.assertRaisesRegex(prometheus.PrometheusError, "ended with status 1"):
            with prometheus.Prometheus("127.0.0.1:1", binary="false"):
                pass

    def test_says_why_nothing_was_scraped(self):
        with prometheus.Prometheus("127.0.0.1:1") as server:
            with self.assertRaisesRegex(prometheus.PrometheusError, "connection refused"):
                server.wait_for_samples(1, timeout_s=10)


if __name__ == "__main__":
    sys.exit(unittest.main())
