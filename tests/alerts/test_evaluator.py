"""What samples become: instances, missing and gone rows, the worst of several, names and ids."""

import math
import pickle
from collections.abc import Iterable
from datetime import timedelta

import pytest

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rule import OnMissing, Rule
from sysmon.model import AlertEvent, Level, Origin, Row, Sample, Transition, Unit
from tests.alerts.scenes import START, TABLES, level, rule

WARNING, CRITICAL = Level.WARNING, Level.CRITICAL
FIRED, ESCALATED, LOWERED, RESOLVED, NO_DATA, DATA_BACK, *_ = Transition
AT_ONCE = level(">= 90", "< 80", hold="0s", clear_for="0s")
TICK = timedelta(seconds=10)
WEB = Origin("web-01", {"environment": "production"})

Told = tuple[int, str, str]


def watch(*conditions: Rule, origin: Origin = WEB) -> Evaluator:
    return Evaluator(conditions, TABLES, origin)


def simple(**changes: object) -> Rule:
    """Make a rule of 10 s ticks that fires and clears at once, one instance a device."""
    settings: dict[str, object] = {"interval": "10s", "max_gap": "60s", "each": ("device",)}
    return rule(AT_ONCE, **{**settings, **changes})  # type: ignore[arg-type] # the settings of `rule` by name


def sample(tick: int, rows: Iterable[Row] | None, *, up: int | None = 1) -> Sample:
    """Make a sample: `rows` None is a table that had none, `up` None one that was not due."""
    collector: list[Row] = [] if up is None else [("work", 0.001, up, 1 - up)]
    return Sample(START + tick * TICK, {"collector": collector, **({} if rows is None else {"work": list(rows)})})


