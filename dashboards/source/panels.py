# SPDX-License-Identifier: Apache-2.0
"""Functions that the dashboards are made of: queries, panels, rows, variables, links.

A panel function returns the dict that Grafana reads. dashboard() places the panels, numbers them
and puts the rest around them. The panels themselves are in overview.py, lun.py, session.py and host.py.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
PANEL_COLUMNS = 24
ROW_HEIGHT = 1
BASE = ((None, "green"),)

# ---- Queries ------------------------------------------------------------------------------------


class Series:
    """Metrics narrowed by the variables of a dashboard. `more` is a matcher of its own.

    The labels that a metric has are in the catalogue; here each metric names those that narrow it.
    """

    def __init__(self, *variables):
        self._variables = variables

    def of(self, name, labels="", more=""):
        """name{...}: narrowed by job, instance, and those of `labels` that are variables."""
        narrowed = [f'{each}=~"${each}"' for each in ("job", "instance", *labels.split())
                    if each in self._variables]
        return f"lunscope_{name}{{{','.join([*narrowed, *([more] if more else [])])}}}"

    def rate(self, name, labels="", more=""):
        return f"rate({self.of(name, labels, more)}[$__rate_interval])"

    def sum(self, name, labels="", by="", more=""):
        """The rate of a counter, summed."""
        return f"sum {f'by ({by}) ' if by else ''}({self.rate(name, labels, more)})"

    def mean(self, histogram, labels="", by="", more=""):
        return (f"{self.sum(histogram + '_sum', labels, by, more)} / "
                f"{self.sum(histogram + '_count', labels, by, more)}")

    def quantile(self, quantile, histogram, labels="", by="", more=""):
        kept = "le" + (f", {by}" if by else "")
        buckets = self.sum(histogram + "_bucket", labels, kept, more)
        return f"histogram_quantile({quantile}, {buckets})"

    def findings(self, more=""):
        """Findings that hold. Those of a whole target or host have no LUN, or no target."""
        narrowed = [f'{each}=~"${each}"' for each in ("job", "instance")]
        narrowed += [f'{each}=~"${each}|"' for each in ("target", "lun") if each in self._variables]
        selector = f"lunscope_finding{{{','.join([*narrowed, *([more] if more else [])])}}}"
        return ("max by (instance, finding, severity, role, target, lun, initiator, address) "
                f"({selector}) == 1")


# ---- Panels -------------------------------------------------------------------------------------


def thresholds(steps=BASE):
    return {"mode": "absolute", "steps": [{"color": color, "value": value}
                                          for value, color in steps]}


def warn(amber, red):
    """Green, then amber, then red."""
    return ((None, "green"), (amber, "#EAB839"), (red, "red"))


def bad(red):
    return ((None, "green"), (red, "red"))


def override(name, **properties):
    """How one series or column differs. `steps` are thresholds; `_` stands for a point."""
    found = []
    for key, value in properties.items():
        if key == "steps":
            found.append({"id": "thresholds", "value": thresholds(value)})
        else:
            found.append({"id": key.replace("_", "."), "value": value})
    return {"matcher": {"id": "byName", "options": name}, "properties": found}


def _targets(queries, extra):
    return [{"refId": chr(ord("A") + place), "datasource": DATASOURCE, "editorMode": "code",
             "expr": expr, "legendFormat": legend, "range": not extra.get("instant"), **extra}
            for place, (expr, legend) in enumerate(queries)]


def panel(kind, title, description, queries, size, unit="none", steps=BASE, overrides=(),
          defaults=None, options=None, extra=None, **more):
    """`queries`: [(expression, legend)]. `size`: (columns, rows)."""
    return {
        "type": kind, "title": title, "description": description, "datasource": DATASOURCE,
        "gridPos": {"w": size[0], "h": size[1]}, "targets": _targets(queries, extra or {}),
        "fieldConfig": {"defaults": {"unit": unit, "thresholds": thresholds(steps),
                                     **(defaults or {})}, "overrides": list(overrides)},
        "options": options or {}, **more}


def stat(title, description, queries, size=(6, 5), none="no data", **more):
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
               "orientation": "auto", "textMode": "value_and_name", "colorMode": "value",
               "graphMode": "area", "justifyMode": "auto"}
    return panel("stat", title, description, queries, size, defaults={"noValue": none},
                 options=options, **more)


def lines(title, description, queries, size=(12, 9), stacked="none", dashed=False, log=False,
          links=(), **more):
    """A time series. `stacked`: normal or percent. `dashed`: thresholds are lines."""
    custom = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1,
              "fillOpacity": 10 if stacked == "none" else 60, "showPoints": "never",
              "spanNulls": False, "stacking": {"mode": stacked, "group": "A"},
              "thresholdsStyle": {"mode": "dashed" if dashed else "off"}}
    if log:
        custom["scaleDistribution"] = {"type": "log", "log": 10}
    defaults = {"custom": custom} | ({"links": list(links)} if links else {})
    options = {"legend": {"displayMode": "table", "placement": "right", "showLegend": True,
                          "calcs": ["lastNotNull", "max"], "sortBy": "Max", "sortDesc": True},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel("timeseries", title, description, queries, size, defaults=defaults,
                 options=options, **more)


def heatmap(title, description, expr, size=(24, 9), unit="s"):
    options = {"calculate": False, "cellGap": 1, "cellValues": {"unit": "ops"},
               "color": {"mode": "scheme", "scheme": "Oranges", "scale": "exponential",
                         "exponent": 0.5, "steps": 64, "reverse": False, "fill": "dark-orange"},
               "filterValues": {"le": 1e-09}, "legend": {"show": True},
               "rowsFrame": {"layout": "auto"}, "showValue": "never",
               "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": False},
               "yAxis": {"unit": unit, "axisPlacement": "left", "reverse": False}}
    custom = {"hideFrom": {"legend": False, "tooltip": False, "viz": False},
              "scaleDistribution": {"type": "linear"}}
    return panel("heatmap", title, description, [(expr, "{{le}}")], size, unit=unit,
                 defaults={"custom": custom}, options=options, extra={"format": "heatmap"})


def timeline(title, description, queries, mappings, size=(24, 7)):
    """State over time; `mappings`: {value: (words, colour)}."""
    custom = {"lineWidth": 0, "fillOpacity": 80}
    options = {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.8,
               "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
               "tooltip": {"mode": "single", "sort": "none"}}
    return panel("state-timeline", title, description, queries, size, options=options,
                 defaults={"custom": custom, "mappings": value_mappings(mappings)})


def value_mappings(mappings):
    return [{"type": "value", "options": {
        str(value): {"text": words, "color": color, "index": place}
        for place, (value, (words, color)) in enumerate(mappings.items())}}]


def table(title, description, expr, columns, size=(24, 8), value=None, links=None, sort=None,
          overrides=(), none="none", **more):
    """One line a series. `columns`: its labels, in their order. `value`: the name of the
    column with the value; None: without that column. `links`: {column: [links]}.
    `sort`: (column, falls?).
    """
    names = ["Value", *columns] if value else list(columns)
    hidden = {"Time": True, "__name__": True, "job": True} | ({} if value else {"Value": True})
    found = [override(column, links=each) for column, each in (links or {}).items()]
    return panel(
        "table", title, description, [(expr, "")], size,
        overrides=[*found, *overrides],
        defaults={"noValue": none, "custom": {"align": "auto", "filterable": True,
                                              "cellOptions": {"type": "auto"}}},
        options={"showHeader": True, "cellHeight": "sm", "footer": {"show": False},
                 "sortBy": [{"displayName": sort[0], "desc": sort[1]}] if sort else []},
        extra={"format": "table", "instant": True},
        transformations=[{"id": "organize", "options": {
            "excludeByName": hidden,
            "indexByName": {name: place for place, name in enumerate(names)},
            "renameByName": {"Value": value} if value else {}}}], **more)


# ---- Links --------------------------------------------------------------------------------------

_KEPT = "var-datasource=${datasource}&${job:queryparam}"


def link(title, uid, is_field, *names, host="instance"):
    """A data link to another dashboard, with these variables from the line that was clicked.

    `is_field`: a table has them as columns; a time series as labels. `host`: the column of the
    instance; None: all hosts, as both ends of a LUN are on two.
    """
    place = "${{__data.fields.{}:percentencode}}" if is_field else "${{__field.labels.{}}}"
    instance = f"var-instance={place.format(host)}" if host else "var-instance=$__all"
    words = [_KEPT, instance, *(f"var-{name}={place.format(name)}" for name in names)]
    return {"title": title, "url": f"/d/{uid}?{'&'.join(words)}&${{__url_time_range}}",
            "targetBlank": False}


def to_lun(is_field=True):
    return link("This LUN at both ends", "lunscope-lun", is_field, "target", "lun", host=None)


def to_sessions(is_field=True):
    return link("The sessions of this target", "lunscope-session", is_field, "role", "target")


def to_host(is_field=True):
    return link("This host", "lunscope-host", is_field)


FINDING_COLUMNS = ["severity", "finding", "target", "lun", "initiator", "address", "role",
                   "instance"]


def findings_table(series, description, more="", size=(24, 7)):
    words = {"title": "The sentence, the evidence and what to do",
             "url": "http://${__data.fields.instance}/findings", "targetBlank": True}
    colors = value_mappings({"critical": ("critical", "red"), "warning": ("warning", "orange"),
                             "info": ("info", "blue")})
    return table(
        "Findings that hold", description, series.findings(more), FINDING_COLUMNS, size,
        links={"finding": [words], "target": [to_sessions()], "lun": [to_lun()],
               "instance": [to_host()]},
        overrides=[override("severity", mappings=colors,
                            custom_cellOptions={"type": "color-text"})],
        sort=("severity", False), none="nothing is wrong")


# ---- Dashboards ---------------------------------------------------------------------------------


def _variable(name, label, description, query, before, single=False, sort=1, current=None):
    narrowed = ",".join(f'{each}=~"${each}"' for each in before)
    selector = f"lunscope_{query}{{{narrowed}}}" if narrowed else f"lunscope_{query}"
    values = f"label_values({selector}, {name})"
    found = {"name": name, "type": "query", "label": label, "description": description,
             "datasource": DATASOURCE, "definition": values,
             "query": {"qryType": 1, "query": values, "refId": f"variable-{name}"}, "refresh": 2,
             "regex": "", "sort": sort, "hide": 0, "skipUrlSync": False, "multi": not single,
             "includeAll": not single, "options": []}
    if single:
        return found | {"current": {"selected": True, "text": current, "value": current}
                        if current else {}}
    return found | {"allValue": ".*", "current": {"selected": True, "text": ["All"],
                                                  "value": ["$__all"]}}


_ROLE = ("Where the host stands: it serves the commands (target) or sends them (initiator). One at "
         "a time, because a host can be both ends of one session and every command would be summed "
         "twice. It starts with target, which sees all the initiators of a LUN and leaves the "
         "network out of latency; a host without targets falls back to initiator.")
# {name: (label, description, metric whose labels it lists, how it is sorted)}
_VARIABLES = {
    "job": ("Job", "Scrape job of lunscope.", "build_info", 1),
    "instance": ("Instance", "Host that lunscope runs on. All is right for one host and for many; "
                 "tables name the worst of them.", "build_info", 1),
    "role": ("Role", _ROLE, "commands_total", 1),
    "target": ("Target", "Name of the iSCSI target.", "commands_total", 1),
    "lun": ("LUN", "Logical unit number, decimal where it has one.", "commands_total", 3),
    "operation": ("Operation", "Kind of SCSI command; panels whose metric has no operation ignore "
                  "it.", "commands_total", 1),
}


def variables(names, single):
    """The chain of variables. `single`: those of which one value at a time is chosen."""
    found = [{"name": "datasource", "type": "datasource", "label": "Data source",
              "query": "prometheus", "description": "The Prometheus that scrapes lunscope.",
              "current": {}, "regex": "", "refresh": 1, "hide": 0, "skipUrlSync": False,
              "multi": False, "includeAll": False, "options": []}]
    for place, name in enumerate(names):
        label, description, metric, sort = _VARIABLES[name]
        found.append(_variable(name, label, description, metric, names[:place], name in single,
                               sort, "target" if name == "role" else None))
    return found


def _annotations(series):
    expr = series.findings('severity!="info"')
    return {"list": [{
        "name": "Findings", "enable": True, "hide": False, "iconColor": "red",
        "datasource": DATASOURCE, "expr": expr, "step": "15s", "titleFormat": "{{finding}}",
        "textFormat": "{{target}} LUN {{lun}} {{initiator}} {{address}}, {{instance}}",
        "tagKeys": "severity,role", "target": {"refId": "Anno", "expr": expr}}]}


def _place(panels, top):
    """Panels side by side, in lines; returns where the next row begins."""
    x, y, height = 0, top, 0
    for each in panels:
        at = each["gridPos"]
        if x + at["w"] > PANEL_COLUMNS:
            x, y, height = 0, y + height, 0
        at.update(x=x, y=y)
        x, height = x + at["w"], max(height, at["h"])
    return y + height


def _rows(rows):
    """The panels of Grafana's list. `rows`: [(title, is it open?, panels)]."""
    found, top, number = [], 0, 1
    for title, is_open, panels in rows:
        row = {"type": "row", "title": title, "collapsed": not is_open, "id": number,
               "gridPos": {"x": 0, "y": top, "w": PANEL_COLUMNS, "h": ROW_HEIGHT}, "panels": []}
        end = _place(panels, top + ROW_HEIGHT)
        for place, each in enumerate(panels, number + 1):
            each["id"] = place
        number += len(panels) + 1
        if is_open:
            found += [row, *panels]
            top = end
        else:
            row["panels"] = panels
            found.append(row)
            top += ROW_HEIGHT
    return found


def dashboard(uid, title, description, names, rows, single=("role",)):
    """The dict of a dashboard. `names`: its variables behind the data source."""
    return {
        "id": None, "uid": uid, "title": title, "description": description,
        "tags": ["lunscope", "iscsi"], "schemaVersion": 39, "version": 1, "editable": True,
        "graphTooltip": 1, "refresh": "30s", "time": {"from": "now-1h", "to": "now"},
        "timepicker": {}, "timezone": "browser", "fiscalYearStartMonth": 0, "weekStart": "",
        "liveNow": False,
        "links": [{"type": "dashboards", "tags": ["lunscope"], "title": "lunscope",
                   "asDropdown": True, "includeVars": True, "keepTime": True, "icon": "dashboard",
                   "targetBlank": False, "tooltip": "The other dashboards of lunscope", "url": ""}],
        "annotations": _annotations(Series(*names)),
        "templating": {"list": variables(names, single)},
        "panels": _rows(rows)}
