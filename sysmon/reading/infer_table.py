"""Schema inference for tables that sysmon does not declare, from the first row of each of their files."""

from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import read_lines
from sysmon.datadir.segments import Form
from sysmon.formats import HEAD
from sysmon.formats.csv import split_line
from sysmon.model import Kind, Metric, Table, Unit
from sysmon.reading import catalog
from sysmon.reading.decode import Unreadable, null_for_nan, number

_DECODE = msgspec.json.Decoder(dict[str, Any]).decode


def discover_table(folder: Path, since: datetime, until: datetime) -> Table:
    """Return the table that the files of a range hold: columns of text are labels, all others metrics."""
    texts: dict[str, bool] = {}
    ignored = Damage()  # whoever reads the rows meets the same lines again, and counts them
    for file, path, opened in catalog.open_files(folder, catalog.files(folder, since, until, ignored), ignored):
        batches = read_lines(opened, path, ignored, packed=file.packed)
        lines = [line for _, batch in islice(batches, 2) for line in batch]
        for name, is_text in _columns(lines[: 2 if file.form is Form.CSV else 1], file.form):
            if name not in HEAD:
                texts[name] = texts.get(name, False) or is_text
    labels = tuple(name for name, is_text in texts.items() if is_text)
    metrics = tuple(Metric(name, Kind.GAUGE, Unit.NONE, "") for name, is_text in texts.items() if not is_text)
    return Table(folder.name, "A table of another program.", metrics, labels)


def _columns(lines: list[bytes], form: Form) -> list[tuple[str, bool]]:
    try:
        if form is Form.CSV:
            header, row = map(split_line, lines)
            return [(name, not _is_number(cell)) for name, cell in zip(header, row, strict=True)]
        return [(name, isinstance(value, str)) for line in lines for name, value in _DECODE(null_for_nan(line)).items()]
    except Unreadable:
        return []


def _is_number(cell: str) -> bool:
    try:
        number(cell)
    except Unreadable:
        return False
    return True
