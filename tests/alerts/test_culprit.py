"""Who did it: the processes that used most while an alert was about to fire, and what they leave over."""

from collections.abc import Iterable
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
    pid: int,
    name: str,
    *,
    cpu: float = 0.0,
    memory: int = 0,
    read: float | None = None,
    write: float | None = None,
    children: float | None = None,
) -> Row:
    return (
        str(pid),
        "2026-11-20T00:00:00Z",
        name,
        "app",
        f"{name}.service",
        cpu,
        memory,
        0.0,
        1,
        read,
        write,
        children,
    )


def others(*, cpu: float = 0.0, memory: int = 0) -> Row:
    return ("-1", "-", "(others)", "-", "-", cpu, memory, 0.0, 1, None, None, None)


def one_of(table: str, **values: str | float) -> Row:
    return tuple(values.get(column) for column in tables()[table].columns)


def watched(
    metric: str,
    table: str,
    *,
    hold: str = "20s",
    attach: int = 5,
    each: tuple[str, ...] = (),
    match: tuple[tuple[str, tuple[str, ...]], ...] = (),
) -> Rule:
    condition = level(">= 50", hold=hold, clear_for="0s")
    return Rule("hot", metric, table, (condition,), TICK, 6 * TICK, 6 * TICK, match=match, each=each, attach=attach)


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


