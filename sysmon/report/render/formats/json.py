"""JSON report: the same content as the text, for programs, with plain numbers and instants in UTC."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sysmon.history import Coverage, PastAlert
from sysmon.report.render import Format, RenderOptions
from sysmon.report.summary import (
    Bucket,
    Change,
    Compared,
    GlanceItem,
    MetricSummary,
    RankedGroup,
    Ranking,
    Report,
    SeriesSummary,
    Stats,
)
from sysmon.text.instants import format_instant
from sysmon.thresholds import Beyond

SCHEMA = 1
"""Grows when a key changes its meaning or goes; new keys may come without."""


def render(reports: Sequence[Report], _: RenderOptions) -> str:
    """Return one JSON object with one entry a host."""
    found = {"schema": SCHEMA, "hosts": [_host(report) for report in reports]}
    return json.dumps(found, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


FORMAT = Format(render, audience="for programs")


def _host(report: Report) -> dict[str, Any]:
    compared = report.compared is not None
    return {
        "hostname": report.origin.hostname,
        "labels": dict(report.origin.labels),
        "since": format_instant(report.since),
        "until": format_instant(report.until),
        "answered_from": report.sources,
        "coverage": _coverage(report.coverage),
        "not_running_seconds": report.idle,
        "glance": [_glance(item, compared) for item in report.glance],
        "tables": [
            {"table": table.table.name, "series": [_series(series, compared) for series in table.series]}
            for table in report.tables
        ],
        "top": [_ranking(ranking, compared) for ranking in report.rankings],
        "alerts": [_alert(alert) for alert in report.alerts],
        "silences": list(report.silences),
        "skipped": report.skipped,
    } | _when_asked_for(report)


def _when_asked_for(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {"compared": _compared(report.compared)} if report.compared else {}
    found |= {"by": report.by} if report.by else {}
    return found | ({"bucket_edges": [format_instant(edge) for edge in report.edges]} if report.edges else {})


def _compared(compared: Compared) -> dict[str, Any]:
    return {
        "since": format_instant(compared.since),
        "until": format_instant(compared.until),
        "coverage": _coverage(compared.coverage) if compared.coverage else None,
        "not_running_seconds": compared.idle,
        "answered_from": compared.sources,
        "changes": [_change(change) for change in compared.changes],
        "only_now": [{"table": table, "labels": dict(labels)} for table, labels in compared.appeared],
        "only_then": [{"table": table, "labels": dict(labels)} for table, labels in compared.gone],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "table": change.table,
        "labels": dict(change.labels),
        "metric": change.metric.name,
        "unit": change.metric.unit,
        "then": change.then,
        "now": change.now,
        "weight": change.weight,
    }


def _glance(item: GlanceItem, compared: bool) -> dict[str, Any]:
    return {
        "what": item.what,
        "subject": item.subject or None,
        "metric": item.metric.name,
        "unit": item.metric.unit,
        "mean": item.mean,
        "worst": item.worst,
        "at": format_instant(item.at),
    } | ({"before": item.before} if compared else {})


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "found": coverage.found,
        "expected": coverage.expected,
        "interval_seconds": coverage.interval,
        "longest_gap_seconds": coverage.gap,
        "longest_gap_at": _instant(coverage.gap_at),
    }


def _series(series: SeriesSummary, compared: bool) -> dict[str, Any]:
    return {
        "labels": dict(series.labels),
        "coverage": _coverage(series.coverage),
        "metrics": {summary.metric.name: _metric(summary, compared) for summary in series.metrics},
    }


def _metric(summary: MetricSummary, compared: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": summary.metric.kind.value, "unit": summary.metric.unit}
    if summary.buckets:
        found["buckets"] = [_bucket(one) for one in summary.buckets]
    found |= _stats(summary.stats) if summary.stats else {"samples": 0}
    found |= {"trend": summary.trend, "beyond": [_beyond(one) for one in summary.beyond]}
    before = _stats(summary.before) if summary.before else None
    return found | ({"before": before} if compared else {})


def _bucket(one: Bucket | None) -> dict[str, Any]:
    if one is None:
        return {"samples": 0, "mean": None, "min": None, "max": None}
    return {"samples": one.samples, "mean": one.mean, "min": one.min, "max": one.max}


def _beyond(one: Beyond) -> dict[str, Any]:
    limit = one.limit
    return {
        "rule": limit.rule,
        "level": limit.level.value,
        "sign": limit.sign.value,
        "limit": limit.value,
        "samples": one.samples,
        "share": one.share,
        "seconds": one.seconds,
        "exact": one.exact,
    }


def _stats(stats: Stats) -> dict[str, Any]:
    return {
        "samples": stats.samples,
        "mean": stats.mean,
        "min": stats.min,
        "p50": stats.p50,
        "p95": stats.p95,
        "p99": stats.p99,
        "max": stats.max,
        "max_at": format_instant(stats.max_at),
    }


def _ranking(ranking: Ranking, compared: bool) -> dict[str, Any]:
    return {
        "table": ranking.table,
        "metric": ranking.metric.name,
        "unit": ranking.metric.unit,
        "ticks": ranking.ticks,
        "coverage": _coverage(ranking.coverage) if ranking.coverage else None,
        "groups": [_group(group, ranking.ticks, compared) for group in ranking.groups],
        "unlisted": _group(ranking.rest, ranking.ticks, compared) if ranking.rest else None,
    }


def _group(group: RankedGroup, ticks: int, compared: bool) -> dict[str, Any]:
    return {
        "labels": dict(group.labels),
        "pids": group.pids,
        "ticks": group.ticks,
        "lower_bound": group.ticks < ticks,
        "mean": group.mean,
        "max": group.max,
        "max_at": format_instant(group.max_at),
        "max_is_lower_bound": group.bounded or group.ticks < ticks,
    } | ({"mean_before": group.before} if compared else {})


def _alert(alert: PastAlert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "rule": alert.rule,
        "metric": alert.metric,
        "level": alert.level.value,
        "labels": dict(alert.labels),
        "since": format_instant(alert.since),
        "ended": _instant(alert.ended),
        "duration_seconds": alert.duration,
        "value": alert.value,
        "peak": alert.peak,
        "state": alert.state.value,
        "condition": alert.condition,
        "resource": alert.resource,
        "top": [asdict(culprit) for culprit in alert.top],
        "unaccounted": alert.unaccounted,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)
