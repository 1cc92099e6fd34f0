"""Coverage: samples that are there and samples that are due, and the longest gap; follows from the event log; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sysmon.formats.records import RUNNING
from sysmon.history import Coverage
from sysmon.model import Event
from sysmon.stats.tick_runs import TickRuns
from sysmon.text.instants import from_ms, parse_instant, to_ms

_GRACE = timedelta(seconds=1)
"""How long a sample may be on its way to the file before a reader misses it."""


@dataclass(frozen=True, slots=True)
class RunPeriod:
    """A stretch, in milliseconds since the epoch and with both ends in it, in which one process sampled.

    `first_tick` is the instant at which every table was due, None where the stretch does not begin with it.
    `seconds` are the intervals by table. `closed` is false while the process still runs.
    """

    id: str
    start: int
    last: int
    first_tick: int | None
    seconds: Mapping[str, float]
    closed: bool


@dataclass(frozen=True, slots=True)
class DuePeriod:
    """A stretch in which one table is due at `first_tick` and whenever `interval` (milliseconds) divides the time.

    `phase` shifts those instants, for tables of other programs.
    """

    start: int
    last: int
    interval: int
    first_tick: int | None = None
    phase: int = 0

    def count(self) -> int:
        """Return how many samples should be in it."""
        if self.last < self.start:
            return 0
        multiples = (self.last - self.phase) // self.interval - (self.start - 1 - self.phase) // self.interval
        first = self.first_tick
        return multiples + (first is not None and self.start <= first <= self.last and first % self.interval != 0)


def find_run_periods(events: Iterable[Event], *, until: datetime, now: datetime) -> list[RunPeriod]:
    """Return when a process sampled, up to `until`, in the order of time.

    A run that says neither that it stopped nor is followed by another is taken to be running still, and is expected
    to have stored everything up to a second before `now`. One that is followed by another without having stopped has
    crashed: up to the next one's first tick it is counted as running, and what is missing as lost.
    """
    runs: list[RunPeriod] = []
    for event in events:
        current = runs[-1] if runs and not runs[-1].closed else None
        at = to_ms(event.at)
        if event.kind == "stopped" and current is not None:
            runs[-1] = replace(current, last=_instant(event, "last_tick", current.start - 1), closed=True)
        elif event.kind in {"clock_step", "suspend"} and current is not None:
            before = at - round(1000 * _seconds(event.fields.get("seconds")))
            runs[-1] = replace(current, last=_instant(event, "last_tick", before), closed=True)
            runs.append(replace(current, start=at, first_tick=None))
        elif event.kind == "interval_changed" and current is not None:
            runs[-1:] = _change_interval(current, event)
        elif event.kind in {RUNNING, "started"}:
            _begin_run(runs, event)
    if runs and not runs[-1].closed:
        runs[-1] = replace(runs[-1], last=to_ms(min(until, now - _GRACE)))
    return runs


def find_due_periods(
    runs: Iterable[RunPeriod], table: str, ticks: Sequence[int], since: datetime, until: datetime
) -> list[DuePeriod]:
    """Return where samples of a table should be in [since, until).

    `ticks` are the instants it has there, in order: where no run tells the interval, their median spacing is it.
    """
    begin, end = to_ms(since), to_ms(until) - 1
    periods = [run for run in runs if table in run.seconds]
    if not periods:
        return _due_by_spacing(ticks)
    due = []
    for run in periods:
        last = run.last if run.closed or not ticks else max(run.last, ticks[-1])
        start, last = max(begin, run.start), min(end, last)
        if start <= last:
            due.append(DuePeriod(start, last, round(1000 * run.seconds[table]), run.first_tick))
    return due


def measure_coverage(stretches: Sequence[DuePeriod], instants: Sequence[int]) -> Coverage:
    """Return how well instants (in order) fill the stretches; those outside are found and not missed by anybody."""
    ticks = TickRuns.from_instants(instants)
    expected = len(ticks)
    longest, longest_at = 0, 0
    within, length_of_all = 0, 0
    for stretch in stretches:
        here = ticks[ticks.below(stretch.start) : ticks.below(stretch.last + 1)]
        within += len(here)
        length_of_all += len(here) * stretch.interval
        missing = stretch.count() - len(here)
        if missing > 0:
            expected += missing
            length, at = _longest_gap(stretch, here)
            if length > longest:
                longest, longest_at = length, at
    interval = min(stretch.interval for stretch in stretches) / 1000 if stretches else None
    return Coverage(
        found=len(ticks),
        expected=expected,
        gap=longest / 1000,
        gap_at=from_ms(longest_at) if longest else None,
        interval=interval,
        each=length_of_all / within / 1000 if within else interval,
    )


def idle_seconds(runs: Sequence[RunPeriod], since: datetime, until: datetime) -> float:
    """Return the seconds of [since, until) in which nobody sampled, and nobody should have."""
    begin, end = to_ms(since), to_ms(until)
    idle = 0
    reached = begin
    for run in runs:
        # A run that ended goes on until its next tick would have been, a running one until the range ends.
        last = run.last + round(1000 * min(run.seconds.values(), default=0.0)) if run.closed else end
        idle += max(0, min(run.start, end) - reached)
        reached = max(reached, min(last, end))
    return max(0, idle + end - reached) / 1000


def _begin_run(runs: list[RunPeriod], event: Event) -> None:
    """Add the run that an event speaks of, or correct its beginning; the one before it ends there at the latest."""
    run_id = str(event.fields.get("run"))
    at = to_ms(event.at)
    first = _instant(event, "first_tick", at) if event.kind == "started" else None
    if runs and not runs[-1].closed and runs[-1].id == run_id:
        if first is None:
            return
        begun = runs.pop().start
        if runs and runs[-1].last == begun - 1:  # it crashed, and is counted up to the first tick after it
            runs[-1] = replace(runs[-1], last=first - 1)
    start = at if first is None else first
    if runs and not runs[-1].closed:
        runs[-1] = replace(runs[-1], last=start - 1, closed=True)
    runs.append(RunPeriod(run_id, start, start, first, read_intervals(event.fields.get("intervals")), closed=False))


def _change_interval(run: RunPeriod, event: Event) -> list[RunPeriod]:
    """Return a run as it was up to the tick at which one table's interval changed, and as it goes on from there."""
    at, table = to_ms(event.at), str(event.fields.get("collector"))
    others = {name: seconds for name, seconds in run.seconds.items() if name != table}
    rest = replace(
        run,
        start=at + 1,
        first_tick=None,
        seconds=others | read_intervals({table: event.fields.get("seconds")}),
    )
    return [rest] if run.start > at else [replace(run, last=at, closed=True), rest]


