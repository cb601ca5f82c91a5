# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus for tests: started on a free loopback port, asked over its HTTP API, ended."""

import http.client
import json
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

SCRAPE_CONFIG = Path(__file__).resolve().parents[2] / "dashboards" / "prometheus.yml"

HTTP_TIMEOUT_S = 10
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10
# Another process may take the free port before Prometheus has it, so one failure says little.
START_ATTEMPTS = 3

# No proxy: an http_proxy of the environment has no business with a loopback address.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PrometheusError(RuntimeError):
    """Prometheus did not start, did not answer, or refused a query."""


def api(url, path, **parameters):
    """The "data" of one answer of Prometheus's HTTP API. Raises PrometheusError."""
    query = urllib.parse.urlencode(parameters, doseq=True)
    try:
        with _opener.open(f"{url}/api/v1/{path}?{query}", timeout=HTTP_TIMEOUT_S) as response:
            return json.load(response)["data"]
    except urllib.error.HTTPError as error:
        # The body has the reason: a parse error with its position, or a many-to-many match.
        raise PrometheusError(f"{path}: {error.read().decode(errors='replace')}") from error
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise PrometheusError(f"{path}: {error}") from error


def scrape_config(target, scrape_interval):
    """dashboards/prometheus.yml with another address and interval: what we ship is what we test."""
    text = SCRAPE_CONFIG.read_text(encoding="utf-8")
    for pattern, value in ((r'(?<=targets: \[")[^"]+(?="\])', target),
                           (r"(?<=scrape_interval: )\S+", scrape_interval)):
        text, replaced = re.subn(pattern, value, text)
        if replaced != 1:
            raise PrometheusError(f"{SCRAPE_CONFIG.name}: {pattern} matches {replaced} times")
    return text


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """A Prometheus of our own on a free loopback port, its data in a folder that goes with it.

    Use with `with`: on entry it is started and ready, on exit it is gone, whatever was raised.
    """

    def __init__(self, target, scrape_interval="1s", binary="prometheus"):
        self.target = target
        self.scrape_interval = scrape_interval
        self.binary = binary
        self.url = None
        self._process = None
        self._folder = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="lunscope-prometheus-")
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    @property
    def pid(self):
        return self._process.pid

    @property
    def folder(self):
        """Where its config, data and log are while it runs."""
        return Path(self._folder.name)

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
            self._require_running()
            time.sleep(0.2)
        targets = api(self.url, "targets", state="active")["activeTargets"]
        reasons = "; ".join(target["lastError"] for target in targets) or "no target"
        raise PrometheusError(
            f"{self.target} not scraped {count} times in {timeout_s} s: {reasons}")

    def _start(self):
        for attempt in range(START_ATTEMPTS):
            try:
                self._start_once()
                return
            except PrometheusError:
                self._end_process()
                if attempt + 1 == START_ATTEMPTS:
                    raise

    def _start_once(self):
        config = self.folder / "prometheus.yml"
        config.write_text(scrape_config(self.target, self.scrape_interval), encoding="utf-8")
        address = f"127.0.0.1:{free_port()}"
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                [self.binary, f"--config.file={config}",
                 f"--storage.tsdb.path={self.folder / 'data'}",
                 f"--web.listen-address={address}", "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        self.url = f"http://{address}"
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            self._require_running()
            try:
                _opener.open(f"{self.url}/-/ready", timeout=HTTP_TIMEOUT_S).close()
                return
            except OSError:
                time.sleep(0.1)
        raise PrometheusError(f"not ready in {START_TIMEOUT_S} s\n{self._log_tail()}")

    def _require_running(self):
        status = self._process.poll()
        if status is not None:
            raise PrometheusError(f"{self.binary} ended with status {status}\n{self._log_tail()}")

    def _log_tail(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def _end_process(self):
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _stop(self):
        try:
            self._end_process()
        finally:
            self._folder.cleanup()
