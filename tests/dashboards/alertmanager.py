# SPDX-License-Identifier: Apache-2.0
"""A real Alertmanager with the configuration that we ship, and the receiver of its messages."""

import http.server
import json
import threading
from typing import NamedTuple

from prometheus import DASHBOARDS, rewritten
from server import Server

CONFIG = DASHBOARDS / "alertmanager.yml"
# A test has no minutes: waits of the shipped file, and those that it gets here.
QUICK = {"group_wait: 30s": "group_wait: 1s", "group_wait: 10s": "group_wait: 1s",
         "group_interval: 5m": "group_interval: 1s"}


class Message(NamedTuple):
    """One webhook call: the labels that Alertmanager groups by, and the alerts that fire."""

    group: dict
    alerts: list


class Receiver:
    """A webhook. It keeps what it was sent."""

    def __init__(self):
        messages = self.messages = []

        class Handler(http.server.BaseHTTPRequestHandler):
            """One call."""

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                messages.append(Message(body["groupLabels"], [
                    alert for alert in body["alerts"] if alert["status"] == "firing"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def alerts(self, **labels):
        """Those that were said to fire and have these labels."""
        return [alert for message in list(self.messages) for alert in message.alerts
                if labels.items() <= alert["labels"].items()]


class Alertmanager(Server):
    """An Alertmanager of our own on a free loopback port. It sends to `url`."""

    def __init__(self, url, binary="prometheus-alertmanager"):
        super().__init__(binary)
        self._receiver = url

    def command(self, address):
        config = self.folder / "alertmanager.yml"
        config.write_text(rewritten(CONFIG, {r"(?<=url: )\S+": self._receiver} | QUICK),
                          encoding="utf-8")
        # No cluster: it would listen on a port that is not ours to choose.
        return [f"--config.file={config}", f"--storage.path={self.folder / 'data'}",
                f"--web.listen-address={address}", "--cluster.listen-address=",
                "--log.level=warn"]
