"""Grafana's and Prometheus' view of a task, over what the exporter serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kcl_processor.config.task import Task
from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.operate.series import (
    BATCHES,
    BEHIND,
    DEAD_LETTERS,
    DIFFERENCES,
    FAILED,
    GAPS,
    IDLE,
    LATENCY,
    LIMIT,
    PAUSED,
    PROVEN,
    RECEIVED,
    RETRIED,
    SWITCHOVER,
    THROTTLED,
    UP,
    WAITING,
    WRITTEN,
    Series,
)
from kcl_processor.operate.status import CRITICAL_SHARE, WARN_SHARE

# Grafana 10 and later read it (``schemaVersion`` of its dashboard model).
_SCHEMA = 39
_WIDTH, _HEIGHT = 12, 8
# Grafana picks it where the dashboard is imported.
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# A UID has at most so many characters (Grafana's HTTP API, "Create / Update dashboard").
_UID = 40
# Seconds: a host's shards are told of every ten at most, and an empty delivery comes within two.
_IDLE = 120
_SWITCHOVER = 3_600


@dataclass(frozen=True)
class _Panel:
    """One graph: its queries are expressions by what a line is called."""

    title: str
    unit: str
    lines: dict[str, str]


def grafana(task: Task) -> dict[str, Any]:
    """A dashboard in Grafana's JSON model, as its import takes it."""
    panels = [_drawn(number, panel) for number, panel in enumerate(_panels(task))]
    return {
        "uid": f"kcl-processor-{task.name}"[:_UID],
        "title": f"kcl-processor: {task.name}",
        "tags": ["kcl-processor"],
        "schemaVersion": _SCHEMA,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
        },
        "panels": panels,
    }


def alert_rules(task: Task) -> dict[str, Any]:
    """A file of alert rules, as Prometheus' ``rule_files`` takes it, in YAML's or JSON's form."""
    up = _of(task, UP)
    kept = f"the stream keeps a change for {RETENTION / HOUR:.0f} h"
    rules = [
        _rule("Unseen", f"absent({up})", "10m", "critical", "no exporter tells of it"),
        _rule("Down", f"max by (task) ({up}) == 0", "5m", "critical", "no daemon runs"),
        _rule(
            "Late", _unheld(task, BEHIND, 300), "5m", "warning", "it is more than 5 minutes behind"
        ),
        *(
            _rule(name, _lasts(task, share * RETENTION), "1m", severity, f"{used}; {kept}")
            for name, share, severity in (
                ("TrimsSoon", WARN_SHARE, "warning"),
                ("TrimsNow", CRITICAL_SHARE, "critical"),
            )
            for used in (f"it is {share * RETENTION / HOUR:.0f} h behind, paused or throttled",)
        ),
        _rule(
            "Stuck",
            _unheld(task, IDLE, _IDLE),
            "5m",
            "warning",
            "a shard's record processor has applied no delivery, not even an empty one",
        ),
        _rule("DeadLetter", _grew(task, DEAD_LETTERS), "0m", "warning", "a change was set aside"),
        _rule("Gap", _grew(task, GAPS), "0m", "critical", "changes left the stream unread"),
        _rule(
            "SwitchoverLeft",
            f"max by (task) ({_open_switchover(task)}) > {_SWITCHOVER}",
            "0m",
            "warning",
            "a switchover was begun an hour ago, and is neither over nor taken back",
        ),
        _rule(
            "Differs",
            f"max by (task) ({_of(task, DIFFERENCES)}) > 0",
            "0m",
            "critical",
            "verify found differences",
        ),
    ]
    return {"groups": [{"name": f"kcl-processor-{task.name}", "rules": rules}]}


