"""Shared parts of `show` and `top`: which instant of which data is meant, and how a page is printed."""

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sysmon.app.selection import Selection
from sysmon.cli._options import environment
from sysmon.cli._query import binary_stdout

if TYPE_CHECKING:
    from sysmon.app.live.context import DisplayOptions

USUAL_WIDTH = 80


def build_instant_selection(
    at: str,
    *,
    data_dir: Path | None,
    config_file: Path | None,
    host: str | None,
    tables: tuple[str, ...] = (),
    strict: bool = False,
) -> tuple[Selection, datetime]:
    """Return what is asked for, as seen from now, and the instant; `-2h` is `2h`, that long ago."""
    from sysmon import config
    from sysmon.reading.catalog import LAST
    from sysmon.sampling.clock import SystemClock
    from sysmon.text import instants, units

    now = SystemClock().now()
    back = at.strip().removeprefix("-")
    requested = instants.parse_when(back if units.is_duration(back) else at, now=now)
    data = config.data_dir(data_dir, config_file, environment())
    return Selection(
        data, since=instants.EPOCH, until=LAST, now=now, host=host, tables=tables, strict=strict
    ), requested


def build_display_options(*, color: str, utc: bool) -> "DisplayOptions":
    """Return how snapshots are shown on this terminal, or in this pipe."""
    from sysmon.app.live.context import DisplayOptions
    from sysmon.app.terminal.color import wants_color
    from sysmon.text.spans import detect_look

    term = environment().get("TERM", "")
    look = detect_look(color=wants_color(color, environment()), encoding=encoding(), term=term)
    return DisplayOptions(UTC if utc else None, look)


def page_width() -> int:
    """Return how wide a page is: as the terminal, and never so narrow that nothing could be told."""
    return max(USUAL_WIDTH, shutil.get_terminal_size((USUAL_WIDTH, 24)).columns)


def print_page(lines: Sequence[str], *, encoded: str | None = None) -> None:
    """Write lines to standard output."""
    stream = binary_stdout()
    stream.write("".join(f"{line}\n" for line in lines).encode(encoded or encoding(), "backslashreplace"))
    stream.flush()


def encoding() -> str:
    """Return the encoding of standard output."""
    return (sys.stdout.encoding if sys.stdout else None) or "utf-8"
