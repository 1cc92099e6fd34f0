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
    Compared,
    MetricChange,
    MetricSummary,
    OverviewItem,
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
    page = {"schema": SCHEMA, "hosts": [_encode_host(report) for report in reports]}
    return json.dumps(page, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


FORMAT = Format(render, audience="for programs", complete=True)


def _encode_host(report: Report) -> dict[str, Any]:
    compared = report.compared is not None
    return {
        "hostname": report.origin.hostname,
        "labels": dict(report.origin.labels),
        "since": format_instant(report.since),
        "until": format_instant(report.until),
        "answered_from": report.sources,
        "limits_from": report.limits_from or None,
        "coverage": _encode_coverage(report.coverage),
        "not_running_seconds": report.idle,
        "glance": [_encode_overview(item, compared) for item in report.overview],
        "tables": [
            {"table": table.table.name, "series": [_encode_series(series, compared) for series in table.series]}
            for table in report.tables
        ],
        "top": [_encode_ranking(ranking, compared) for ranking in report.rankings],
        "alerts": [_encode_alert(alert) for alert in report.alerts],
        "silences": list(report.silences),
        "skipped": report.skipped,
    } | _encode_views(report)


def _encode_views(report: Report) -> dict[str, Any]:
    encoded: dict[str, Any] = {"compared": _encode_compared(report.compared)} if report.compared else {}
    encoded |= {"by": report.by} if report.by else {}
    return encoded | ({"bucket_edges": [format_instant(edge) for edge in report.edges]} if report.edges else {})


def _encode_compared(compared: Compared) -> dict[str, Any]:
    return {
        "since": format_instant(compared.since),
        "until": format_instant(compared.until),
        "coverage": _encode_coverage(compared.coverage) if compared.coverage else None,
        "not_running_seconds": compared.idle,
        "answered_from": compared.sources,
        "changes": [_encode_change(change) for change in compared.changes],
        "only_now": [{"table": table, "labels": dict(labels)} for table, labels in compared.appeared],
        "only_then": [{"table": table, "labels": dict(labels)} for table, labels in compared.gone],
    }


def _encode_change(change: MetricChange) -> dict[str, Any]:
    return {
        "table": change.table,
        "labels": dict(change.labels),
        "metric": change.metric.name,
        "unit": change.metric.unit,
        "then": change.then,
        "now": change.now,
        "weight": change.weight,
    }


def _encode_overview(item: OverviewItem, compared: bool) -> dict[str, Any]:
    return {
        "what": item.title,
        "subject": item.subject or None,
        "metric": item.metric.name,
        "unit": item.metric.unit,
        "mean": item.mean,
        "worst": item.worst,
        "at": format_instant(item.at),
    } | ({"before": item.before} if compared else {})


def _encode_coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "found": coverage.found,
        "expected": coverage.expected,
        "interval_seconds": coverage.interval,
        "longest_gap_seconds": coverage.gap,
        "longest_gap_at": _encode_instant(coverage.gap_at),
    }


def _encode_series(series: SeriesSummary, compared: bool) -> dict[str, Any]:
    return {
        "labels": dict(series.labels),
        "coverage": _encode_coverage(series.coverage),
        "metrics": {summary.metric.name: _encode_metric(summary, compared) for summary in series.metrics},
    }


def _encode_metric(summary: MetricSummary, compared: bool) -> dict[str, Any]:
    encoded: dict[str, Any] = {"kind": summary.metric.kind.value, "unit": summary.metric.unit}
    if summary.buckets:
        encoded["buckets"] = [_encode_bucket(bucket) for bucket in summary.buckets]
    encoded |= _encode_stats(summary.stats) if summary.stats else {"samples": 0}
    encoded |= {"trend": summary.trend, "beyond": [_encode_beyond(beyond) for beyond in summary.beyond]}
    before = _encode_stats(summary.before) if summary.before else None
    return encoded | ({"before": before} if compared else {})


def _encode_bucket(bucket: Bucket | None) -> dict[str, Any]:
    if bucket is None:
        return {"samples": 0, "mean": None, "min": None, "max": None}
    return {"samples": bucket.samples, "mean": bucket.mean, "min": bucket.min, "max": bucket.max}


def _encode_beyond(beyond: Beyond) -> dict[str, Any]:
    limit = beyond.limit
    return {
        "rule": limit.rule,
        "level": limit.level.value,
        "sign": limit.sign.value,
        "limit": limit.value,
        "samples": beyond.samples,
        "share": beyond.share,
        "seconds": beyond.seconds,
        "exact": beyond.exact,
    }


def _encode_stats(stats: Stats) -> dict[str, Any]:
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


def _encode_ranking(ranking: Ranking, compared: bool) -> dict[str, Any]:
    return {
        "table": ranking.table,
        "metric": ranking.metric.name,
        "unit": ranking.metric.unit,
        "ticks": ranking.ticks,
        "coverage": _encode_coverage(ranking.coverage) if ranking.coverage else None,
        "groups": [_encode_group(group, ranking.ticks, compared) for group in ranking.groups],
        "unlisted": _encode_group(ranking.rest, ranking.ticks, compared) if ranking.rest else None,
    }


def _encode_group(group: RankedGroup, ticks: int, compared: bool) -> dict[str, Any]:
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


def _encode_alert(alert: PastAlert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "rule": alert.rule,
        "metric": alert.metric,
        "level": alert.level.value,
        "labels": dict(alert.labels),
        "since": format_instant(alert.since),
        "ended": _encode_instant(alert.ended),
        "duration_seconds": alert.duration,
        "value": alert.value,
        "peak": alert.peak,
        "state": alert.state.value,
        "condition": alert.condition,
        "resource": alert.resource,
        "top": [asdict(culprit) for culprit in alert.top],
        "unaccounted": alert.unaccounted,
        "top_at": _encode_instant(alert.top_at),
        "peak_top": [asdict(culprit) for culprit in alert.peak_top],
        "peak_unaccounted": alert.peak_unaccounted,
        "peak_at": _encode_instant(alert.peak_at),
        "ended_pids": list(alert.ended_pids),
        "growth": alert.growth,
        "growth_since": _encode_instant(alert.growth_since),
    }


def _encode_instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)
