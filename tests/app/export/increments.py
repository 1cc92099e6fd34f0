"""Exports that go on where the last one ended, from small data directories, and what they wrote."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sysmon.app.export.incremental import IncrementalExporter
from sysmon.app.export.rows import ExportFormat, ExportOptions
from sysmon.app.selection import Selection
from sysmon.datadir.segments import Form, Segment
from sysmon.formats import jsonl
from sysmon.model import Row
from sysmon.reading import catalog
from sysmon.text.instants import EPOCH
from tests.reading.stored import DAY, HOUR, LOAD, ORIGIN, START, TABLES, at

NAME = "nightly"
NOW = START + DAY


def exporter_of(
    data: Path, *, since: datetime = EPOCH, until: datetime = catalog.LAST, **options: Any
) -> IncrementalExporter:
    """Return what exports the new rows of all tables as JSON Lines."""
    selection = Selection(data, since=since, until=until, now=NOW, strict=options.pop("strict", False))
    name = options.pop("name", NAME)
    output = ExportFormat(options.pop("output", "jsonl"))
    return IncrementalExporter(selection, TABLES, ExportOptions(output, **options), name)


def export_new(data: Path, **options: Any) -> IncrementalExporter:
    """Export the new rows into the folder beside a data directory."""
    exporter = exporter_of(data, **options)
    exporter.to_folder(data.parent / "out", lambda _part: None)
    return exporter


def exported(data: Path, table: str = LOAD.name) -> str:
    """Return all that was exported of one table, in the order of the files."""
    return "".join(path.read_text() for path in sorted((data.parent / "out").glob(f"{table}-{NAME}-*.jsonl")))


def line(number: int, seconds: float | None = None) -> str:
    """Return the line of the load table with that number, a minute after the one before unless told otherwise."""
    rows: list[Row] = [(number, 0.5)]
    return jsonl.RowEncoder(ORIGIN, LOAD).encode(at(60 * number if seconds is None else seconds), rows).decode()


def lines(first: int, last: int) -> str:
    """Return the lines with these numbers and those between them."""
    return "".join(map(line, range(first, last + 1)))


def segment(data: Path, seconds: float = 0, period: timedelta = HOUR, number: int = 1) -> Path:
    """Return where a segment of the load table is that begins then; its folder is made."""
    folder = data / ORIGIN.hostname / LOAD.name
    folder.mkdir(parents=True, exist_ok=True)
    return folder / Segment(LOAD.name, at(seconds), period, number).file_name(Form.JSONL)


def append(path: Path, text: str) -> None:
    """Append as a run does."""
    with path.open("a") as file:
        file.write(text)


def names(folder: Path) -> list[str]:
    """Return what a folder holds."""
    return sorted(path.name for path in folder.iterdir())
