# SPDX-License-Identifier: Apache-2.0
"""The metric catalogue, as `lunscope metrics -o json` prints it."""

import json
import os
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# Series of a histogram have these names.
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


def _run(*options):
    program = os.environ.get("LUNSCOPE", _ROOT / "build" / "lunscope")
    return subprocess.run([program, "metrics", *options], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def read():
    """Each metric as a dict: name, topic, type, unit, help, available, labels."""
    return json.loads(_run("-o", "json"))["metrics"]


def text():
    """The list as people read it."""
    return _run()


def series_names(metric):
    """The names that the series of a metric have."""
    return [metric["name"] + suffix for suffix in _SUFFIXES.get(metric["type"], ("",))]


def label_names(metric):
    return [label["name"] for label in metric["labels"]]


def only_live(metrics):
    """Names of the metrics that a capture file does not give."""
    return {metric["name"] for metric in metrics if "live" in metric["available"]["name"]}
