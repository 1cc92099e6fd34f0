"""The contract of collectors: kept by every one of the program, and what it says of those that break it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from sysmon.collectors import Source, discover
from sysmon.collectors.api import Kind, Metric, NoOptions, Row, Table, Total, Unavailable, Unit, option
from sysmon.collectors.contract import declaration_violations, reading_violations, row_violations, violations

TABLE = Table("tide", "The sea.", (Metric("tide_low", Kind.GAUGE, Unit.NONE, "Height."),), labels=("pier",))


class TideCollector:
    """Measures nothing, and breaks no rule."""

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = TABLE

    def __init__(self, source: Source, options: NoOptions) -> None:
        self.calls = 0

    def read(self) -> list[Row]:
        """Return rows as they are."""
        return [("north", 3.5), ("south", None)]

    def rows(self, before: list[Row] | None, after: list[Row], seconds: float) -> list[Row]:
        """Return them again."""
        return after


@pytest.mark.parametrize("collector", [pytest.param(each, id=name) for name, each in discover().items()])
def test_every_collector_keeps_the_contract_on_this_machine(collector: Any) -> None:
    assert violations(collector, collector.Options(), Source()) == []


def test_a_collector_of_others_that_keeps_it_has_no_violations() -> None:
    assert violations(TideCollector, NoOptions(), Source()) == []


def test_a_machine_without_the_source_breaks_nothing() -> None:
    class NoTideCollector(TideCollector):
        def read(self) -> list[Row]:
            raise Unavailable("there is no sea")

    assert violations(NoTideCollector, NoOptions(), Source()) == []


@pytest.mark.parametrize(
    ("row", "violation"),
    [
        pytest.param(("north",), "('north',) is not 2 wide", id="too short"),
        pytest.param(("", 1.0), "('', 1.0) has a label that is no text", id="an empty label"),
        pytest.param((3, 1.0), "(3, 1.0) has a label that is no text", id="a number as a label"),
        pytest.param(("south", float("inf")), "('south', inf) has a value that is no number", id="no number"),
        pytest.param(("north", 2), "('north',) comes 2 times", id="labels twice"),
    ],
)
def test_a_row_that_is_not_of_the_declared_form_is_named(row: Row, violation: str) -> None:
    assert row_violations(TABLE, [("north", 1.0), row]) == [violation]


def test_rows_that_remember_are_named() -> None:
    class MemoryCollector(TideCollector):
        def rows(self, before: list[Row] | None, after: list[Row], seconds: float) -> list[Row]:
            self.calls += 1
            return [("north", self.calls)]

    assert reading_violations(MemoryCollector, NoOptions(), Source()) == [
        "rows() gives other rows for the same two readings"
    ]


@dataclass(frozen=True, slots=True)
class BareOptions:
    """A setting that nobody explains."""

    top: int = 5
    all: bool = option(False, "all of them")


class BrokenTides:
    """Breaks what can be broken by declaring."""

    Options = BareOptions
    default_interval = 0.0
    table = Table(
        "Tide",
        "The sea",
        (
            Metric("tide_speed", Kind.RATE, Unit.BYTES, "Speed"),
            Metric("tide_share", Kind.RATIO, Unit.PERCENT, "Share."),
        ),
        labels=("pier", "pier"),
        totals=(Total(Metric("tide_all", Kind.GAUGE, Unit.NONE, "All."), ("tide_speed", "tide_depth")),),
        resource_label="side",
    )


def test_everything_that_a_declaration_breaks_is_named() -> None:
    assert declaration_violations(BrokenTides) == [
        "BrokenTides does not end in Collector, so nobody finds it",
        "default_interval is neither None nor a number of seconds above 0",
        "the setting top has no help: declare it by option()",
        "'Tide' is not made of small letters, digits and _",
        "the column pier comes twice",
        "the help of table Tide is no sentence",
        "tide_speed is a rate in Unit.BYTES: write Unit.PER_SECOND or Unit.BYTES_PER_SECOND",
        "tide_speed does not end in _bytes, as its unit asks for",
        "the help of tide_speed is no sentence",
        "tide_share does not end in _percent, as its unit asks for",
        "total tide_all: no metric tide_depth",
        "resource_label side is no label of the table",
    ]
