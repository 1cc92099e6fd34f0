"""A report for people: plain text that reads the same on a terminal, in a pipe and in a mail."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sysmon import units
from sysmon.history import Coverage, PastAlert
from sysmon.names import printable
from sysmon.report import spark
from sysmon.report.summary import (
    MetricSummary,
    RankedGroup,
    Ranking,
    Report,
    SeriesSummary,
    Stats,
    TableSummary,
)

NARROW = 80
WIDE = 110
_TITLES = ("mean", "min", "p50", "p95", "p99", "max")
_CELL = 7
_LEGEND = "Trends run from the lowest to the highest mean of a column; a blank is a hole."


@dataclass(frozen=True, slots=True)
class Style:
    """How the page looks: its width, the zone of its times (None: the system's), the characters of its trends."""

    width: int = NARROW
    zone: tzinfo | None = None
    bars: str = spark.BLOCKS


def trend_width(names: Iterable[str], width: int) -> int:
    """Return how many characters a trend gets beside metrics of these names."""
    room = max(width, NARROW) - _name_width(names) - 2
    return max(8, room - _numbers_width() - 1 if width >= WIDE else room)


def render(report: Report, style: Style) -> str:
    """Return the whole page."""
    return _Page(report, style).render()


class _Page:
    def __init__(self, report: Report, style: Style) -> None:
        self._report = report
        self._style = style
        self._width = max(style.width, NARROW)
        shown = [item.metric.name for table in report.tables for series in table.series for item in series.metrics]
        self._names = _name_width(shown)
        self._trend = trend_width(shown, style.width)
        begin, end = self._local(report.since), self._local(report.until - timedelta(milliseconds=1))
        self._one_day = begin.date() == end.date()

    def render(self) -> str:
        blocks = [list(self._header())]
        for table in self._report.tables:
            blocks += self._table(table)
        blocks += [list(self._ranking(ranking)) for ranking in self._report.rankings]
        blocks.append(list(self._alerts(self._report.alerts)))
        return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"

    def _header(self) -> Iterator[str]:
        report = self._report
        labels = " ".join(f"{name}={printable(value)}" for name, value in report.origin.labels.items())
        yield f"{printable(report.origin.hostname)}  {labels}"
        begin, end = self._local(report.since), self._local(report.until)
        until = f"{end:%H:%M:%S}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
        length = units.format_age((report.until - report.since).total_seconds())
        yield f"{begin:%Y-%m-%d %H:%M:%S} to {until} UTC{_offset(end)}, {length}"
        idle = f", not running for {units.format_age(report.idle)}" if report.idle and report.idle >= 1 else ""
        yield f"{self._coverage(report.coverage, percent=True)}{idle}"
        if report.skipped:
            yield f"damaged: {report.skipped} lines or parts of files could not be read and are not in here"
        if report.tables:
            yield _LEGEND

    def _table(self, table: TableSummary) -> Iterator[list[str]]:
        whole = table.table.whole
        full = [one for one in table.series if not table.brief or one.labels[0][1] == whole]
        for series in full:
            yield list(self._series(table, series))
        rest = [one for one in table.series if one not in full]
        if rest:
            yield list(self._brief(rest, full[0].coverage if full else None))

    def _series(self, table: TableSummary, series: SeriesSummary) -> Iterator[str]:
        left = "  ".join([table.table.name, *(f"{name}={printable(value)}" for name, value in series.labels)])
        told = self._coverage(series.coverage)
        fits = len(left) + 4 + len(told) <= self._width - (_numbers_width() + 1 if self._wide else 0)
        heading = [f"{left}    {told}"] if fits else [left, f"  {told}"]
        told_items = [item for item in series.metrics if item.stats and not _is_constant(item.stats)]
        if self._wide and told_items:
            heading[-1] = self._ended(heading[-1], _cells(_TITLES) + "  max at")
        yield from heading
        for item in told_items:
            yield from self._metric(item)
        yield from self._unmoved(series.metrics)

    def _metric(self, item: MetricSummary) -> Iterator[str]:
        assert item.stats is not None  # noqa: S101 - those without are listed by name
        trend = spark.draw(item.trend, self._trend, bars=self._style.bars)
        name = f"{printable(item.metric.name).ljust(self._names)}  {trend}"
        numbers = _numbers(item.stats, item.metric.unit)
        if self._wide:
            yield self._ended(name, f"{_cells(numbers)}  {self._when(item.stats.max_at)}")
            return
        yield name
        pairs = " ".join(f"{title}{number:>{_CELL}}" for title, number in zip(_TITLES, numbers, strict=True))
        yield f"  {pairs} {self._when(item.stats.max_at)}"

    def _brief(self, rest: Sequence[SeriesSummary], usual: Coverage | None) -> Iterator[str]:
        """Tell of each series its first metric only, in a line."""
        metric = rest[0].metrics[0].metric
        left = max([len(metric.name), *(len(_named(one)) for one in rest)])
        yield metric.name.ljust(left) + _cells(_TITLES) + "  max at"
        for one in rest:
            stats = one.metrics[0].stats
            name = _named(one).ljust(left)
            if stats is None:
                yield f"{name}  no value"
            else:
                yield f"{name}{_cells(_numbers(stats, metric.unit))}  {self._when(stats.max_at)}"
            if one.coverage != usual:
                yield f"  {self._coverage(one.coverage)}"

    def _unmoved(self, metrics: Iterable[MetricSummary]) -> Iterator[str]:
        """Tell of metrics that have no course to show: they share a line."""
        groups: dict[str, list[str]] = {"constant": [], "all 0": [], "no value": []}
        for item in metrics:
            name = printable(item.metric.name)
            if item.stats is None:
                groups["no value"].append(name)
            elif item.stats.min == item.stats.max == 0:
                groups["all 0"].append(name)
            elif _is_constant(item.stats):
                groups["constant"].append(f"{name} {units.short(item.stats.max, item.metric.unit)}")
        for what, told in groups.items():
            if told:
                yield from _wrapped(f"{what}: {', '.join(told)}", self._width)

    def _ranking(self, ranking: Ranking) -> Iterator[str]:
        yield f"Top by {ranking.metric.name} ({ranking.table}, mean over {ranking.ticks} samples)"
        yield f"{'mean':>9}{'max':>10}  {'max at':<{self._when_width}}  process"
        for group in ranking.groups:
            pid = f" ({group.pids[0]})" if len(group.pids) == 1 else ""
            name, *others = [printable(value) for _, value in group.labels]
            rest = "".join(f"  {value}" for value in others if value != "-")
            yield self._group(group, ranking, f"{name}{pid}{rest}")
        if ranking.rest:
            yield self._group(ranking.rest, ranking, "(others), all that were not listed")

    def _group(self, group: RankedGroup, ranking: Ranking, name: str) -> str:
        bound = ">=" if group.ticks < ranking.ticks else ""
        cells = [f"{bound}{units.short(value, ranking.metric.unit)}" for value in (group.mean, group.max)]
        return f"{cells[0]:>9}{cells[1]:>10}  {self._when(group.max_at)}  {name}"

    def _alerts(self, alerts: Sequence[PastAlert]) -> Iterator[str]:
        yield "Alerts" if alerts else "Alerts: none"
        for alert in alerts:
            labels = " ".join(
                f"{name}={printable(value)}"
                for name, value in alert.labels.items()
                if name not in {"hostname", *self._report.origin.labels}
            )
            what = "  ".join(part for part in (alert.level.value.upper(), printable(alert.rule), labels) if part)
            lasted = f"since {self._when(alert.since)} for {units.format_age(alert.duration)}"
            peak = units.human(alert.peak, self._report.units.get(alert.metric, ""))
            yield f"{what}  {lasted}  peak {peak}  {alert.state.value}"

    def _coverage(self, coverage: Coverage, *, percent: bool = False) -> str:
        told = f"{coverage.found} of {coverage.expected} samples"
        if percent and coverage.expected:
            # Rounded down: only what is complete may say 100 %.
            told += f" ({1000 * coverage.found // coverage.expected / 10:g} %)"
        if coverage.gap_at is not None:
            told += f", longest gap {units.format_age(coverage.gap)} at {self._when(coverage.gap_at)}"
        return told

    @property
    def _wide(self) -> bool:
        return self._style.width >= WIDE

    @property
    def _when_width(self) -> int:
        return 8 if self._one_day else 11

    def _when(self, at: datetime) -> str:
        local = self._local(at)
        return f"{local:%H:%M:%S}" if self._one_day else f"{local:%m-%d %H:%M}"

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self._style.zone)

    def _ended(self, left: str, right: str) -> str:
        """Put `right` where the columns of numbers are."""
        return left.ljust(self._width - _numbers_width()) + right


def _numbers_width() -> int:
    return len(_TITLES) * _CELL + 2 + len("11-20 12:00")


def _name_width(names: Iterable[str]) -> int:
    return max(map(len, names), default=0)


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"{text:>{_CELL}}" for text in texts)


def _numbers(stats: Stats, unit: str) -> list[str]:
    return [units.short(value, unit) for value in (stats.mean, stats.min, stats.p50, stats.p95, stats.p99, stats.max)]


def _named(series: SeriesSummary) -> str:
    return " ".join(f"{name}={printable(value)}" for name, value in series.labels)


def _is_constant(stats: Stats) -> bool:
    return stats.min == stats.max and (stats.samples > 1 or stats.max == 0)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _offset(at: datetime) -> str:
    return f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:5] if at.utcoffset() else ""
