"""Phrases that every format shares: when, how complete, which series, which alert."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sysmon.history import AlertState, Coverage, PastAlert
from sysmon.model import Level, Unit
from sysmon.report.summary import MetricSummary, OverviewItem, RankedGroup, Ranking, Report, SeriesSummary
from sysmon.text import units
from sysmon.text.conditions import name_extreme
from sysmon.text.culprits import format_culprits
from sysmon.text.names import printable
from sysmon.thresholds import Beyond

_SPANS = {"1d": "days", "1h": "hours", "1m": "minutes"}
_ROWS = "rows"
_MOST_NAMES = 16
OTHERS = "other processes"
"""The name of the row for all processes that a ranking does not list."""

_SCALED = (Unit.BYTES, Unit.BYTES_PER_SECOND)


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one report, with its instants in one zone (None: the system's)."""

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
        return f"{self._format_range(self.report.since, self.report.until)}, {length}"

    def compared(self) -> list[str]:
        """Return what the report is compared with, part by part; empty if with nothing."""
        then = self.report.compared
        if then is None:
            return []
        period = f"compared with {self._format_range(then.since, then.until)}:"
        if then.coverage is None:
            return [period, "no data stored"]
        covered = self._describe_coverage(then.coverage, then.idle)
        sources = [f"({_describe_sources(then.sources)})"] if then.sources != self.report.sources else []
        return [period, covered, *sources]

    def _format_range(self, since: datetime, until: datetime) -> str:
        begin, end = self.local(since), self.local(until)
        last = f"{end:%H:%M:%S}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
        return f"{begin:%Y-%m-%d %H:%M:%S} to {last} UTC{_format_offset(end)}"

    def completeness(self) -> str:
        """Return how complete the whole record is."""
        return self._describe_coverage(self.report.coverage, self.report.idle)

    def _describe_coverage(self, coverage: Coverage, idle: float | None) -> str:
        stopped = f", not running for {units.format_age(idle)}" if idle and idle >= 1 else ""
        return f"{self.coverage(coverage, percent=True)}{stopped}"

    def sources(self) -> str:
        """Return what kinds of files answered, and how exact they are."""
        if self.report.edges:
            return f"{_describe_sources(self.report.sources)}: every number is exact"
        exact = self.report.sources == (_ROWS,)
        precision = "percentiles are exact" if exact else "percentiles within 1 %; --exact reads rows only"
        return f"{_describe_sources(self.report.sources)}: {precision}"

    def limits(self) -> str:
        """Return which rules the limits are of, empty where nothing tells it."""
        return f"limits: {self.report.limits_from}" if self.report.limits_from else ""

    def damage(self) -> str:
        """Return what had to be left out, empty if nothing."""
        skipped = self.report.skipped
        return f"damaged: {skipped} lines or parts of files could not be read and are left out" if skipped else ""

    def coverage(self, coverage: Coverage, *, percent: bool = False) -> str:
        """Return how many samples there are of how many, and the longest gap."""
        text = f"{coverage.found} of {coverage.expected} samples"
        if percent and coverage.expected:
            # Rounded down: only what is complete may say 100 %.
            text += f" ({1000 * coverage.found // coverage.expected / 10:g} %)"
        if coverage.gap_at is not None:
            text += f", longest gap {units.format_age(coverage.gap)} at {self.when(coverage.gap_at)}"
        return text

    def coverages(self, coverages: Sequence[Coverage]) -> str:
        """Return the coverage of series that share a line."""
        if len(coverages) == 1:
            return self.coverage(coverages[0])
        low, high = min(coverage.found for coverage in coverages), max(coverage.found for coverage in coverages)
        return f"intermittent: {low} to {high} of {max(coverage.expected for coverage in coverages)} samples each"

    def ranking(self, ranking: Ranking) -> str:
        """Return what a ranking rests on."""
        covered = f"{ranking.ticks} samples" if ranking.coverage is None else self.coverage(ranking.coverage)
        return f"{ranking.table}, mean over {covered}"

    def alert_start(self, alert: PastAlert) -> list[str]:
        """Return which alert it is and how long it was on, part by part, without its level."""
        shared = {"hostname", *self.report.origin.labels}
        labels = [f"{name}={printable(value)}" for name, value in alert.labels.items() if name not in shared]
        lasted = f"since {self.when(alert.since)} for {units.format_age(alert.duration)}"
        return [printable(alert.rule), *labels, lasted]

    def alert(self, alert: PastAlert) -> list[str]:
        """Return all there is to say of an alert after its level, part by part."""
        culprits = self.culprits(alert, most=1)
        return [*self.alert_start(alert), self.peak(alert), alert.state.value, *([culprits] if culprits else [])]

    def peak(self, alert: PastAlert) -> str:
        """Return the worst value of an alert."""
        return f"{name_extreme(alert.condition)} {units.human(alert.peak, alert.unit)}"

    def culprits(self, alert: PastAlert, *, most: int | None = None) -> str:
        """Return whom an alert names; empty where it names nobody."""
        return format_culprits(alert, self.when, most=most)

    def alert_counts(self) -> Iterator[tuple[str, PastAlert]]:
        """Yield what is on and what is over: how many, and the worst of them."""
        on = [alert for alert in self.report.alerts if alert.state is AlertState.FIRING]
        over = [alert for alert in self.report.alerts if alert.state is not AlertState.FIRING]
        for alerts, state in ((on, "firing"), (over, "over")):
            if alerts:
                worst = ", worst" if len(alerts) > 1 else ""
                yield f"{len(alerts)} {state}{worst} ", max(alerts, key=lambda alert: alert.level.rank)

    def _last_instant(self) -> datetime:
        return self.local(self.report.until - timedelta(milliseconds=1))


