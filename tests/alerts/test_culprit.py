"""Who did it: the processes that used most while an alert was about to fire, and what they leave over."""

from datetime import timedelta

import pytest

from sysmon.alerts.culprit import KEPT, Culprits
from sysmon.alerts.evaluator import Evaluator, find_early_tables
from sysmon.alerts.rule import Rule
from sysmon.app.catalog import tables
from sysmon.model import AlertEvent, Culprit, Level, Origin, Row, Sample, Transition
from tests.alerts.scenes import START, level

TICK = timedelta(seconds=10)
MIB = 2**20


def process(
    pid: int, name: str, *, cpu: float = 0.0, memory: int = 0, read: float | None = None, write: float | None = None
) -> Row:
    return (str(pid), "2026-11-20T00:00:00Z", name, "app", f"{name}.service", cpu, memory, 0.0, 1, read, write)


def others(*, cpu: float = 0.0, memory: int = 0) -> Row:
    return ("-1", "-", "(others)", "-", "-", cpu, memory, 0.0, 1, None, None)


def one_of(table: str, **values: str | float) -> Row:
    return tuple(values.get(column) for column in tables()[table].columns)


def watched(metric: str, table: str, *, hold: str = "20s", attach: int = 5, each: tuple[str, ...] = ()) -> Rule:
    condition = level(">= 50", hold=hold, clear_for="0s")
    return Rule("hot", metric, table, (condition,), TICK, 6 * TICK, 6 * TICK, each=each, attach=attach)


def play(rule: Rule, ticks: list[dict[str, list[Row]]]) -> AlertEvent:
    """Return the only event of one sample a tick."""
    evaluator = Evaluator([rule], tables(), Origin("web-01"))
    (event,) = [
        event for number, rows in enumerate(ticks) for event in evaluator.evaluate(Sample(START + number * TICK, rows))
    ]
    return event


def busy(value: float) -> Row:
    return one_of("cpu", core="all", cpu_usage_percent=value)


def test_a_cpu_alert_names_who_used_most_since_the_breach_began() -> None:
    idle = [process(1, "old", cpu=400.0), others()]
    ticks: list[dict[str, list[Row]]] = [
        {"cpu": [busy(10)], "process": idle},
        {"cpu": [busy(90)], "process": [process(7, "java", cpu=100), process(8, "cron", cpu=50), others(cpu=10)]},
        {"cpu": [busy(90)], "process": [process(7, "java", cpu=200), others(cpu=20)]},
        {"cpu": [busy(90)], "process": [process(7, "java", cpu=180), process(9, "new", cpu=10), others(cpu=30)]},
    ]

    event = play(watched("cpu_usage_percent", "cpu", attach=2), ticks)

    assert (event.resource, event.top, event.unaccounted) == (
        "cpu",
        (
            Culprit("7", "java", "app", "java.service", 160.0, 80.0),
            Culprit("8", "cron", "app", "cron.service", 16.67, 8.3),
        ),
        23.33,
    )


def test_an_alert_that_fires_at_once_names_who_is_busy_right_now() -> None:
    event = play(
        watched("cpu_usage_percent", "cpu", hold="0s"),
        [{"cpu": [busy(90)], "process": [process(7, "java", cpu=90), others(cpu=10)]}],
    )

    assert ([culprit.pid for culprit in event.top], event.unaccounted) == (["7"], 10.0)


def test_where_processes_were_not_read_meanwhile_the_last_list_counts() -> None:
    listed = [process(7, "java", cpu=90), others(cpu=10)]

    event = play(watched("cpu_usage_percent", "cpu", hold="0s"), [{"process": listed}, {"cpu": [busy(90)]}])

    assert [culprit.value for culprit in event.top] == [90]


def test_a_memory_alert_names_who_holds_most() -> None:
    low = one_of("memory", memory_usage_percent=95)
    rows = [process(7, "java", cpu=90, memory=10 * MIB), process(8, "db", memory=80 * MIB), others(memory=10 * MIB)]

    event = play(watched("memory_usage_percent", "memory", hold="0s"), [{"memory": [low], "process": rows}])

    assert [(culprit.name, culprit.value, culprit.share) for culprit in event.top] == [
        ("db", 80 * MIB, 80.0),
        ("java", 10 * MIB, 10.0),
    ]
    assert (event.resource, event.unaccounted) == ("memory", 10 * MIB)


def test_an_oom_kill_names_who_held_most_before_it() -> None:
    before = [process(7, "victim", memory=900 * MIB), others(memory=10 * MIB)]
    after = [process(8, "sshd", memory=5 * MIB), others(memory=10 * MIB)]
    ticks: list[dict[str, list[Row]]] = [
        {"memory": [one_of("memory", oom_kills=0)], "process": before},
        {"memory": [one_of("memory", oom_kills=60)], "process": after},
    ]

    event = play(watched("oom_kills", "memory", hold="0s"), ticks)

    assert [culprit.name for culprit in event.top] == ["victim"]


def test_a_disk_alert_names_who_moved_most_and_what_that_disk_moved_besides() -> None:
    disks = [
        one_of(
            "disk_io",
            device=name,
            disk_io_util_percent=load,
            disk_read_bytes_per_second=10.0,
            disk_write_bytes_per_second=moved,
        )
        for name, load, moved in (("sda", 90, 990.0), ("sdb", 1, 5000.0))
    ]
    rows = [process(7, "dd", read=100.0, write=700.0), process(8, "idle", cpu=90, read=0.0, write=0.0), others()]

    event = play(
        watched("disk_io_util_percent", "disk_io", hold="0s", each=("device",)), [{"disk_io": disks, "process": rows}]
    )

    assert [(culprit.name, culprit.value, culprit.share) for culprit in event.top] == [("dd", 800.0, 80.0)]
    assert (event.resource, event.unaccounted) == ("io", 200.0)


