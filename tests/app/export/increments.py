"""Exports that go on where the last one ended, from small data directories, and what they wrote."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sysmon.app.export.incremental import Shipper
from sysmon.app.export.rows import Output, Shape
from sysmon.app.selection import Selection
from sysmon.datadir.segments import Form, Segment
from sysmon.formats import jsonl
from sysmon.model import Row
from sysmon.reading import catalog
from sysmon.text.instants import EPOCH
from tests.reading.stored import DAY, HOUR, LOAD, ORIGIN, START, TABLES, at

NAME = "nightly"
NOW = START + DAY


def shipper(data: Path, *, since: datetime = EPOCH, until: datetime = catalog.LAST, **shape: Any) -> Shipper:
    """Return what exports the new rows of all tables as JSON Lines."""
    asked = Selection(data, since=since, until=until, now=NOW, strict=shape.pop("strict", False))
    name = shape.pop("name", NAME)
    return Shipper(asked, TABLES, Shape(Output(shape.pop("output", "jsonl")), **shape), name)


def ship(data: Path, **options: Any) -> Shipper:
    """Export the new rows into the folder beside a data directory."""
    one = shipper(data, **options)
    one.to_folder(data.parent / "out", lambda _part: None)
    return one


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
