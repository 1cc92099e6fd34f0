"""Text of a bucketed report: a line for each part of the range, and beside each other as many metrics as fit."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sysmon.report.render.grid import Cell, Column, draw, titled
from sysmon.report.render.phrases import Phrases
from sysmon.report.render.style import Style
from sysmon.report.summary import Bucket, MetricSummary
from sysmon.text import units
from sysmon.thresholds import worst_level

_TITLES = (("count", 7), *titled("mean", "min", "max"))


def render_buckets(
    groups: Sequence[tuple[str, MetricSummary]], edges: Sequence[datetime], phrases: Phrases, style: Style
) -> Iterator[str]:
    """Yield the lines of a time table of metrics, each under the name that is given for it."""
    columns = [Column(name, _TITLES, [_cells(item, bucket) for bucket in item.buckets]) for name, item in groups]
    yield from draw([phrases.when(edge) for edge in edges[:-1]], columns, style)


def _cells(item: MetricSummary, bucket: Bucket | None) -> list[Cell]:
    if bucket is None:
        return [("0", None), *([("-", None)] * 3)]
    limits = [exceeded.limit for exceeded in item.beyond]
    values = (bucket.mean, bucket.min, bucket.max)
    numbers = [(units.cell(value, item.metric.unit), worst_level(limits, value)) for value in values]
    return [(str(bucket.samples), None), *numbers]
