import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors import Source, _ranking
from sysmon.collectors._procfs import Usage
from sysmon.collectors.process import Labels, MachineTotals, ProcessCollector, ProcessReading

NUMBERS = st.none() | st.integers(0, 50)
USAGES = st.builds(Usage, st.integers(1, 9), NUMBERS, NUMBERS, NUMBERS, st.just(b"x"))
PIDS = st.integers(1, 6)
IO = st.dictionaries(PIDS, st.tuples(st.integers(0, 9), st.integers(0, 9)))


@st.composite
def processes(draw: st.DrawFn) -> _ranking.Processes:
    usage = draw(st.dictionaries(PIDS, USAGES))
    return _ranking.make_processes(usage, {pid: io for pid, io in draw(IO).items() if pid in usage})


def reading(processes: _ranking.Processes, listed: set[int]) -> ProcessReading:
    labels: dict[int, Labels] = {pid: (str(pid), "-", "-", "-", "-") for pid in processes.usage if pid in listed}
    return ProcessReading(processes, labels, MachineTotals(10, 100, 0, 1000))


@given(st.none() | processes(), processes(), st.sets(PIDS))
def test_the_rows_hold_all_memory_and_all_threads_whoever_is_listed(
    before: _ranking.Processes | None, after: _ranking.Processes, listed: set[int]
) -> None:
    here = ProcessCollector(Source(), ProcessCollector.Options())
    rows = here.rows(reading(before, set()) if before else None, reading(after, listed), 10.0)

    sums = tuple(sum(value for row in rows if isinstance(value := row[column], int)) for column in (6, 8))
    everyone = after.usage.values()
    assert sums == (sum(usage.memory or 0 for usage in everyone), sum(usage.threads or 0 for usage in everyone))


@given(processes(), processes(), st.sets(PIDS))
def test_no_two_readings_give_a_negative_number(
    before: _ranking.Processes, after: _ranking.Processes, listed: set[int]
) -> None:
    here = ProcessCollector(Source(), ProcessCollector.Options())
    rows = here.rows(reading(before, set()), reading(after, listed), 10.0)

    assert [row for row in rows if any(not isinstance(value, str | None) and value < 0 for value in row)] == []


@given(st.none() | processes(), processes(), st.integers(1, 4))
def test_nobody_who_is_left_out_uses_more_than_a_leader(
    before: _ranking.Processes | None, after: _ranking.Processes, top: int
) -> None:
    grown = _ranking.compute_cpu_growth(before, after.usage)
    leading = _ranking.rank_by_use(after.usage, grown, top)
    by_cpu = sorted(grown, key=lambda pid: (-grown[pid], list(grown).index(pid)))[:top]
    by_memory = sorted(after.usage, key=lambda pid: -(after.usage[pid].memory or 0))[:top]

    assert leading == list(dict.fromkeys([*by_cpu, *by_memory]))


@pytest.mark.parametrize(
    ("then", "now", "leaders"),
    [
        pytest.param(
            {1: (0, 0), 2: (0, 0)}, {1: (1, 1), 2: (0, 3)}, [2, 1], id="what is read and written counts as one"
        ),
        pytest.param({1: (5, 5)}, {1: (5, 5)}, [], id="those that did nothing do not lead"),
        pytest.param({}, {1: (900, 900)}, [], id="those that were not asked before are not known"),
        pytest.param({1: (9, 9)}, {1: (1, 19)}, [1], id="one direction that went backwards hides not the other"),
    ],
)
def test_leaders_by_input_and_output_are_ranked_by_growth(
    then: dict[int, tuple[int, int]], now: dict[int, tuple[int, int]], leaders: list[int]
) -> None:
    usage = {pid: Usage(1, 1, 1, 1, b"x") for pid in (1, 2)}

    assert _ranking.rank_by_io(_ranking.make_processes(usage, then), _ranking.make_processes(usage, now), 5) == leaders


def test_processes_that_name_each_other_as_parents_have_no_ancestor_left() -> None:
    usage = {pid: Usage(1, 5, 1, 1, b"x", parent=3 - pid) for pid in (1, 2)}

    assert _ranking.find_ended(_ranking.make_processes(usage, {}), {}) == {}


def test_who_ended_is_found_at_the_nearest_ancestor_that_has_not() -> None:
    usage = {pid: Usage(1, 5, 1, 1, b"x", parent=pid - 1) for pid in (1, 2, 3)}

    assert _ranking.find_ended(_ranking.make_processes(usage, {}), {1: usage[1]}) == {1: [2, 3]}
