"""Whole reports, as a person and a program get them; `SYSMON_GOLDEN=write` writes the goldens anew."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from sysmon.app.reports.report import Detail, build_report
from sysmon.datadir.segments import Form
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import csv as as_csv
from sysmon.report.render.formats import json as as_json
from sysmon.report.render.formats import markdown, text
from sysmon.report.render.style import trend_width
from sysmon.report.summary import Report
from tests.report.reports import KNOWN, limits, whole_hour, write_machine

GOLDEN = Path(__file__).parents[2] / "golden"


def report(data: Path, parts: int = 12) -> Report:
    """Return the hour."""
    return build_report(whole_hour(data), KNOWN, lambda _: parts, Detail(limits=limits(data))).report


def page(data: Path, width: int, *, color: bool = False, encoding: str = "utf-8") -> str:
    """Return the text of the hour."""
    host_report = build_report(
        whole_hour(data), KNOWN, lambda names: trend_width(names, width), Detail(limits=limits(data))
    )
    return text.render([host_report.report], RenderOptions(width=width, zone=UTC, color=color, encoding=encoding))


def json_page(data: Path) -> str:
    """Return the JSON of the hour."""
    return as_json.render([report(data)], RenderOptions())


def golden(name: str, rendered: str) -> str:
    """Return what is kept under a name."""
    path = GOLDEN / name
    if os.environ.get("SYSMON_GOLDEN") == "write":
        path.write_text(rendered)
    return path.read_text()


@pytest.mark.parametrize(
    ("tables", "metrics", "own"),
    [
        pytest.param((), (), set(), id="of everything"),
        pytest.param(("agent", "cpu"), (), {"agent"}, id="by table"),
        pytest.param((), ("agent_*",), {"agent"}, id="by metric"),
    ],
)
def test_people_see_the_tables_about_sysmon_where_they_ask_for_them(
    tmp_path: Path, tables: tuple[str, ...], metrics: tuple[str, ...], own: set[str]
) -> None:
    write_machine(tmp_path)
    selection = replace(whole_hour(tmp_path), tables=tables, metrics=metrics)

    built = build_report(selection, KNOWN, lambda _: 1, Detail(complete=False)).report

    assert {table.table.name for table in built.tables} & {"agent", "collector"} == own
    assert built.coverage == report(tmp_path).coverage


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_text_is_as_kept(tmp_path: Path, width: int) -> None:
    write_machine(tmp_path)

    rendered = page(tmp_path, width)

    assert rendered == golden(f"report-{width}.txt", rendered)


@pytest.mark.parametrize(
    ("name", "render"),
    [
        pytest.param("report.json", lambda report: as_json.render([report], RenderOptions()), id="json"),
        pytest.param("report.csv", lambda report: as_csv.render([report], RenderOptions()), id="csv"),
        pytest.param("report.md", lambda report: markdown.render([report], RenderOptions(UTC)), id="markdown"),
    ],
)
def test_the_page_for_programs_is_as_kept(tmp_path: Path, name: str, render: Callable[[Report], str]) -> None:
    write_machine(tmp_path)

    rendered = render(report(tmp_path))

    assert rendered == golden(name, rendered)


@pytest.mark.parametrize(
    ("form", "packed"),
    [
        pytest.param(Form.JSONL, True, id="jsonl.gz"),
        pytest.param(Form.CSV, False, id="csv"),
        pytest.param(Form.CSV, True, id="csv.gz"),
    ],
)
def test_every_form_of_the_files_gives_the_same_report(tmp_path: Path, form: Form, packed: bool) -> None:
    write_machine(tmp_path / "one")
    write_machine(tmp_path / "other", form=form, packed=packed)

    assert page(tmp_path / "other", 80) == page(tmp_path / "one", 80)


@pytest.mark.parametrize("width", [40, 80, 113, 114, 200, 240])
def test_no_line_is_wider_than_asked_for_or_80(tmp_path: Path, width: int) -> None:
    write_machine(tmp_path)

    longest = max(len(line) for line in page(tmp_path, width).splitlines())

    assert longest <= max(80, min(width, 200))


def test_plain_ascii_is_enough(tmp_path: Path) -> None:
    write_machine(tmp_path)

    assert page(tmp_path, 80, encoding="ascii").isascii()


def test_names_from_files_cannot_move_the_cursor(tmp_path: Path) -> None:
    write_machine(tmp_path)

    assert [ch for ch in page(tmp_path, 80) if not ch.isprintable() and ch != "\n"] == []


def test_text_and_json_hold_the_same_metrics(tmp_path: Path) -> None:
    write_machine(tmp_path)

    tables = json.loads(json_page(tmp_path))["hosts"][0]["tables"]

    names = {name for table in tables for series in table["series"] for name in series["metrics"]}
    assert [name for name in sorted(names) if name not in page(tmp_path, 80)] == []