def run(evaluator: Evaluator, samples: Iterable[Sample]) -> list[Told]:
    """Return tick, instance and transition of each event."""
    return [
        ((event.at - START) // TICK, event.labels.get("device", "-"), event.transition.value)
        for taken in samples
        for event in evaluator.evaluate(taken)
    ]


def test_an_event_names_the_rule_the_host_the_instance_and_the_condition() -> None:
    watched = rule(
        level(">= 90", "< 80", hold="10s"), interval="10s", max_gap="60s", each=("device", "kind"), name="disk-hot"
    )
    evaluator = watch(watched)
    evaluator.evaluate(sample(0, [("sda", "disk", 91)]))

    (event,) = evaluator.evaluate(sample(1, [("sda", "disk", 95)]))

    assert event == AlertEvent(
        at=START + TICK,
        transition=FIRED,
        rule="disk-hot",
        id="236cb7c7",
        metric="busy_percent",
        labels={"hostname": "web-01", "environment": "production", "device": "sda", "kind": "disk"},
        level=WARNING,
        value=95,
        peak=95,
        threshold=90,
        condition=">= 90 for 10s",
        since=START,
        duration=10.0,
        reason="breach",
        unit=Unit.PERCENT,
        trend=(91, 95),
    )


def test_every_instance_has_an_alert_of_its_own() -> None:
    changes = run(
        watch(simple()),
        [
            sample(0, [("sda", "disk", 95), ("sdb", "disk", 50)]),
            sample(1, [("sda", "disk", 95), ("sdb", "disk", 95)]),
            sample(2, [("sda", "disk", 50), ("sdb", "disk", 95)]),
        ],
    )

    assert changes == [(0, "sda", "fired"), (1, "sdb", "fired"), (2, "sda", "resolved")]


@pytest.mark.parametrize(
    ("match", "devices"),
    [
        pytest.param((), ["sda", "sdb", "dm-0", "sr0"], id="no match, every row"),
        pytest.param((("device", ("sda",)),), ["sda"], id="a value"),
        pytest.param((("device", ("sda", "dm-0")),), ["sda", "dm-0"], id="a list"),
        pytest.param((("device", ("sd*",)),), ["sda", "sdb"], id="a glob"),
        pytest.param((("device", ("sd[b-z]", "sr?")),), ["sdb", "sr0"], id="globs"),
        pytest.param((("device", ("s*",)), ("kind", ("disk",))), ["sda", "sdb"], id="two labels"),
        pytest.param((("device", ("SDA", "d")),), [], id="only whole names, as they are written"),
    ],
)
def test_only_rows_whose_labels_match_are_watched(
    match: tuple[tuple[str, tuple[str, ...]], ...], devices: list[str]
) -> None:
    rows: list[Row] = [("sda", "disk", 95), ("sdb", "disk", 95), ("dm-0", "disk", 95), ("sr0", "rom", 95)]

    changes = run(watch(simple(match=match)), [sample(0, rows)])

    assert [device for _, device, _ in changes] == devices


@pytest.mark.parametrize(
    ("limit", "values", "worst"),
    [
        pytest.param("> 20", (30, 50, 40), 50, id="the highest where high is bad"),
        pytest.param("< 20", (10, 5, 15), 5, id="the lowest where low is bad"),
        pytest.param("== 3", (1, 3, 2), 3, id="the breach where one number is bad"),
        pytest.param("!= 3", (3, 4, 7), 7, id="the furthest where one number is good"),
        pytest.param("> 20", (None, 30, None), 30, id="a value before none"),
        pytest.param("> 20", (math.nan, 30, math.inf), 30, id="a value before what is no number"),
    ],
)
def test_rows_of_one_instance_count_as_their_worst(limit: str, values: tuple[float | None, ...], worst: float) -> None:
    watched = rule(level(limit, hold="0s"), each=("kind",))
    rows = [(f"sd{number}", "disk", value) for number, value in enumerate(values)]

    (event,) = watch(watched).evaluate(sample(0, rows))

    assert (event.value, event.labels) == (
        worst,
        {"hostname": "web-01", "environment": "production", "kind": "disk"},
    )


def test_a_table_without_labels_is_one_instance() -> None:
    watched = Rule("load", "load", "whole", (AT_ONCE,), TICK, 6 * TICK, 6 * TICK)

    (event,) = watch(watched).evaluate(Sample(START, {"whole": [(95.0,)]}))

    assert event.labels == {"hostname": "web-01", "environment": "production"}


def test_the_same_alert_on_two_hosts_has_two_ids() -> None:
    first, second = (watch(simple(), origin=Origin(name)).evaluate(sample(0, [("sda", "disk", 95)])) for name in "ab")

    assert [first[0].labels["hostname"], second[0].labels["hostname"], first[0].id != second[0].id] == ["a", "b", True]


def test_an_id_lasts_from_fired_to_resolved_and_the_next_alert_has_another() -> None:
    evaluator = watch(simple())

    ids = [
        event.id
        for tick, value in enumerate([95, 50, 95, 50])
        for event in evaluator.evaluate(sample(tick, [("sda", "disk", value)]))
    ]

    assert (ids[0] == ids[1], ids[2] == ids[3], ids[0] == ids[2]) == (True, True, False)


ROW: list[Row] = [("sda", "disk", 95)]
NULL: list[Row] = [("sda", "disk", None)]


@pytest.mark.parametrize(
    ("after", "changes"),
    [
        pytest.param([sample(tick, NULL) for tick in range(1, 9)], [(7, "sda", "no_data")], id="null while up"),
        pytest.param([sample(tick, [], up=0) for tick in range(1, 9)], [(7, "sda", "no_data")], id="failed"),
        pytest.param([sample(tick, None, up=0) for tick in range(1, 9)], [(7, "sda", "no_data")], id="failed, no rows"),
        pytest.param([sample(tick, []) for tick in range(1, 9)], [(7, "sda", "resolved")], id="gone"),
        pytest.param([sample(tick, None) for tick in range(1, 9)], [(7, "sda", "resolved")], id="gone, no rows"),
        pytest.param([sample(tick, None, up=None) for tick in range(1, 9)], [], id="not due"),
        pytest.param([sample(tick, ROW, up=None) for tick in range(1, 9)], [], id="rows without a collector row"),
        pytest.param(
            [sample(tick, [("sdb", "disk", 1)], up=None) for tick in range(1, 9)],
            [(7, "sda", "no_data")],
            id="absent from files without collector rows",
        ),
        pytest.param(
            [*(sample(tick, [], up=0) for tick in range(1, 9)), sample(9, ROW)],
            [(7, "sda", "no_data"), (9, "sda", "data_back")],
            id="failed and mended",
        ),
        pytest.param(
            [*(sample(tick, []) for tick in range(1, 6)), sample(6, ROW), *(sample(tick, []) for tick in range(7, 12))],
            [],
            id="back before it counted as gone, twice",
        ),
        pytest.param(
            [*(sample(tick, []) for tick in range(1, 5)), sample(5, NULL), *(sample(tick, []) for tick in range(6, 9))],
            [(7, "sda", "no_data")],
            id="a row without value is no absent row",
        ),
    ],
)
def test_a_failed_collector_and_a_vanished_instance_are_different(after: list[Sample], changes: list[Told]) -> None:
    evaluator = watch(simple())
    evaluator.evaluate(sample(0, ROW))

    assert run(evaluator, after) == changes


def test_a_vanished_instance_is_kept_for_gone_after() -> None:
    evaluator = watch(simple(gone_after="2m"))
    evaluator.evaluate(sample(0, ROW))

    changes = run(evaluator, [sample(tick, []) for tick in range(1, 20)])

    assert changes == [(7, "sda", "no_data"), (13, "sda", "resolved")]


def test_time_without_the_collector_does_not_make_an_instance_gone() -> None:
    evaluator = watch(simple(gone_after="30s"))
    evaluator.evaluate(sample(0, ROW))

    ticks = [
        *((tick, 1) for tick in range(1, 3)),
        *((tick, 0) for tick in range(3, 6)),
        *((tick, 1) for tick in range(6, 9)),
    ]

    assert run(evaluator, [sample(tick, [], up=up) for tick, up in ticks]) == [(7, "sda", "resolved")]


def test_when_the_clock_goes_back_absence_is_measured_again() -> None:
    evaluator = watch(simple(gone_after="30s"))
    evaluator.evaluate(sample(0, ROW))

    assert run(evaluator, [sample(tick, []) for tick in (1, 2, -9, -8, -7, -6, -5)]) == [(-6, "sda", "resolved")]


def test_an_instance_that_went_says_so() -> None:
    evaluator = watch(simple(gone_after="0s"))
    evaluator.evaluate(sample(0, ROW))

    (event,) = evaluator.evaluate(sample(1, []))

    assert (event.transition, event.level, event.value, event.reason) == (RESOLVED, WARNING, None, "gone")


def test_with_resolve_an_idle_device_ends_its_alert() -> None:
    evaluator = watch(simple(on_missing=OnMissing.RESOLVE))
    evaluator.evaluate(sample(0, ROW))

    (event,) = [event for tick in range(1, 9) for event in evaluator.evaluate(sample(tick, NULL))]

    assert (event.at, event.transition, event.reason) == (START + 7 * TICK, RESOLVED, "no data")


def test_ticks_at_which_a_slow_table_is_not_due_change_nothing() -> None:
    watched = simple(interval="60s", max_gap="180s")
    ticks = [sample(tick, ROW) if tick % 6 == 0 else sample(tick, None, up=None) for tick in range(30)]

    assert run(watch(watched), ticks) == [(0, "sda", "fired")]


def test_several_rules_speak_in_the_order_of_the_file() -> None:
    rules = [simple(name=name) for name in ("zeta", "alpha", "mid")]

    assert [event.rule for event in watch(*rules).evaluate(sample(0, ROW))] == ["zeta", "alpha", "mid"]


def test_what_fires_is_known_by_its_latest_event() -> None:
    two = rule(AT_ONCE, level(">= 97", hold="0s", clear_for="0s", name=CRITICAL), each=("device",))
    evaluator = watch(two)
    states = []

    for tick, value in enumerate([50, 95, 98, None, 95, 50]):
        evaluator.evaluate(sample(tick, [("sda", "disk", value)]))
        states.append(([event.transition for event in evaluator.active()], evaluator.worst()))

    assert states == [
        ([], None),
        ([FIRED], WARNING),
        ([ESCALATED], CRITICAL),
        ([ESCALATED], CRITICAL),
        ([LOWERED], WARNING),
        ([], None),
    ]


def test_the_worst_level_is_that_of_all_alerts() -> None:
    conditions = (AT_ONCE, level(">= 97", hold="0s", name=CRITICAL))
    evaluator = watch(rule(*conditions, each=("device",)))

    evaluator.evaluate(sample(0, [("sda", "disk", 95), ("sdb", "disk", 99), ("sdc", "disk", 95)]))

    assert (evaluator.worst(), len(evaluator.active())) == (CRITICAL, 3)


def test_devices_that_came_and_went_take_no_memory() -> None:
    quiet, busy = watch(simple(gone_after="0s")), watch(simple(gone_after="0s"))

    for tick in range(50):
        busy.evaluate(sample(tick, [(f"sd{tick}-{number}", "disk", 95 - number) for number in range(20)]))
    for evaluator in (quiet, busy):
        evaluator.evaluate(sample(50, [("sda", "disk", 50)]))

    assert len(pickle.dumps(busy)) == len(pickle.dumps(quiet))
