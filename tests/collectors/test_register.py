"""Which collectors are refused before anything is read?"""

from typing import Any, cast

import pytest

from sysmon.collectors import register
from sysmon.errors import CollectorError
from sysmon.model import Kind, Metric, Table, Unit


def declaring(*metrics: Metric, table: str = "tide") -> Any:
    """Return the class of a collector that declares a table, and does nothing else."""
    return type("TideCollector", (), {"table": Table(table, "The sea.", metrics)})


def test_an_unknown_unit_is_refused_in_one_line_that_names_all_there_are() -> None:
    metric = Metric("tide_height", Kind.GAUGE, cast("Unit", "fathoms"), "Height.")

    with pytest.raises(CollectorError) as refused:
        register([declaring(metric)])

    assert str(refused.value) == (
        "TideCollector: metric tide_height has the unknown unit 'fathoms': write one of Unit.NONE, Unit.BYTES,"
        " Unit.BYTES_PER_SECOND, Unit.PER_SECOND, Unit.PERCENT, Unit.SECONDS, Unit.MILLISECONDS, Unit.YES_OR_NO"
    )


@pytest.mark.parametrize(
    ("table", "metric", "taken"),
    [
        pytest.param("tide", "tide_low", "tide", id="a table of another"),
        pytest.param("sea", "tide_height", "tide_height", id="a metric of another table"),
        pytest.param("alerts", "sea", "alerts", id="a folder of sysmon's own"),
    ],
)
def test_a_name_that_is_taken_is_refused(table: str, metric: str, taken: str) -> None:
    first = declaring(Metric("tide_height", Kind.GAUGE, Unit.NONE, "Height."))
    second = declaring(Metric(metric, Kind.GAUGE, Unit.NONE, "Height."), table=table)

    with pytest.raises(CollectorError, match=f"^TideCollector: {taken} is taken: choose another name$"):
        register([first, second])


def test_collectors_are_sorted_by_the_names_of_their_tables() -> None:
    late = declaring(Metric("tide_height", Kind.GAUGE, Unit.NONE, "Height."))
    early = declaring(Metric("sea_waves", Kind.COUNT, Unit.NONE, "Waves."), table="sea")

    assert list(register([late, early])) == ["sea", "tide"]