def _longest_gap(stretch: DuePeriod, instants: TickRuns) -> tuple[int, int]:
    """Return length and beginning of the longest hole: between two samples, or a sample and an edge of the stretch.

    A stretch without any sample is a hole of one interval at least, however short it was.
    """
    if not instants:
        return max(stretch.last + 1 - stretch.start, stretch.interval), stretch.start
    gaps = [(far, first) for far, _, first in instants.steps() if far > stretch.interval]
    if replace(stretch, last=instants[0] - 1).count():
        gaps.append((instants[0] - stretch.start, stretch.start))
    if replace(stretch, start=instants[-1] + 1).count():
        gaps.append((stretch.last + 1 - instants[-1], instants[-1]))
    return max(gaps, key=lambda gap: gap[0], default=(0, 0))


def _due_by_spacing(ticks: Sequence[int]) -> list[DuePeriod]:
    if len(ticks) < 2:
        return []
    interval = _median(TickRuns.from_instants(ticks))
    spaced = ticks[0] + round((ticks[-1] - ticks[0]) / interval) * interval
    return [DuePeriod(ticks[0], max(ticks[-1], spaced), interval, phase=ticks[0] % interval)]


def _median(ticks: TickRuns) -> int:
    """Return the distance of which as many are shorter as are longer; of an even number the lower of the middle two."""
    middle = (len(ticks) - 2) // 2
    for far, count, _ in sorted(ticks.steps()):
        if middle < count:
            return far
        middle -= count
    raise ValueError("fewer than two instants")


def _instant(event: Event, field: str, otherwise: int) -> int:
    value = event.fields.get(field)
    try:
        return to_ms(parse_instant(value)) if isinstance(value, str) else otherwise
    except (ValueError, OverflowError):
        return otherwise


def read_intervals(value: object) -> dict[str, float]:
    """Return the field `intervals` of an event: seconds by table."""
    given = value if isinstance(value, Mapping) else {}
    return {str(table): _seconds(seconds) for table, seconds in given.items() if _seconds(seconds) >= 0.001}


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
