"""JSON Lines encoder: one object a line, keys in the declared order, null for what is missing."""

import json
import math
from collections.abc import Iterable
from datetime import datetime
from json.encoder import encode_basestring

from sysmon.model import Origin, Row, Table
from sysmon.text.instants import format_instant


class RowEncoder:
    """Turns the rows of one table into lines; everything that does not change from row to row is prepared once."""

    def __init__(self, origin: Origin, table: Table) -> None:
        self._fixed = "".join(f",{_text(key)}:{_text(value)}" for key, value in origin_items(origin))
        self._keys = [f",{_text(name)}:" for name in table.columns]

    def encode(self, at: datetime, rows: Iterable[Row]) -> bytes:
        """Return the lines of one tick, each ended by a newline."""
        start = f'{{"timestamp":"{format_instant(at)}"{self._fixed}'
        keys = self._keys
        lines = [
            start + "".join([key + encode_value(value) for key, value in zip(keys, row, strict=True)]) + "}\n"
            for row in rows
        ]
        return "".join(lines).encode()


def origin_items(origin: Origin) -> list[tuple[str, str]]:
    """Return the columns that say whom a row is about, after its timestamp."""
    return [("hostname", origin.hostname), *origin.labels.items()]


def encode_value(value: str | int | float | None) -> str:
    """Return one value as JSON; what is not a finite number is null."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return repr(value)


def encode_record(record: dict[str, object]) -> bytes:
    """Return one record of the event or alert log as a line."""
    return (json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n").encode()


def _text(value: str) -> str:
    return encode_basestring(value)
