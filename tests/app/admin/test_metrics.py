import json
from pathlib import Path

import pytest

from sysmon.app.admin import metrics
from sysmon.app.catalog import tables
from sysmon.errors import UsageError
from sysmon.model import Kind, Metric, Table, Unit

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
TIDE = Table(
    "tide",
    "The sea, pier by pier, as the harbour master would measure it with a staff in the morning mist.",
    (
        Metric("tide_height_metres", Kind.GAUGE, Unit.MILLISECONDS, "Height above the chart's zero."),
        Metric("waves", Kind.COUNT, Unit.NONE, "Waves a|b."),
    ),
    labels=("pier", "side"),
)
SKY = Table("sky", "The sky.", (Metric("cloud_percent", Kind.RATIO, Unit.PERCENT, "Clouded part."),))


def test_text_fits_into_80_columns() -> None:
    assert metrics.to_text([TIDE, SKY]).splitlines() == [
        "tide: The sea, pier by pier, as the harbour master would measure it with a staff",
        "  in the morning mist.",
        "  Labels: pier, side",
        "",
        "  tide_height_metres                              gauge, ms",
        "      Height above the chart's zero.",
        "",
        "  waves                                           count",
        "      Waves a|b.",
        "",
        "sky: The sky.",
        "  No labels: one row in a sample",
        "",
        "  cloud_percent                                   ratio, percent",
        "      Clouded part.",
    ]


def test_no_line_of_the_real_catalogue_is_wider_than_80_columns() -> None:
    assert [line for line in metrics.to_text(tables().values()).splitlines() if len(line) > 80] == []


def test_json_holds_all_that_is_declared() -> None:
    page = json.loads(metrics.to_json(tables().values()))

    declared = [
        {
            "table": table.name,
            "help": table.help,
            "labels": list(table.labels),
            "metrics": [{"metric": m.name, "kind": m.kind, "unit": m.unit, "help": m.help} for m in table.metrics],
        }
        for table in tables().values()
    ]
    assert page == {"schema": 1, "tables": declared}


def test_markdown_has_a_section_for_each_table() -> None:
    lines = metrics.to_markdown([TIDE]).splitlines()

    assert lines[lines.index("## tide") :] == [
        "## tide",
        "",
        TIDE.help,
        "",
        "Labels: `pier`, `side`.",
        "",
        "| metric | kind | unit | what it is |",
        "|---|---|---|---|",
        "| `tide_height_metres` | gauge | ms | Height above the chart's zero. |",
        "| `waves` | count |  | Waves a\\|b. |",
    ]


def test_the_page_of_the_documentation_is_fresh() -> None:
    assert PAGE.read_text() == metrics.to_markdown(tables().values())


def test_tables_are_chosen_by_name_and_keep_their_order() -> None:
    declared = {"tide": TIDE, "sky": SKY}

    assert [metrics.choose(names, declared) for names in ((), ("sky",), ("sky", "tide"))] == [
        [TIDE, SKY],
        [SKY],
        [TIDE, SKY],
    ]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        pytest.param("tied", "did you mean 'tide'?", id="a slip"),
        pytest.param("quux", "known are tide, sky", id="something else"),
    ],
)
def test_a_table_that_is_not_there_is_refused_with_the_way_out(name: str, way: str) -> None:
    with pytest.raises(UsageError) as error:
        metrics.choose([name], {"tide": TIDE, "sky": SKY})

    assert str(error.value) == f"no table {name!r}: {way}"