def _panels(task: Task) -> list[_Panel]:
    quantiles = {f"{share:.0%}": _quantile(task, share) for share in (0.5, 0.99)}
    return [
        _Panel("Daemon runs, by host", "none", {"{{instance}}": _of(task, UP)}),
        _Panel("Latency, source's write to destination's", "s", quantiles),
        _Panel("Behind the stream's end, by shard", "s", {"{{shard}}": _of(task, BEHIND)}),
        _Panel("Since a delivery was applied, by shard", "s", {"{{shard}}": _of(task, IDLE)}),
        _Panel(
            "Changes a second",
            "ops",
            {"received": _rate(task, RECEIVED), "written": _rate(task, WRITTEN)},
        ),
        _Panel(
            "Refused and retried a second",
            "ops",
            {"refused": _rate(task, FAILED), "retried": _rate(task, RETRIED)},
        ),
        _Panel("Deliveries applied a second", "ops", {"batches": _rate(task, BATCHES)}),
        _Panel(
            "For a person to look at",
            "none",
            {"dead letters": _sum(task, DEAD_LETTERS), "gaps": _sum(task, GAPS)},
        ),
        _Panel("Age of the oldest proof", "s", {"proof": f"max({_of(task, PROVEN)})"}),
        _Panel(
            "Since a switchover began, by how far it is",
            "s",
            {"{{state}}": f"max by (state) ({_of(task, SWITCHOVER)})"},
        ),
        _Panel("Keys that differ", "none", {"differ": f"max({_of(task, DIFFERENCES)})"}),
        _Panel("Limit, in WCU a second", "none", {"limit": f"max({_of(task, LIMIT)})"}),
        _Panel("Shards that wait for the limit", "none", {"shards": f"max({_of(task, WAITING)})"}),
        _Panel(
            "Since it is held back",
            "s",
            {
                "paused {{shard}}": f"max by (shard) ({_of(task, PAUSED)})",
                "throttled {{worker}}": f"max by (worker) ({_of(task, THROTTLED)})",
            },
        ),
    ]


def _drawn(number: int, panel: _Panel) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {
            "x": _WIDTH * (number % 2),
            "y": _HEIGHT * (number // 2),
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": expr, "legendFormat": name}
            for at, (name, expr) in enumerate(panel.lines.items())
        ],
    }


def _of(task: Task, series: Series) -> str:
    return f'{series}{{task="{task.name}"}}'


def _open_switchover(task: Task) -> str:
    return f'{SWITCHOVER}{{task="{task.name}",state!="over"}}'


def _unheld(task: Task, of: Series, bound: int) -> str:
    """Whether a shard that nobody holds back is over a bound."""
    paused, throttled = _of(task, PAUSED), _of(task, THROTTLED)
    whole = f'{PAUSED}{{task="{task.name}",shard=""}}'
    shards = (
        f"{_of(task, of)} unless on (task) {whole} unless on (task, shard) {paused} "
        f"unless on (task, worker) {throttled}"
    )
    return f"max by (task) ({shards}) > {bound}"


def _lasts(task: Task, bound: float) -> str:
    """Whether the task is behind, or held back, for longer: a shard that is held back says no more
    how far it is behind."""
    held = (f"max by (task) ({_of(task, of)}) > {bound:.0f}" for of in (BEHIND, PAUSED, THROTTLED))
    return " or ".join(held)


def _sum(task: Task, series: Series) -> str:
    return f"sum({_of(task, series)})"


def _rate(task: Task, series: Series) -> str:
    return f"sum(rate({_of(task, series)}[5m]))"


def _quantile(task: Task, share: float) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({_of(task, LATENCY)}[5m])))"


def _grew(task: Task, series: Series) -> str:
    """Whether a counter has grown of late, or is above 0 as it comes: a record processor's first
    scrape may have one already, which is no increase to Prometheus."""
    of = _of(task, series)
    grown = f"sum by (task) (increase({of}[10m])) > 0"
    return f"{grown} or sum by (task) ({of} unless {of} offset 10m) > 0"


def _rule(name: str, expression: str, lasts: str, severity: str, words: str) -> dict[str, Any]:
    return {
        "alert": f"KclProcessor{name}",
        "expr": expression,
        "for": lasts,
        "labels": {"severity": severity},
        "annotations": {
            "summary": f"Task {{{{ $labels.task }}}}: {words}.",
            "description": "Try: kcl-processor status {{ $labels.task }}",
        },
    }
