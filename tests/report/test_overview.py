"""What an overview shows is declared by tables, also by those that sysmon has never heard of."""

from sysmon.history import Coverage
from sysmon.model import Headline, Kind, Metric, Table, Unit
from sysmon.report.overview import build_overview
from sysmon.report.summary import MetricSummary, SeriesSummary, Stats, TableSummary
from sysmon.text.instants import from_ms

CPU = Table(
    "cpu", "", (Metric("cpu_usage_percent", Kind.RATIO, Unit.PERCENT, "", headline=Headline("CPU", 10)),), ("core",)
)
TIDE = Table(
    "tide",
    "The sea, pier by pier.",
    (
        Metric("tide_height", Kind.GAUGE, Unit.NONE, "Height.", headline=Headline("highest tide", 5)),
        Metric("tide_waves", Kind.COUNT, Unit.NONE, "Waves."),
        Metric("tide_floods", Kind.COUNT, Unit.NONE, "Floods.", headline=Headline("floods", 6, rare=True)),
    ),
    labels=("pier",),
)


def series(table: Table, name: str, *values: float) -> SeriesSummary:
    """Return a series whose metrics always have the same value."""
    summaries = [
        MetricSummary(metric, Stats(60, value, value, value, value, value, value, from_ms(0)))
        for metric, value in zip(table.metrics, values, strict=True)
    ]
    return SeriesSummary(tuple(zip(table.labels, (name,), strict=True)), Coverage(60, 60), tuple(summaries))


def test_a_table_of_others_is_shown_by_its_headline_in_its_place() -> None:
    tables = [
        TableSummary(CPU, (series(CPU, "0", 12.5),)),
        TableSummary(TIDE, (series(TIDE, "north", 3, 9, 0), series(TIDE, "south", 4, 9, 0))),
    ]

    assert [(line.title, line.subject, line.worst) for line in build_overview(tables, ())] == [
        ("highest tide", "south", 4),
        ("CPU", "0", 12.5),
    ]
