"""Puts a report together: finds the rows of a range, asks how complete they are, sums them up table by table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sysmon.app.reports.rule_limits import RuleLimits
from sysmon.app.selection import Question, find_host, find_hosts, find_tables, nothing_found
from sysmon.errors import NothingFoundError, UsageError
from sysmon.history import Coverage, RolledTable, TableHistory
from sysmon.model import Origin, Table
from sysmon.reading.alerts import past_alerts
from sysmon.reading.catalog import Host
from sysmon.reading.coverage import Run, Stretch, coverage, not_running, runs_of, stretches_of
from sysmon.reading.damage import Damage
from sysmon.reading.logs import read_alerts, read_events
from sysmon.reading.rows import read_table
from sysmon.reading.tiers import SHORT, in_order, wants_sums
from sysmon.report.overview import glance
from sysmon.report.ranking import PASSING, rank, rank_rolled, uses_of
from sysmon.report.side_by_side import HOST, by_label, trouble
from sysmon.report.summary import Ranking, Report, SeriesSummary, TableSummary, summarise
from sysmon.report.summary_rollup import summarise_rolled
from sysmon.stats.tick_runs import Ticks
from sysmon.text.spelling import closest

HEARTBEAT = "agent"
"""The table with a row for every base tick: it tells how complete the whole record is."""

TOP = 5
_ALL = 1_000_000
_MANY = 20_000
"""So many samples of a table are held at once, and not many more: a little over two days at the usual interval."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What a report tells beside the numbers: the limits of rules, and how many of those who used most.

    `compare` is how far back the range lies that it is compared with, None for no comparison. `edges` are those of a
    time table, empty for none. `by` is the label, or `host`, by which series are told side by side, empty for none.
    """

    limits: RuleLimits = field(default_factory=RuleLimits)
    top: int = TOP
    compare: timedelta | None = None
    edges: tuple[datetime, ...] = ()
    by: str = ""


USUAL = Detail()


@dataclass(frozen=True, slots=True)
class Answer:
    """A report, of which host it is, and what could not be read for it."""

    report: Report
    host: Host
    damage: Damage


@dataclass(frozen=True, slots=True)
class Answers:
    """The reports of several hosts; `silent` says of each that has nothing in the range where it has something."""

    found: tuple[Answer, ...]
    silent: tuple[str, ...]


def answer_hosts(
    question: Question,
    hosts: Sequence[str],
    known: Mapping[str, Table],
    trend_width: Callable[[Iterable[str]], int],
    detail: Detail = USUAL,
) -> Answers:
    """Return a report of each host that is named; raise NothingFoundError where none has a row in the range."""
    found, silent = [], []
    for name in find_hosts(question, hosts):
        try:
            found.append(answer(replace(question, host=name), known, trend_width, detail))
        except NothingFoundError as error:
            silent.append(str(error))
    if not found:
        raise NothingFoundError("\n".join(silent))
    if detail.by == HOST:
        found = [
            replace(one, report=replace(one.report, by=HOST))
            for one in sorted(found, key=lambda one: trouble(one.report), reverse=True)
        ]
    return Answers(tuple(found), tuple(silent))


def answer(
    question: Question,
    known: Mapping[str, Table],
    trend_width: Callable[[Iterable[str]], int],
    detail: Detail = USUAL,
) -> Answer:
    """Return the report; raise NothingFoundError where no row is in the range.

    `trend_width` tells from the names of the metrics how finely their trends are drawn.
    """
    damage = question.damage()
    host = find_host(question, damage)
    report = _report(question, host, damage, known=known, trend_width=trend_width, detail=detail)
    if detail.compare is not None:
        earlier = replace(question, since=question.since - detail.compare, until=question.until - detail.compare)
        everybody = Detail(top=_ALL)
        try:
            then = _report(earlier, host, damage, known=known, trend_width=lambda _: 1, detail=everybody)
        except NothingFoundError:
            then = None
        from sysmon.report.compare import compare

        report = replace(compare(report, then, earlier.since, earlier.until), skipped=damage.count)
    if detail.by and detail.by != HOST:
        report = by_label(report, detail.by)
    if detail.edges:
        from sysmon.app.reports.buckets import cut

        report = cut(report, question, host, damage, detail.edges)
    return Answer(report, host, damage)


def _report(
    question: Question,
    host: Host,
    damage: Damage,
    *,
    known: Mapping[str, Table],
    trend_width: Callable[[Iterable[str]], int],
    detail: Detail,
) -> Report:
    tables = find_tables(question, host, known)
    if detail.by and detail.by != HOST:
        tables = _labelled(tables, detail.by)
    runs = runs_of(
        read_events(host.folder, question.since, question.until, damage), until=question.until, now=question.now
    )
    names = [metric.name for table in tables if table.series for metric in table.metrics if question.wants(metric.name)]
    draft = _Draft(question, detail, runs, parts=trend_width(names))
    short = _short(question, runs)
    for table in _with_heartbeat(tables, host, known):
        shown = table in tables
        rolled = None if question.exact else _rolled(question, host, table, damage, short)
        if rolled is not None:
            draft.add_rolled(rolled, shown=shown)
        else:
            history = read_table(host.folder / table.name, table, question.since, question.until, damage)
            draft.add(history, shown=shown)
    alerts = past_alerts(
        read_alerts(host.folder, question.since, question.until, damage),
        question.since,
        min(question.until, question.now),
    )
    if not (draft.tables or draft.rankings):
        raise nothing_found(question, host, damage)
    return Report(
        origin=draft.origin or Origin(host.name),
        since=question.since,
        until=question.until,
        coverage=draft.coverage(),
        idle=not_running(runs, question.since, question.until) if runs else None,
        tables=tuple(draft.tables),
        rankings=tuple(draft.rankings),
        alerts=tuple(alerts),
        skipped=damage.count,
        units={metric.name: metric.unit for table in known.values() for metric in table.metrics},
        glance=glance(draft.tables, draft.rankings) if question.is_whole else (),
        sources=in_order(draft.sources),
        silences=_silences(question),
    )


# What follows imports what it needs when it needs it: most reports are of the last hour, and begin sooner without.


def _rolled(question: Question, host: Host, table: Table, damage: Damage, short: timedelta) -> RolledTable | None:
    if not wants_sums(host.folder, table, question.since, question.until, short=short):
        return None
    from sysmon.reading.plan import read_rolled

    return read_rolled(host.folder, table, question.since, question.until, damage, short=short)


def _silences(question: Question) -> tuple[str, ...]:
    from sysmon.app import silence_store

    found = silence_store.ReplyFile(question.data).read().active(question.now)
    if not found:
        return ()
    from sysmon.app.reports.alerts import silences_text

    return tuple(silences_text(found, question.now, None))


def _short(question: Question, runs: Iterable[Run]) -> timedelta:
    """Return up to which length rows are read: not as far as was asked for where there are very many."""
    seconds = min((interval for run in runs for interval in run.seconds.values()), default=0.0)
    many = timedelta(seconds=_MANY * seconds) if seconds else question.short
    return max(min(question.short, many), min(question.short, SHORT))


class _Draft:
    """Takes one table after the other, so that the rows of only one are in memory."""

    def __init__(self, question: Question, detail: Detail, runs: list[Run], *, parts: int) -> None:
        self._question = question
        self._detail = detail
        self._by = (detail.by,) if detail.by and detail.by != HOST else ()
        self._runs = runs
        self._parts = parts
        self._coverages: dict[str, Coverage] = {}
        self.origin: Origin | None = None
        self.sources: set[str] = set()
        self._known: dict[tuple[Ticks, tuple[Stretch, ...]], Coverage] = {}
        self.tables: list[TableSummary] = []
        self.rankings: list[Ranking] = []

    def add(self, history: TableHistory, *, shown: bool) -> None:
        if not history.ticks:
            return
        self.sources.add("rows")
        question, table = self._question, history.table
        stretches = self._begin(table, history.origin, history.ticks)
        if not shown:
            return
        if not table.series:
            self._add_rankings(
                rank(history, use, top=self._detail.top, by=self._by, coverage=self._coverages[table.name])
                for use in uses_of(table, question.wants, whole=not question.metrics)
            )
            return
        summaries = tuple(
            summarise(
                series,
                table,
                self._complete(self._stretches_of(table, series.labels, history.ticks, stretches), sorted(series.at)),
                since=question.since,
                until=question.until,
                parts=self._parts,
                wanted=question.wants,
                limits=self._detail.limits.of(table, series.labels),
            )
            for series in history.series
        )
        self._add(table, summaries)

    def add_rolled(self, found: RolledTable, *, shown: bool) -> None:
        """Take a table of which there are sums."""
        if not found.ticks:
            return
        self.sources.update(found.sources)
        question, table = self._question, found.table
        stretches = self._begin(table, found.origin, found.ticks)
        if not shown:
            return
        if not table.series:
            self._add_rankings(
                rank_rolled(found, use, top=self._detail.top, by=self._by, coverage=self._coverages[table.name])
                for use in uses_of(table, question.wants, whole=not question.metrics)
            )
            return
        summaries = []
        for series in found.series:
            due = self._stretches_of(table, series.labels, found.ticks, stretches)
            summaries.append(
                summarise_rolled(
                    series,
                    table,
                    self._complete(due, series.at),
                    since=question.since,
                    until=question.until,
                    parts=self._parts,
                    wanted=question.wants,
                    limits=self._detail.limits.of(table, series.labels),
                )
            )
        self._add(table, tuple(summaries))

    def _add_rankings(self, rankings: Iterable[Ranking | None]) -> None:
        self.rankings += [ranking for ranking in rankings if ranking is not None]

    def _begin(self, table: Table, origin: Origin | None, ticks: Sequence[int]) -> list[Stretch]:
        """Note of whom a table is and how complete; return where its samples should be."""
        self.origin = origin or self.origin
        stretches = stretches_of(self._runs, table.name, ticks, self._question.since, self._question.until)
        self._coverages[table.name] = self._complete(stretches, ticks)
        return stretches

    def _complete(self, due: Sequence[Stretch], instants: Sequence[int]) -> Coverage:
        """Return how well instants fill where they should be; most series, and many tables, have the same ones."""
        ticks = Ticks.of(instants)
        key = (ticks, tuple(due))
        if key not in self._known:
            self._known[key] = coverage(due, ticks)
        return self._known[key]

    def _add(self, table: Table, summaries: tuple[SeriesSummary, ...]) -> None:
        few = table.whole is not None or (len(table.metrics) == 1 and bool(table.labels))
        whole = self._question.is_whole
        self.tables.append(TableSummary(table, summaries, brief=whole and few, general=whole))

    def _stretches_of(
        self, table: Table, labels: Sequence[str], ticks: Sequence[int], usual: list[Stretch]
    ) -> list[Stretch]:
        """Return where samples of a series should be: it may keep the interval of another table."""
        if table.paced_by is None:
            return usual
        paced_by = labels[table.labels.index(table.paced_by)]
        if not any(paced_by in run.seconds for run in self._runs):
            return usual
        return stretches_of(self._runs, paced_by, ticks, self._question.since, self._question.until)

    def coverage(self) -> Coverage:
        """Return how complete the record is: by the heartbeat, else by the table with most instants."""
        return self._coverages.get(HEARTBEAT) or max(self._coverages.values(), key=lambda one: one.expected)


def _labelled(tables: Sequence[Table], label: str) -> list[Table]:
    """Return the tables whose rows have a label; raise UsageError where there is none."""
    known = {name for table in tables for name in table.labels if name not in PASSING}
    if label not in known:
        names = sorted({HOST, *known})
        close = closest(label, names)
        way = f"did you mean {close!r}?" if close else f"write {', '.join(names)}"
        raise UsageError(f"--by {label}: no table here has such rows: {way}")
    return [table for table in tables if label in table.labels]


def _with_heartbeat(tables: list[Table], host: Host, known: Mapping[str, Table]) -> list[Table]:
    heartbeat = known.get(HEARTBEAT)
    if heartbeat is None or heartbeat in tables or HEARTBEAT not in host.tables():
        return tables
    return [*tables, heartbeat]
