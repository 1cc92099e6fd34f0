"""The first lines of a run: who watches what, where the files go, and how to look at them."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

from sysmon import __version__
from sysmon.config import Config
from sysmon.text.names import printable
from sysmon.text.units import format_duration

_WIDTH = 79


@dataclass(frozen=True, slots=True)
class Start:
    """What a run knows of itself when it begins; `active` says in words what was firing before, or is empty."""

    host: str
    folder: Path
    run: str
    rules: int
    active: str


def in_a_pipe(start: Start, config: Config) -> list[str]:
    """Return the one line that a pipe or a journal gets."""
    every = format_duration(config.interval)
    return [
        f"sysmon {__version__} watches {printable(start.host)} every {every} into {_shown(start.folder)}, "
        f"{_rules(start, config)} (run {start.run})"
    ]


def on_a_terminal(start: Start, config: Config) -> list[str]:
    """Return the lines for a person."""
    base = config.interval.total_seconds()
    enabled = {name: chosen.interval for name, chosen in config.collectors.items() if chosen.enabled}
    names = [name if seconds == base else f"{name} ({format_duration(seconds)})" for name, seconds in enabled.items()]
    forms = " and ".join(form.value for form in config.storage.formats)
    return [
        f"sysmon {__version__} watches {printable(start.host)} every {format_duration(config.interval)}",
        *_flowed("tables", ", ".join(names)),
        f"files   {_shown(start.folder)} ({forms}, new ones every {format_duration(config.storage.rotation)})",
        f"rules   {_rules(start, config)}",
        "look    sysmon report --since 1h        stop    Ctrl-C",
    ]


def _flowed(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"{name:<8}", subsequent_indent=" " * 8, break_on_hyphens=False)


def _rules(start: Start, config: Config) -> str:
    count = "1 rule" if start.rules == 1 else f"{start.rules} rules"
    said = f"{count} from {_shown(config.rules)}"
    return f"{said}; {printable(start.active)}" if start.active else said


def _shown(path: Path) -> str:
    return printable(str(path))