def moved(device: str, *, load: float, read: float) -> Row:
    return one_of(
        "disk_io",
        device=device,
        disk_io_util_percent=load,
        disk_read_bytes_per_second=read,
        disk_write_bytes_per_second=0.0,
    )


def test_a_tick_without_rows_of_the_disks_does_not_count_for_what_a_disk_moved() -> None:
    rows = [process(7, "dd", read=300.0, write=0.0), others()]
    disk = moved("sda", load=90, read=600.0)
    with_disk: dict[str, list[Row]] = {"disk_io": [disk], "process": rows}
    without: dict[str, list[Row]] = {"process": rows}

    event = play(
        watched("disk_io_util_percent", "disk_io", each=("device",)),
        [with_disk, without, with_disk, without, with_disk],
    )

    assert (event.top[0].share, event.unaccounted) == (50.0, 300.0)


def test_an_alert_about_no_disk_is_not_compared_with_what_disks_moved() -> None:
    rows = [process(7, "dd", read=300.0, write=0.0), others()]
    waiting = one_of("pressure", resource="io", pressure_some_percent=90)

    event = play(
        watched("pressure_some_percent", "pressure", hold="0s", each=("resource",)),
        [{"pressure": [waiting], "disk_io": [moved("sda", load=1, read=600.0)], "process": rows}],
    )

    assert (event.top[0].share, event.unaccounted) == (None, None)


FULL = AlertEvent(
    at=START,
    transition=Transition.FIRED,
    rule="full",
    id="00c0ffee",
    metric="disk_usage_percent",
    labels={"hostname": "web-01", "mountpoint": "/", "device": "sda"},
    level=Level.WARNING,
    value=95.0,
    peak=95.0,
    threshold=90.0,
    condition=">= 90",
    since=START,
    duration=0.0,
    reason="breach",
)


def test_an_alert_about_a_disk_of_which_no_rows_came_meanwhile_is_not_compared_with_it() -> None:
    culprits = Culprits(tables())
    rows = [process(7, "dd", read=300.0, write=0.0), others()]
    culprits.see(Sample(START, {"disk_io": [moved("sda", load=90, read=600.0)], "process": rows}), following=False)
    culprits.mark()
    culprits.see(Sample(START + TICK, {"process": rows}), following=True)
    mark = culprits.mark()
    culprits.see(Sample(START + 2 * TICK, {"process": rows}), following=True)

    event = culprits.blame(FULL, "disk_usage", mark, 5)

    assert ([culprit.value for culprit in event.top], event.unaccounted) == ([300.0], None)


@pytest.mark.parametrize(
    ("metric", "table", "row", "each", "resource"),
    [
        pytest.param("pressure_some_percent", "pressure", {"resource": "io"}, ("resource",), "io", id="pressure on io"),
        pytest.param(
            "pressure_some_percent", "pressure", {"resource": "memory"}, ("resource",), "memory", id="on memory"
        ),
        pytest.param("load_average_1m", "load", {}, (), "cpu", id="load"),
        pytest.param("disk_usage_percent", "disk_usage", {"mountpoint": "/"}, ("mountpoint",), "io", id="a full disk"),
        pytest.param("cgroup_throttled_percent", "cgroup", {}, (), "cpu", id="a throttled group"),
        pytest.param("network_drop_percent", "network", {"interface": "eth0"}, ("interface",), None, id="network"),
    ],
)
def test_who_is_blamed_follows_from_what_is_watched(
    metric: str, table: str, row: dict[str, str], each: tuple[str, ...], resource: str | None
) -> None:
    rows = [process(7, "java", cpu=1.0, memory=1, read=1.0), others()]

    event = play(
        watched(metric, table, hold="0s", each=each), [{table: [one_of(table, **row, **{metric: 99})], "process": rows}]
    )

    assert (event.resource, len(event.top)) == (resource, 0 if resource is None else 1)


def test_nobody_is_named_where_that_is_not_wanted() -> None:
    event = play(
        watched("cpu_usage_percent", "cpu", hold="0s", attach=0),
        [{"cpu": [busy(90)], "process": [process(7, "java", cpu=90)]}],
    )

    assert (event.resource, event.top) == (None, ())


def test_while_something_is_pending_processes_are_read_at_every_tick() -> None:
    evaluator = Evaluator([watched("cpu_usage_percent", "cpu")], tables(), Origin("web-01"))
    early_tables = []

    for number, value in enumerate([10, 90, 90, 90, 90, 10]):
        evaluator.evaluate(Sample(START + number * TICK, {"cpu": [busy(value)]}))
        early_tables.append(find_early_tables(evaluator))

    process_table = frozenset({"process"})
    assert early_tables == [frozenset(), process_table, process_table, frozenset(), frozenset(), frozenset()]


def test_a_storm_of_short_processes_takes_no_more_memory() -> None:
    culprits = Culprits(tables())

    for number in range(200):
        rows = [process(number * 10 + pid, "sh", cpu=1.0) for pid in range(10)] + [process(5, "java", cpu=50.0)]
        culprits.see(Sample(START + number * TICK, {"process": rows}), following=number > 0)
        mark = culprits.mark()

    assert (len(mark.used), mark.ticks, mark.used[process(5, "java")[:5]][0]) == (KEPT, 199, 199 * 50.0)  # type: ignore[index] # a row begins with its labels