def _describe_sources(sources: Sequence[str]) -> str:
    spans = [name for source, name in _SPANS.items() if source in sources]
    if not spans:
        return "from rows"
    return f"from roll-ups of {' and '.join(spans)}{' and rows' if _ROWS in sources else ''}"


def describe_limits(item: MetricSummary) -> list[tuple[Level, str, str]]:
    """Return level, limit and time beyond it of each limit of a metric, each once."""
    lasted = {}
    for beyond in item.beyond:
        limit = beyond.limit
        lasted[limit.level, f"{limit.sign} {_format_limit(limit.value, item.metric.unit)}"] = _describe_beyond(beyond)
    return [(level, text, duration) for (level, text), duration in lasted.items()]


def describe_values(item: MetricSummary) -> str:
    """Return how many values a metric has of how many, empty where every sample of its series has one, or none has."""
    if item.stats is None or not item.expected:
        return ""
    # Rounded down, as coverage is.
    part = 1000 * item.stats.samples // item.expected / 10
    return f"{item.stats.samples} of {item.expected} values ({part:g} %)"


def is_exceeded(item: MetricSummary) -> bool:
    """Say whether a metric was beyond any limit that the rules set for it."""
    return any(exceeded.samples for exceeded in item.beyond)


def _format_limit(value: float, unit: Unit) -> str:
    return units.human(value, unit) if unit in _SCALED else f"{value:g}{unit.suffix}"


def _describe_beyond(beyond: Beyond) -> str:
    about = "" if beyond.exact else "about "
    if not beyond.samples:
        return "never" if beyond.exact else "hardly ever"
    lasted = f"{beyond.samples} samples" if beyond.seconds is None else units.format_age(beyond.seconds)
    part = int(1000 * beyond.share) / 10  # rounded down, as coverage is
    return f"{about}{lasted} ({f'{part:g}' if part else '<0.1'} %)"


def format_labels(series: SeriesSummary) -> str:
    """Return the labels of a series."""
    return " ".join(f"{name}={printable(value)}" for name, value in series.labels)


def list_names(series: Sequence[SeriesSummary]) -> list[str]:
    """Return the names of series that share a line, of many only the first."""
    names = [format_labels(member) for member in series if member.labels]
    return names if len(names) <= _MOST_NAMES else [*names[:_MOST_NAMES], f"{len(names) - _MOST_NAMES} more"]


def format_process(group: RankedGroup) -> str:
    """Return whom a group of processes is: name, process id where there is one, and the other labels."""
    pid = f" ({group.pids[0]})" if len(group.pids) == 1 else ""
    name, *others = [printable(value) for _, value in group.labels]
    name = "(none)" if name == "-" else name
    return f"{name}{pid}" + "".join(f"  {value}" for value in others if value != "-")


def ranking_cells(group: RankedGroup, ranking: Ranking, bound: str) -> tuple[str, str]:
    """Return mean and maximum of a group, marked where they are lower bounds."""
    low = group.ticks < ranking.ticks
    unit = ranking.metric.unit
    return (
        f"{bound if low else ''}{units.cell(group.mean, unit)}",
        f"{bound if low or group.bounded else ''}{units.cell(group.max, unit)}",
    )


def overview_cells(item: OverviewItem) -> tuple[str, str]:
    """Return mean and worst of a line, with the unit."""
    return units.human(item.mean, item.metric.unit) if item.mean is not None else "", units.human(
        item.worst, item.metric.unit
    )


def describe_unchanged(series: SeriesSummary) -> list[list[str]]:
    """Describe the metrics that have no trend to show: those that are alike share a line, given in its parts."""
    groups: dict[str, list[str]] = {"constant": [], "seen once": [], "all 0": [], "no value": []}
    for item in series.metrics:
        name = printable(item.metric.name)
        if item.stats is None:
            groups["no value"].append(name)
        elif is_exceeded(item):
            continue
        elif item.stats.min == item.stats.max == 0:
            groups["all 0"].append(_append_values(name, item))
        elif item.stats.min == item.stats.max:
            group = "constant" if item.stats.samples > 1 else "seen once"
            text = f"{name} {units.cell(item.stats.max, item.metric.unit)}"
            groups[group].append(_append_values(text, item) if item.stats.samples > 1 else text)
    return [[f"{title}:", *add_commas(names)] for title, names in groups.items() if names]


def _append_values(text: str, item: MetricSummary) -> str:
    values = describe_values(item)
    return f"{text} in {values}" if values else text


def add_commas(texts: Sequence[str]) -> list[str]:
    """Return texts with a comma at the end of each but the last."""
    return [*(f"{text}," for text in texts[:-1]), *texts[-1:]]


def describe_quiet(series: Sequence[SeriesSummary]) -> str:
    """Return what is so of series in which nothing happened."""
    stats = [item.stats is not None for member in series for item in member.metrics]
    return "all 0" if all(stats) else "all 0 or no value" if any(stats) else "no value"


def _format_offset(at: datetime) -> str:
    return f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:5] if at.utcoffset() else ""
