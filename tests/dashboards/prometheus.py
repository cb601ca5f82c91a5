# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus for tests: started on a free loopback port, asked over its HTTP API, ended."""

import http.client
import json
import re
import time
import urllib.error
import urllib.parse
from pathlib import Path

from server import HTTP_TIMEOUT_S, OPENER, Server, ServerError

DASHBOARDS = Path(__file__).resolve().parents[2] / "dashboards"
SCRAPE_CONFIG = DASHBOARDS / "prometheus.yml"
RULES = DASHBOARDS / "rules" / "lunscope.yml"
# A test has no minutes: waits of the shipped file, and those that it gets here.
QUICK = {"for: 2m": "for: 2s", "keep_firing_for: 1m": "keep_firing_for: 2s"}


class PrometheusError(ServerError):
    """Prometheus did not start, did not answer, or refused a query."""


def api(url, path, **parameters):
    """The "data" of one answer of Prometheus's HTTP API. Raises PrometheusError."""
    query = urllib.parse.urlencode(parameters, doseq=True)
    try:
        with OPENER.open(f"{url}/api/v1/{path}?{query}", timeout=HTTP_TIMEOUT_S) as response:
            return json.load(response)["data"]
    except urllib.error.HTTPError as error:
        # The body has the reason: a parse error with its position, or a many-to-many match.
        raise PrometheusError(f"{path}: {error.read().decode(errors='replace')}") from error
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise PrometheusError(f"{path}: {error}") from error


def rewritten(file, changes):
    """The text of a shipped file with {pattern: value} put in: what we ship is what we test."""
    text = file.read_text(encoding="utf-8")
    for pattern, value in changes.items():
        text, replaced = re.subn(pattern, value, text)
        if replaced != 1:
            raise PrometheusError(f"{file.name}: {pattern} matches {replaced} times")
    return text


def scrape_config(target, scrape_interval, alertmanager):
    """dashboards/prometheus.yml with other addresses and intervals."""
    return rewritten(SCRAPE_CONFIG, {
        r'(?<=targets: \[")[^"]+:13260(?="\])': target,
        r'(?<=targets: \[")[^"]+:9093(?="\])': alertmanager,
        r"(?<=scrape_interval: )\S+": scrape_interval,
        r"(?<=evaluation_interval: )\S+": scrape_interval})


class Prometheus(Server):
    """A Prometheus of our own on a free loopback port, its data in a folder that goes with it.

    Use with `with`: on entry it is started and ready, on exit it is gone, whatever was raised.
    `alertmanager`: an address that gets the alerts of the shipped rules, which wait for seconds
    where the shipped ones wait for minutes. Without one there are no rules.
    """

    error = PrometheusError

    def __init__(self, target, scrape_interval="1s", binary="prometheus", alertmanager=None):
        super().__init__(binary)
        self.target = target
        self.scrape_interval = scrape_interval
        self.alertmanager = alertmanager

    def query(self, expr):
        """The result list of an instant query now."""
        return api(self.url, "query", query=expr)["result"]

    def wait_for_samples(self, count, timeout_s=60):
        """Wait until the target was scraped with success `count` times. Prometheus takes about five
        seconds from ready to its first scrape."""
        scraped = f'sum_over_time(up{{instance="{self.target}"}}[1h])'
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            result = self.query(scraped)
            if result and float(result[0]["value"][1]) >= count:
                return
            self.require_running()
            time.sleep(0.2)
        targets = api(self.url, "targets", state="active")["activeTargets"]
        reasons = "; ".join(target["lastError"] for target in targets) or "no target"
        raise PrometheusError(
            f"{self.target} not scraped {count} times in {timeout_s} s: {reasons}")

    def command(self, address):
        config = self.folder / "prometheus.yml"
        config.write_text(
            scrape_config(self.target, self.scrape_interval, self.alertmanager or "127.0.0.1:1"),
            encoding="utf-8")
        if self.alertmanager:
            (self.folder / "rules").mkdir(exist_ok=True)
            (self.folder / "rules" / RULES.name).write_text(rewritten(RULES, QUICK),
                                                            encoding="utf-8")
        return [f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address={address}", "--log.level=warn"]
