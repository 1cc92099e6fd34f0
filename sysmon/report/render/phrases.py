"""What every page says in the same words, whatever its form: when, how complete, which series, which alert."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sysmon.history import AlertState, Coverage, PastAlert
from sysmon.model import Level, Unit
from sysmon.report.summary import GlanceItem, MetricSummary, RankedGroup, Ranking, Report, SeriesSummary
from sysmon.text import units
from sysmon.text.culprits import blame
from sysmon.text.names import printable
from sysmon.thresholds import Beyond

_SPANS = {"1d": "days", "1h": "hours", "1m": "minutes"}
_ROWS = "rows"
_NAMED = 16
OTHERS = "other processes"
"""The name of the row for all processes that a ranking does not list."""

_SCALED = (Unit.BYTES, Unit.BYTES_PER_SECOND)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one report, with its instants in one zone (None: the system's)."""

    report: Report
    zone: tzinfo | None

    @property
    def one_day(self) -> bool:
        """Say whether the range lies within one day, so that times need no date."""
        return self.local(self.report.since).date() == self._last_instant().date()

    def local(self, at: datetime) -> datetime:
        """Return an instant in the zone."""
        return at.astimezone(self.zone)

    def when(self, at: datetime) -> str:
        """Return an instant as short as the range allows."""
        return f"{self.local(at):%H:%M:%S}" if self.one_day else f"{self.local(at):%m-%d %H:%M}"

    def origin(self) -> str:
        """Return the configured labels of the host."""
        return " ".join(f"{name}={printable(value)}" for name, value in self.report.origin.labels.items())

    def span(self) -> str:
        """Return the range and how long it is."""
        length = units.format_age((self.report.until - self.report.since).total_seconds())
        return f"{self._between(self.report.since, self.report.until)}, {length}"

    def compared(self) -> list[str]:
        """Return what the report is compared with, part by part; empty if with nothing."""
        then = self.report.compared
        if then is None:
            return []
        period = f"compared with {self._between(then.since, then.until)}:"
        if then.coverage is None:
            return [period, "no data stored"]
        told = [f"{self._covered(then.coverage, then.idle)}"]
        return [period, *told, *([f"({_sources(then.sources)})"] if then.sources != self.report.sources else [])]

    def _between(self, since: datetime, until: datetime) -> str:
        begin, end = self.local(since), self.local(until)
        last = f"{end:%H:%M:%S}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
        return f"{begin:%Y-%m-%d %H:%M:%S} to {last} UTC{_offset(end)}"

    def completeness(self) -> str:
        """Return how complete the whole record is."""
        return self._covered(self.report.coverage, self.report.idle)

    def _covered(self, coverage: Coverage, idle: float | None) -> str:
        told = f", not running for {units.format_age(idle)}" if idle and idle >= 1 else ""
        return f"{self.coverage(coverage, percent=True)}{told}"

    def sources(self) -> str:
        """Return what kinds of files answered, and how exact they are."""
        if self.report.edges:
            return f"{_sources(self.report.sources)}: every number is exact"
        exact = ": percentiles within 1 %; --exact reads rows only"
        return (
            f"{_sources(self.report.sources)}{': percentiles are exact' if self.report.sources == (_ROWS,) else exact}"
        )

    def damage(self) -> str:
        """Return what had to be left out, empty if nothing."""
        skipped = self.report.skipped
        return f"damaged: {skipped} lines or parts of files could not be read and are left out" if skipped else ""

    def coverage(self, coverage: Coverage, *, percent: bool = False) -> str:
        """Return how many samples there are of how many, and the longest hole."""
        told = f"{coverage.found} of {coverage.expected} samples"
        if percent and coverage.expected:
            # Rounded down: only what is complete may say 100 %.
            told += f" ({1000 * coverage.found // coverage.expected / 10:g} %)"
        if coverage.gap_at is not None:
            told += f", longest gap {units.format_age(coverage.gap)} at {self.when(coverage.gap_at)}"
        return told

    def coverages(self, coverages: Sequence[Coverage]) -> str:
        """Return the coverage of series that share a line."""
        if len(coverages) == 1:
            return self.coverage(coverages[0])
        low, high = min(one.found for one in coverages), max(one.found for one in coverages)
        return f"intermittent: {low} to {high} of {max(one.expected for one in coverages)} samples each"

    def ranking(self, ranking: Ranking) -> str:
        """Return what a ranking rests on."""
        covered = f"{ranking.ticks} samples" if ranking.coverage is None else self.coverage(ranking.coverage)
        return f"{ranking.table}, mean over {covered}"

    def alert_begun(self, alert: PastAlert) -> list[str]:
        """Return which alert it is and how long it was on, part by part, without its level."""
        known = {"hostname", *self.report.origin.labels}
        labels = [f"{name}={printable(value)}" for name, value in alert.labels.items() if name not in known]
        lasted = f"since {self.when(alert.since)} for {units.format_age(alert.duration)}"
        return [printable(alert.rule), *labels, lasted]

    def alert(self, alert: PastAlert) -> list[str]:
        """Return all there is to say of an alert after its level, part by part."""
        peak = f"peak {units.human(alert.peak, alert.unit)}"
        top = [f"top: {blame(alert.top[0], alert.resource)}"] if alert.top else []
        return [*self.alert_begun(alert), peak, alert.state.value, *top]

    def alerts_at_a_glance(self) -> Iterator[tuple[str, PastAlert]]:
        """Yield what is on and what is over: how many, and the worst of them."""
        on = [alert for alert in self.report.alerts if alert.state is AlertState.FIRING]
        over = [alert for alert in self.report.alerts if alert.state is not AlertState.FIRING]
        for alerts, what in ((on, "firing"), (over, "over")):
            if alerts:
                worst = ", worst" if len(alerts) > 1 else ""
                yield f"{len(alerts)} {what}{worst} ", max(alerts, key=lambda alert: alert.level.rank)

    def _last_instant(self) -> datetime:
        return self.local(self.report.until - timedelta(milliseconds=1))


