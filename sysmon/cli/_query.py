"""Shared parts of commands that read stored rows: options, time range, and reports of damage."""

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from sysmon.app.selection import Selection
from sysmon.cli._options import config_option, data_option, environment, since_option, table_option, until_option
from sysmon.datadir.damage import Damage
from sysmon.reading.catalog import Host
from sysmon.text.names import printable

F = TypeVar("F", bound=Callable[..., Any])
DAMAGED = 3
"""The exit code of a result that leaves out what could not be read."""

_IN_MEMORY = 1024 * 1024
"""How many bytes that are held back stay out of a temporary file."""


def strict_option(command: F) -> F:
    """Add `--strict`: what the command prints is held back until it ends without having met damage."""

    @wraps(command)
    def holding(*arguments: Any, strict: bool, **options: Any) -> Any:
        if not strict or sys.stdout is None:
            return command(*arguments, strict=strict, **options)
        with _hold_back():
            return command(*arguments, strict=strict, **options)

    about = "Print nothing if stored data is damaged; exit with 3."
    return click.option("--strict", is_flag=True, help=about)(holding)  # type: ignore[return-value]  # wraps keeps F


def range_options(since: str, host_option: Callable[[F], F]) -> Callable[[F], F]:
    """Add the options that say which rows are meant; `since` is the default of `--since`."""

    def add(command: F) -> F:
        for option in (
            strict_option,
            table_option,
            host_option,
            data_option,
            config_option,
            until_option,
            since_option(since),
        ):
            command = option(command)
        return command

    return add


def build_selection(
    *,
    since: str,
    until: str,
    data_dir: Path | None,
    config_file: Path | None,
    host: str | None = None,
    tables: Sequence[str],
    metrics: Sequence[str] = (),
    strict: bool = False,
) -> Selection:
    """Return what the options ask for, as seen from now."""
    from sysmon import config
    from sysmon.sampling.clock import SystemClock
    from sysmon.text import instants

    now = SystemClock().now()
    return Selection(
        data=config.data_dir(data_dir, config_file, environment()),
        since=instants.parse_when(since, now=now),
        until=instants.parse_when(until, now=now),
        now=now,
        host=host,
        tables=tables,
        metrics=metrics,
        strict=strict,
    )


def print_chosen_host(host: Host) -> None:
    """Say which host was chosen where there was a choice."""
    if host.others:
        others = ", ".join(map(printable, host.others))
        click.echo(f"sysmon: {printable(host.name)} was written last; name another with --host: {others}", err=True)


def print_damage(damage: Damage) -> int:
    """Say what was skipped, and return the exit code that goes with it."""
    for line in damage.messages():
        click.echo(f"sysmon: {line}", err=True)
    return DAMAGED if damage.count else 0


def binary_stdout() -> BinaryIO:
    """Return standard output for bytes; nowhere to write is an error of its own."""
    if sys.stdout is None:
        raise click.UsageError("standard output is closed: name a file with -o")
    return sys.stdout.buffer


class _Held(io.TextIOWrapper):
    """Standard output that keeps what it is given, and is a terminal where the real one is."""

    def isatty(self) -> bool:
        """Say whether what is held back will go to a terminal."""
        return sys.__stdout__ is not None and sys.__stdout__.isatty()


@contextmanager
def _hold_back() -> Iterator[None]:
    """Send what is printed to standard output when all went well, and nowhere otherwise."""
    import shutil
    import tempfile

    real = sys.stdout
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as kept:
        sys.stdout = _Held(kept, encoding=real.encoding, errors=real.errors, newline="")
        try:
            yield
            sys.stdout.flush()
            kept.seek(0)
            shutil.copyfileobj(kept, real.buffer)
            real.buffer.flush()
        finally:
            sys.stdout = real
