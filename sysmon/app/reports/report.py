"""Report builder: the tables of a range one after the other, summarised or ranked, with coverage and alerts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from sysmon.app.reports.rule_limits import RuleLimits, read_logged
from sysmon.app.selection import Selection, find_hosts, find_tables, no_rows_error, open_archive
from sysmon.datadir.damage import Damage
from sysmon.errors import DamagedError, NothingFoundError, UsageError
from sysmon.history import TRANSIENT_LABELS, AggregatedSeries, AggregatedTable, Coverage, TableHistory
from sysmon.model import Origin, Table
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.reading.coverage import (
    DuePeriod,
    RunPeriod,
    find_due_periods,
    find_run_periods,
    idle_seconds,
    measure_coverage,
)
from sysmon.reading.tiers import ROWS, SHORT, sort_kinds
from sysmon.report.overview import build_overview
from sysmon.report.ranking import choose_uses, rank_aggregates, rank_rows
from sysmon.report.side_by_side import HOST, host_severity, put_side_by_side
from sysmon.report.summary import Ranking, Report, TableSummary, summarise
from sysmon.report.summary_rollup import summarise_aggregate
from sysmon.sampling.self_tables import SELF_TABLES
from sysmon.stats.tick_runs import TickRuns
from sysmon.text.spelling import closest

HEARTBEAT = "agent"
"""The table with a row for every base tick: it tells how complete the whole record is."""

TOP = 5
_EVERYBODY = 1_000_000
_MOST_SAMPLES = 20_000
"""So many samples of a table are held at once, and not many more: a little over two days at the usual interval."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What a report tells beside the numbers: the limits of rules, and how many of those who used most.

    With `configured` the limits are those of the rules that the run logged, and where it logged none what this returns.
    `compare` is how far back the range lies that it is compared with, None for no comparison. `edges` are those of a
    time table, empty for none. `by` is the label, or `host`, by which series are told side by side, empty for none.
    `complete` reports tell of the tables about sysmon itself unasked; others where no other table has rows.
    """

    limits: RuleLimits = field(default_factory=RuleLimits)
    configured: Callable[[], RuleLimits] | None = None
    top: int = TOP
    compare: timedelta | None = None
    edges: tuple[datetime, ...] = ()
    by: str = ""
    complete: bool = True


DEFAULT_DETAIL = Detail()


@dataclass(frozen=True, slots=True)
class HostReport:
    """A report, of which host it is, and what could not be read for it."""

    report: Report
    host: Host
    damage: Damage


@dataclass(frozen=True, slots=True)
class HostReports:
    """The reports of several hosts; `silent` says of each that has nothing in the range where it has something.

    `unreadable` says of each of which nothing can be read why.
    """

    reports: tuple[HostReport, ...]
    silent: tuple[str, ...]
    unreadable: tuple[str, ...]


def build_reports(
    selection: Selection,
    hosts: Sequence[str],
    declared: Mapping[str, Table],
    trend_width: Callable[[Iterable[str]], int],
    detail: Detail = DEFAULT_DETAIL,
) -> HostReports:
    """Return a report of each host that is named; raise NothingFoundError where none has a row in the range.

    Raise DamagedError where there are some that cannot be read.
    """
    reports, silent, unreadable = [], list[str](), list[str]()
    for name in find_hosts(selection, hosts):
        try:
            reports.append(build_report(replace(selection, host=name), declared, trend_width, detail))
        except NothingFoundError as error:
            silent.append(str(error))
        except DamagedError as error:
            if selection.strict:
                raise
            unreadable.append(str(error))
    if not reports and unreadable:
        raise DamagedError("\n".join([*silent, *unreadable]))
    if not reports:
        raise NothingFoundError("\n".join(silent))
    if detail.by == HOST:
        reports = [
            replace(host_report, report=replace(host_report.report, by=HOST))
            for host_report in sorted(reports, key=lambda host_report: host_severity(host_report.report), reverse=True)
        ]
    return HostReports(tuple(reports), tuple(silent), tuple(unreadable))


def build_report(
    selection: Selection,
    declared: Mapping[str, Table],
    trend_width: Callable[[Iterable[str]], int],
    detail: Detail = DEFAULT_DETAIL,
) -> HostReport:
    """Return the report; raise NothingFoundError where no row is in the range.

    `trend_width` tells from the names of the metrics how finely their trends are drawn.
    """
    archive = open_archive(selection, declared)
    report = _build_report(selection, archive, trend_width=trend_width, detail=detail)
    silences = _list_silences(selection, archive.damage)
    report = replace(report, silences=silences, skipped=archive.damage.count)
    if detail.compare is not None:
        earlier = replace(selection, since=selection.since - detail.compare, until=selection.until - detail.compare)
        everybody = Detail(top=_EVERYBODY)
        try:
            then = _build_report(earlier, archive, trend_width=lambda _: 1, detail=everybody)
        except (NothingFoundError, DamagedError):
            if selection.strict and archive.damage.count:
                raise
            then = None  # what is damaged is counted
        from sysmon.report.compare import compare

        report = replace(compare(report, then, earlier.since, earlier.until), skipped=archive.damage.count)
    if detail.by and detail.by != HOST:
        report = put_side_by_side(report, detail.by)
    if detail.edges:
        from sysmon.app.reports.buckets import split_into_buckets

        report = split_into_buckets(report, selection, archive, detail.edges)
    return HostReport(report, archive.host, archive.damage)


def _build_report(
    selection: Selection, archive: Archive, *, trend_width: Callable[[Iterable[str]], int], detail: Detail
) -> Report:
    since, until = selection.since, selection.until
    tables = find_tables(selection, archive)
    if detail.by and detail.by != HOST:
        tables = _select_labelled(tables, detail.by)
    events = archive.events(since, until)
    runs = find_run_periods(events, until=until, now=selection.now)
    limits = detail.limits if detail.configured is None else read_logged(events) or detail.configured()
    detail = replace(detail, limits=limits)
    names = [
        metric.name for table in tables if table.series for metric in table.metrics if selection.wants(metric.name)
    ]
    draft = _Draft(selection, detail, runs, parts=trend_width(names))
    short = _row_range(selection, runs)

    def add(table: Table) -> None:
        draft.add(archive.reader(table).read(since, until, exact=selection.exact, short=short), shown=table in tables)

    left_out = _find_unwanted(tables, selection, detail)
    tables = [table for table in tables if table not in left_out]
    for table in _with_heartbeat(tables, archive):
        add(table)
    if not (draft.tables or draft.rankings):
        tables = left_out
        for table in left_out:
            add(table)
    alerts = archive.alerts(since, until, now=selection.now)
    if not (draft.tables or draft.rankings):
        raise no_rows_error(selection, archive)
    return Report(
        origin=draft.origin or Origin(archive.host.name),
        since=since,
        until=until,
        coverage=draft.coverage(),
        idle=idle_seconds(runs, since, until) if runs else None,
        tables=tuple(draft.tables),
        rankings=tuple(draft.rankings),
        alerts=tuple(alerts),
        skipped=archive.damage.count,
        overview=build_overview(draft.tables, draft.rankings) if selection.is_whole else (),
        sources=sort_kinds(draft.sources),
        limits_from=limits.origin,
    )


# What follows imports what it needs when it needs it: most reports are of the last hour, and begin sooner without.


def _list_silences(selection: Selection, damage: Damage) -> tuple[str, ...]:
    from sysmon.app.silence_store import read_silences

    state = read_silences(selection.data, damage)
    silences = [] if state is None else state.active(selection.now)
    if not silences:
        return ()
    from sysmon.app.reports.alerts import render_silences

    return tuple(render_silences(silences, selection.now, None))


def _row_range(selection: Selection, runs: Iterable[RunPeriod]) -> timedelta:
    """Return up to which length rows are read: not as far as was asked for where there are very many."""
    seconds = min((interval for run in runs for interval in run.seconds.values()), default=0.0)
    many = timedelta(seconds=_MOST_SAMPLES * seconds) if seconds else selection.short
    return max(min(selection.short, many), min(selection.short, SHORT))


class _Draft:
    """Takes one table after the other, so that the rows of only one are in memory."""

    def __init__(self, selection: Selection, detail: Detail, runs: list[RunPeriod], *, parts: int) -> None:
        self._selection = selection
        self._detail = detail
        self._by = (detail.by,) if detail.by and detail.by != HOST else ()
        self._runs = runs
        self._parts = parts
        self._coverages: dict[str, Coverage] = {}
        self.origin: Origin | None = None
        self.sources: set[str] = set()
        self._measured: dict[tuple[TickRuns, tuple[DuePeriod, ...]], Coverage] = {}
        self.tables: list[TableSummary] = []
        self.rankings: list[Ranking] = []

    def add(self, history: TableHistory | AggregatedTable, *, shown: bool) -> None:
        """Take a table, from rows or from roll-ups; one that is not shown counts for coverage only."""
        if not history.ticks:
            return
        self.sources.update(history.sources if isinstance(history, AggregatedTable) else (ROWS,))
        due = self._begin(history.table, history.origin, history.ticks)
        if shown and history.table.series:
            self._add_summaries(history, due)
        elif shown:
            self._add_rankings(history)

    def _add_rankings(self, history: TableHistory | AggregatedTable) -> None:
        table, selection = history.table, self._selection
        top, by, coverage = self._detail.top, self._by, self._coverages[table.name]
        for use in choose_uses(table, selection.wants, whole=not selection.metrics):
            if isinstance(history, AggregatedTable):
                ranking = rank_aggregates(history, use, top=top, by=by, coverage=coverage)
            else:
                ranking = rank_rows(history, use, top=top, by=by, coverage=coverage)
            if ranking is not None:
                self.rankings.append(ranking)

    def _add_summaries(self, history: TableHistory | AggregatedTable, due: list[DuePeriod]) -> None:
        table = history.table
        summaries = []
        for series in history.series:
            due_periods = self._due_periods_of(table, series.labels, history.ticks, due)
            if isinstance(series, AggregatedSeries):
                summarise_one = partial(summarise_aggregate, series, table, self._complete(due_periods, series.at))
            else:
                summarise_one = partial(summarise, series, table, self._complete(due_periods, sorted(series.at)))
            summary = summarise_one(
                since=self._selection.since,
                until=self._selection.until,
                parts=self._parts,
                wanted=self._selection.wants,
                limits=self._detail.limits.of(table, series.labels),
            )
            summaries.append(summary)
        few = table.whole is not None or (len(table.metrics) == 1 and bool(table.labels))
        whole = self._selection.is_whole
        self.tables.append(TableSummary(table, tuple(summaries), brief=whole and few, general=whole))

    def _begin(self, table: Table, origin: Origin | None, ticks: Sequence[int]) -> list[DuePeriod]:
        """Note of whom a table is and how complete; return where its samples should be."""
        self.origin = origin or self.origin
        due = find_due_periods(self._runs, table.name, ticks, self._selection.since, self._selection.until)
        self._coverages[table.name] = self._complete(due, ticks)
        return due

    def _complete(self, due: Sequence[DuePeriod], instants: Sequence[int]) -> Coverage:
        """Return how well instants fill where they should be; most series, and many tables, have the same ones."""
        ticks = TickRuns.from_instants(instants)
        key = (ticks, tuple(due))
        if key not in self._measured:
            self._measured[key] = measure_coverage(due, ticks)
        return self._measured[key]

    def _due_periods_of(
        self, table: Table, labels: Sequence[str], ticks: Sequence[int], usual: list[DuePeriod]
    ) -> list[DuePeriod]:
        """Return where samples of a series should be: it may keep the interval of another table."""
        if table.paced_by is None:
            return usual
        paced_by = labels[table.labels.index(table.paced_by)]
        if not any(paced_by in run.seconds for run in self._runs):
            return usual
        return find_due_periods(self._runs, paced_by, ticks, self._selection.since, self._selection.until)

    def coverage(self) -> Coverage:
        """Return how complete the record is: by the heartbeat, else by the table with most instants."""
        return self._coverages.get(HEARTBEAT) or max(self._coverages.values(), key=lambda coverage: coverage.expected)


def _find_unwanted(tables: Sequence[Table], selection: Selection, detail: Detail) -> list[Table]:
    """Return the tables about sysmon itself, unless they were asked for: by name, metric or label, or all of them."""
    if detail.complete or not selection.is_whole or detail.by not in {"", HOST}:
        return []
    return [table for table in tables if table.name in SELF_TABLES]


def _select_labelled(tables: Sequence[Table], label: str) -> list[Table]:
    """Return the tables whose rows have a label; raise UsageError where there is none."""
    labels = {name for table in tables for name in table.labels if name not in TRANSIENT_LABELS}
    if label not in labels:
        names = sorted({HOST, *labels})
        close = closest(label, names)
        way = f"did you mean {close!r}?" if close else f"write {', '.join(names)}"
        raise UsageError(f"--by {label}: no table here has such rows: {way}")
    return [table for table in tables if label in table.labels]


def _with_heartbeat(tables: list[Table], archive: Archive) -> list[Table]:
    heartbeat = archive.declared.get(HEARTBEAT)
    if heartbeat is None or heartbeat in tables or HEARTBEAT not in archive.table_names:
        return tables
    return [*tables, heartbeat]