def _sources(sources: Sequence[str]) -> str:
    spans = [name for source, name in _SPANS.items() if source in sources]
    if not spans:
        return "from rows"
    return f"from roll-ups of {' and '.join(spans)}{' and rows' if _ROWS in sources else ''}"


def limits(item: MetricSummary) -> list[tuple[Level, str, str]]:
    """Return level, limit and time beyond it of each limit of a metric, each once."""
    found = {}
    for one in item.beyond:
        limit = one.limit
        found[limit.level, f"{limit.sign} {_limit(limit.value, item.metric.unit)}"] = _beyond(one)
    return [(level, text, told) for (level, text), told in found.items()]


def is_exceeded(item: MetricSummary) -> bool:
    """Say whether a metric was beyond any limit that the rules set for it."""
    return any(one.samples for one in item.beyond)


def _limit(value: float, unit: Unit) -> str:
    return units.human(value, unit) if unit in _SCALED else f"{value:g}{unit.suffix}"


def _beyond(one: Beyond) -> str:
    about = "" if one.exact else "about "
    if not one.samples:
        return "never" if one.exact else "hardly ever"
    lasted = f"{one.samples} samples" if one.seconds is None else units.format_age(one.seconds)
    part = int(1000 * one.share) / 10  # rounded down, as coverage is
    return f"{about}{lasted} ({f'{part:g}' if part else '<0.1'} %)"


def named(series: SeriesSummary) -> str:
    """Return the labels of a series."""
    return " ".join(f"{name}={printable(value)}" for name, value in series.labels)


def named_together(series: Sequence[SeriesSummary]) -> list[str]:
    """Return the names of series that share a line, of many only the first."""
    names = [named(one) for one in series if one.labels]
    return names if len(names) <= _NAMED else [*names[:_NAMED], f"{len(names) - _NAMED} more"]


def process_name(group: RankedGroup) -> str:
    """Return whom a group of processes is: name, process id where there is one, and the other labels."""
    pid = f" ({group.pids[0]})" if len(group.pids) == 1 else ""
    name, *others = [printable(value) for _, value in group.labels]
    name = "(none)" if name == "-" else name
    return f"{name}{pid}" + "".join(f"  {value}" for value in others if value != "-")


def ranked_cells(group: RankedGroup, ranking: Ranking, bound: str) -> tuple[str, str]:
    """Return mean and maximum of a group, marked where they are lower bounds."""
    low = group.ticks < ranking.ticks
    unit = ranking.metric.unit
    return (
        f"{bound if low else ''}{units.cell(group.mean, unit)}",
        f"{bound if low or group.bounded else ''}{units.cell(group.max, unit)}",
    )


def glance_cells(item: GlanceItem) -> tuple[str, str]:
    """Return mean and worst of a line, with the unit."""
    return units.human(item.mean, item.metric.unit) if item.mean is not None else "", units.human(
        item.worst, item.metric.unit
    )


def unmoved(series: SeriesSummary) -> list[list[str]]:
    """Tell of the metrics that have no course to show: those that are alike share a line, given in its parts."""
    groups: dict[str, list[str]] = {"constant": [], "seen once": [], "all 0": [], "no value": []}
    for item in series.metrics:
        name = printable(item.metric.name)
        if item.stats is None:
            groups["no value"].append(name)
        elif is_exceeded(item):
            continue
        elif item.stats.min == item.stats.max == 0:
            groups["all 0"].append(name)
        elif item.stats.min == item.stats.max:
            group = "constant" if item.stats.samples > 1 else "seen once"
            groups[group].append(f"{name} {units.cell(item.stats.max, item.metric.unit)}")
    return [[f"{what}:", *commas(told)] for what, told in groups.items() if told]


def commas(texts: Sequence[str]) -> list[str]:
    """Return texts with a comma at the end of each but the last."""
    return [*(f"{text}," for text in texts[:-1]), *texts[-1:]]


def still(series: Sequence[SeriesSummary]) -> str:
    """Return what is so of series in which nothing happened."""
    stats = [item.stats is not None for one in series for item in one.metrics]
    return "all 0" if all(stats) else "all 0 or no value" if any(stats) else "no value"


def _offset(at: datetime) -> str:
    return f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:5] if at.utcoffset() else ""
