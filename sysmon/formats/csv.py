"""CSV encoder: a header, then lines quoted as RFC 4180 says; an empty cell is null. Lines end in a plain newline."""

import math
import re
from collections.abc import Iterable
from datetime import datetime

from sysmon.formats.jsonl import origin_items
from sysmon.model import Origin, Row, Table
from sysmon.text.instants import format_instant

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FORMULA = tuple("=+-@\t\r\0＝＋－＠")  # what spreadsheets take as the beginning of a formula, the full-width forms too


class RowEncoder:
    """Turns the rows of one table into lines of CSV."""

    def __init__(self, origin: Origin, table: Table) -> None:
        items = origin_items(origin)
        self.header = encode_line(["timestamp", *(key for key, _ in items), *table.columns])
        self._fixed = "".join(f",{encode_cell(value)}" for _, value in items)

    def encode(self, at: datetime, rows: Iterable[Row]) -> bytes:
        """Return the lines of one tick, without the header."""
        start = format_instant(at) + self._fixed
        return "".join([",".join([start, *map(encode_cell, row)]) + "\n" for row in rows]).encode()


def encode_line(cells: Iterable[str | int | float | None]) -> bytes:
    """Return one line."""
    return (",".join(map(encode_cell, cells)) + "\n").encode()


def encode_cell(value: str | int | float | None) -> str:
    """Return one cell: quoted where it holds a comma, a quote or a line break; empty for null and for NaN."""
    if value is None:
        return ""
    if isinstance(value, str):
        if value == "" or any(mark in value for mark in ',"\n\r'):
            return '"' + value.replace('"', '""') + '"'
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return repr(value)


def split_line(line: bytes) -> list[str]:
    """Return the cells of one line without its newline; raise ValueError for what is none."""
    text = line.decode().removesuffix("\r")
    if '"' not in text:
        return text.split(",")
    import csv  # hardly any line has quotes

    try:
        (cells,) = csv.reader([text], strict=True)
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return cells


def safe_text(text: str) -> str:
    """Return text that a spreadsheet will not run: a quote goes before what looks like a formula and is no number."""
    if not text.startswith(_FORMULA) or text == "-" or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"
