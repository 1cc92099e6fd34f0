"""A time table for people: a line for each part of the range, and beside each other as many metrics as fit."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest

from sysmon import units
from sysmon.model import Level
from sysmon.names import printable
from sysmon.report.canvas import CELL, Style
from sysmon.report.summary import Bucket, MetricSummary
from sysmon.report.words import Words
from sysmon.thresholds import worst_level

_COUNT = 7
_GROUP = _COUNT + 3 * CELL
_TITLES = f"{'count':>{_COUNT}}{'mean':>{CELL}}{'min':>{CELL}}{'max':>{CELL}}"


def bands(
    groups: Sequence[tuple[str, MetricSummary]], edges: Sequence[datetime], words: Words, style: Style
) -> Iterator[str]:
    """Yield the lines of a time table of metrics, each under the name that is given for it."""
    times = [words.when(edge) for edge in edges[:-1]]
    left = max(map(len, times))
    width = max(1, (style.columns - left) // _GROUP)
    for first in range(0, len(groups), width):
        chosen = groups[first : first + width]
        if first:
            yield ""
        heads = [wrapped(printable(name), _GROUP - 2) for name, _ in chosen]
        for line in reversed(list(zip_longest(*(head[::-1] for head in heads), fillvalue=""))):
            yield style.bold(" " * left + "".join(f"{part:>{_GROUP}}" for part in line))
        yield " " * left + _TITLES * len(chosen)
        for number, text in enumerate(times):
            yield text.ljust(left) + "".join(_cells(item, item.buckets[number], style) for _, item in chosen)


def wrapped(name: str, width: int) -> list[str]:
    """Return a name in lines that are no wider than asked for, broken before `_` where it can be."""
    lines = [""]
    for part in name.replace("_", " _").split(" "):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part if part.startswith("_") or not lines[-1] else f" {part}"
    return [line if len(line) <= width else f"{line[: width - 3]}..." for line in lines]


def _cells(item: MetricSummary, bucket: Bucket | None, style: Style) -> str:
    if bucket is None:
        return f"{0:>{_COUNT}}" + style.cells(["-"] * 3)
    limits = [one.limit for one in item.beyond]
    values = (bucket.mean, bucket.min, bucket.max)
    levels: list[Level | None] = [worst_level(limits, value) for value in values]
    return f"{bucket.samples:>{_COUNT}}" + style.cells((units.cell(one, item.metric.unit) for one in values), levels)
