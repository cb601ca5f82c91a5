# SPDX-License-Identifier: Apache-2.0
"""Pictures of dashboards: each open panel drawn from the answer to its own query.

Nothing here is Grafana. tests/dashboards/renderer draws a page as SVG with ECharts, in the form
that each panel asks for, and rsvg-convert and pngquant make the PNG. Rows that a dashboard keeps
closed are left out.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import dashboard as dashboards
from prometheus import api

RATE_INTERVAL = "6s"
STEP_S = 1
COLORS = "64"
NOTE = ("Drawn by the renderer of lunscope's tests from a real Prometheus, and not by Grafana. "
        "Closed rows are left out.")


def _result(url, target, values, span):
    expr = dashboards.substitute(target["expr"], values)
    if target.get("instant"):
        found = api(url, "query", query=expr, time=span["end"])["result"]
        series = [(each["metric"], [each["value"]]) for each in found]
    else:
        found = api(url, "query_range", query=expr, **span)["result"]
        series = [(each["metric"], each["values"]) for each in found]
    return {"legend": target.get("legendFormat", ""),
            "series": [{"labels": labels, "values": each} for labels, each in series]}


def page(url, file, variables, fault, span):
    """The page for the renderer. `span`: start and end of the time, and the step, in seconds."""
    dashboard = dashboards.load(file)
    values = dashboards.match_everything(dashboard, RATE_INTERVAL) | variables
    names = {name: value.replace(".*", "All hosts") for name, value in values.items()}
    chosen = ", ".join(f"{name} {value}" for name, value in variables.items())
    rows = []
    for row, panels in dashboards.rows(dashboard):
        if not row.get("collapsed"):
            rows.append({
                "title": dashboards.substitute(row["title"], names), "y": row["gridPos"]["y"],
                "panels": [panel | {"results": [_result(url, target, values, span)
                                                for target in panel["targets"]]}
                           for panel in panels]})
    return {"title": f"{dashboard['title']}: {fault}",
            "notes": [NOTE, *([f"Chosen: {chosen}"] if chosen else [])],
            "range": span, "rows": rows}


def draw(described, renderer, png):
    """Writes the picture; `renderer`: a folder with the programs and ECharts. Returns the SVG."""
    done = subprocess.run(["node", Path(renderer) / "render.js"], input=json.dumps(described),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"render.js: {done.stderr}")
    with tempfile.NamedTemporaryFile(mode="w", suffix=".svg", encoding="utf-8") as svg:
        svg.write(done.stdout)
        svg.flush()
        subprocess.run(["rsvg-convert", "--output", png, svg.name], check=True)
    subprocess.run(["pngquant", "--force", "--output", png, COLORS, "--", png], check=True)
    return done.stdout