BUSY_DISK = AlertEvent(
    at=START,
    transition=Transition.FIRED,
    rule="busy-disk",
    id="00c0ffee",
    metric="disk_io_util_percent",
    labels={"hostname": "web-01", "device": "sda"},
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

    event = culprits.blame(BUSY_DISK, "disk_io", mark, 5)

    assert ([culprit.value for culprit in event.top], event.unaccounted) == ([300.0], None)


@pytest.mark.parametrize(
    ("metric", "table", "row", "each", "resource"),
    [
        pytest.param("pressure_some_percent", "pressure", {"resource": "io"}, ("resource",), "io", id="pressure on io"),
        pytest.param(
            "pressure_some_percent", "pressure", {"resource": "memory"}, ("resource",), "memory", id="on memory"
        ),
        pytest.param("load_average_1m", "load", {}, (), "cpu", id="load"),
        pytest.param("disk_io_util_percent", "disk_io", {"device": "sda"}, ("device",), "io", id="a busy disk"),
        pytest.param(
            "disk_usage_percent", "disk_usage", {"mountpoint": "/"}, ("mountpoint",), "space", id="a full disk"
        ),
        pytest.param(
            "network_connections", "connections", {"state": "LISTEN"}, ("state",), "sockets", id="connections"
        ),
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

    assert (event.resource, len(event.top)) == (resource, 1 if resource in {"cpu", "memory", "io"} else 0)


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


def used_memory(used: int, *, shared: int = 0) -> Row:
    return one_of(
        "memory",
        memory_usage_percent=95,
        memory_used_bytes=used,
        memory_shared_bytes=shared,
    )


def test_shared_memory_is_named_and_a_bystander_who_explains_little_is_not() -> None:
    rows = [process(7, "python", memory=80 * MIB), others(memory=10 * MIB)]

    event = play(
        watched("memory_usage_percent", "memory", hold="0s"),
        [{"memory": [used_memory(4400 * MIB, shared=3000 * MIB)], "process": rows}],
    )

    assert [(culprit.pid, culprit.name, culprit.value) for culprit in event.top] == [
        ("-", "shared memory and tmpfs", 3000 * MIB)
    ]
    assert event.unaccounted == 1400 * MIB


def test_steal_and_interrupts_are_counted_in_percent_of_one_core() -> None:
    cores = [one_of("cpu", core=name, cpu_usage_percent=90, cpu_steal_percent=20, cpu_softirq_percent=10)
             for name in ("all", "0", "1", "2", "3")]  # fmt: skip
    rows = [process(7, "java", cpu=200), others(cpu=60)]

    event = play(
        watched("cpu_usage_percent", "cpu", hold="0s", each=("core",), match=(("core", ("all",)),)),
        [{"cpu": cores, "process": rows}],
    )

    assert [(culprit.name, culprit.value) for culprit in event.top] == [
        ("java", 200),
        ("other machines (steal)", 80),
        ("interrupts", 40),
    ]
    assert event.unaccounted == 20


def test_ended_children_are_counted_for_their_parent() -> None:
    rows = [process(812, "make", cpu=3, children=130), process(9, "cron", cpu=20, children=1), others(cpu=135)]

    event = play(watched("cpu_usage_percent", "cpu", hold="0s"), [{"cpu": [busy(90)], "process": rows}])

    assert [(culprit.name, culprit.value) for culprit in event.top] == [("make and ended children", 133), ("cron", 21)]
    assert event.unaccounted == 4


def test_threads_of_the_kernel_that_are_each_too_small_to_be_named_are_named_together() -> None:
    kernel = [
        (str(pid), "-", f"kworker/{pid}", "root", "-", 4.0, 0, 0.0, 1, None, None, 0.0) for pid in range(100, 110)
    ]
    rows: list[Row] = [process(7, "java", cpu=100, memory=MIB), *kernel, others(cpu=10)]

    event = play(watched("cpu_usage_percent", "cpu", hold="0s"), [{"cpu": [busy(90)], "process": rows}])

    assert [(culprit.name, culprit.value) for culprit in event.top] == [("java", 100), ("kernel threads", 40)]
    assert event.unaccounted == 10


def test_nobody_is_named_who_explains_less_than_a_twentieth() -> None:
    rows = [process(7, "java", cpu=9), process(8, "db", cpu=4), others(cpu=187)]

    event = play(watched("cpu_usage_percent", "cpu", hold="0s"), [{"cpu": [busy(90)], "process": rows}])

    assert (event.top, event.unaccounted) == ((), 200)


class FakeProbe:
    """Answers that are given, in place of a machine."""

    def __init__(
        self, *, shared: dict[str, float] | None = None, sockets: dict[str, int] | None = None, slab: float = 0.0
    ) -> None:
        self._slab = slab
        self._shared = shared or {}
        self._sockets = sockets or {}

    def starts(self, pids: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(pids, 1)

    def shared(self, pids: Iterable[str]) -> dict[str, float]:
        return {pid: self._shared[pid] for pid in pids if pid in self._shared}

    def slab(self) -> float:
        return self._slab

    def sockets(self, pids: Iterable[str]) -> dict[str, int]:
        return {pid: self._sockets[pid] for pid in pids if pid in self._sockets}


def test_memory_that_several_processes_share_is_counted_once() -> None:
    rows = [*(process(pid, "postgres", memory=1000 * MIB) for pid in (7, 8)), others()]
    probe = FakeProbe(shared={"7": 900 * MIB, "8": 990 * MIB})
    sample = Sample(START, {"memory": [used_memory(1200 * MIB, shared=1000 * MIB)], "process": rows})

    (event,) = Evaluator(
        [watched("memory_usage_percent", "memory", hold="0s")], tables(), Origin("web-01"), probe=probe
    ).evaluate(sample)

    assert [(culprit.pid, culprit.value) for culprit in event.top] == [("-", 1000 * MIB), ("7", 100 * MIB)]
    assert event.unaccounted == 100 * MIB


def test_what_the_kernel_holds_for_itself_is_named_for_no_more_than_is_left() -> None:
    rows = [process(7, "python", memory=900 * MIB), others(memory=10 * MIB)]
    sample = Sample(START, {"memory": [used_memory(1000 * MIB)], "process": rows})

    (event,) = Evaluator(
        [watched("memory_usage_percent", "memory", hold="0s")],
        tables(),
        Origin("web-01"),
        probe=FakeProbe(slab=300.0 * MIB),
    ).evaluate(sample)

    assert [(culprit.name, culprit.value) for culprit in event.top] == [
        ("python", 900 * MIB),
        ("kernel objects (slab)", 100 * MIB),
    ]
    assert event.unaccounted == 0


def test_an_alert_about_connections_names_who_has_most_sockets() -> None:
    rows = [process(7, "python", memory=MIB), process(8, "nginx"), process(9, "sshd"), others()]
    sample = Sample(
        START, {"connections": [one_of("connections", state="ESTABLISHED", network_connections=800)], "process": rows}
    )
    rule = watched("network_connections", "connections", hold="0s", each=("state",))

    (event,) = Evaluator(
        [rule], tables(), Origin("web-01"), probe=FakeProbe(sockets={"7": 803, "8": 60, "9": 12})
    ).evaluate(sample)

    assert (event.resource, event.unaccounted) == ("sockets", None)
    assert [(culprit.name, culprit.value) for culprit in event.top] == [("python", 803), ("nginx", 60)]


def space(used: int, *, mountpoint: str = "/", device: str = "/dev/sda1", fstype: str = "ext4") -> Row:
    return one_of(
        "disk_usage",
        mountpoint=mountpoint,
        device=device,
        fstype=fstype,
        disk_used_bytes=used,
        disk_usage_percent=used / (10 * MIB),
    )


def fill(
    used: list[int], *, writes: list[float], disk: str = "sda", device: str = "/dev/sda1", fstype: str = "ext4"
) -> AlertEvent:
    """Return the event of a file system that fills up tick by tick, while one process writes so much a second."""
    listed = [[process(7, "dd", write=rate), others()] if rate else [others()] for rate in writes]
    disks = [[one_of("disk_io", device=disk, disk_io_util_percent=1, disk_write_bytes_per_second=r)] for r in writes]
    return play(
        watched("disk_usage_percent", "disk_usage", hold="0s", each=("mountpoint", "device", "fstype")),
        [
            {"disk_usage": [space(size * MIB, device=device, fstype=fstype)], "process": rows, "disk_io": written}
            for size, rows, written in zip(used, listed, disks, strict=True)
        ],
    )


def test_a_full_disk_names_who_wrote_most_since_it_began_to_fill_also_when_that_one_has_ended() -> None:
    event = fill([100, 100, 200, 300, 480, 480, 510], writes=[0, 0, 10 * MIB, 10 * MIB, 18 * MIB, 0, 3 * MIB])

    assert (event.resource, event.growth, event.growth_since) == ("space", 410 * MIB, START + TICK)
    assert [(culprit.name, culprit.value) for culprit in event.top] == [("dd", 410 * MIB)]
    assert event.unaccounted == 0


@pytest.mark.parametrize(
    ("disk", "device", "fstype", "resource"),
    [
        pytest.param("sdb", "/dev/sda1", "ext4", "space", id="written to another disk"),
        pytest.param("sda", "server:/export", "nfs4", "space", id="a server"),
        pytest.param("sda", "tmpfs", "tmpfs", "memory", id="a tmpfs, which is memory"),
    ],
)
def test_nobody_is_named_where_nobody_knows_who_wrote_to_a_file_system(
    disk: str, device: str, fstype: str, resource: str
) -> None:
    event = fill([100, 600], writes=[0, 50 * MIB], disk=disk, device=device, fstype=fstype)

    assert (event.resource, event.top, event.unaccounted, event.growth) == (resource, (), None, 500 * MIB)
