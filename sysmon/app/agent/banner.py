"""Start banner of a run: what is watched, where the files go, and how to look at them."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sysmon import __version__
from sysmon.config import DEFAULT, Config
from sysmon.text.names import printable
from sysmon.text.units import format_duration

PROGRAM = "sysmon"
_WIDTH = 79


@dataclass(frozen=True, slots=True)
class BannerFacts:
    """What a run knows of itself when it begins; `active` says in words what was firing before, or is empty."""

    host: str
    folder: Path
    run: str
    rules: int
    active: str


def format_for_pipe(facts: BannerFacts, config: Config) -> list[str]:
    """Return the one line that a pipe or a journal gets."""
    every = format_duration(config.interval)
    return [
        f"sysmon {__version__} watches {printable(facts.host)} every {every} into {_quote(facts.folder)}, "
        f"{_describe_rules(facts, config)} (run {facts.run})"
    ]


def format_for_terminal(facts: BannerFacts, config: Config, environ: Mapping[str, str]) -> list[str]:
    """Return the lines for a person."""
    base = config.interval.total_seconds()
    enabled = {name: chosen.interval for name, chosen in config.collectors.items() if chosen.enabled}
    names = [name if seconds == base else f"{name} ({format_duration(seconds)})" for name, seconds in enabled.items()]
    forms = " and ".join(form.value for form in config.storage.formats)
    return [
        f"sysmon {__version__} watches {printable(facts.host)} every {format_duration(config.interval)}",
        *_wrap("tables", ", ".join(names)),
        f"files   {_quote(facts.folder)} ({forms}, new ones every {format_duration(config.storage.rotation)})",
        f"rules   {_describe_rules(facts, config)}",
        f"view    {view_command(config, environ, executable=sys.executable)}",
        "stop    Ctrl-C",
    ]


def view_command(config: Config, environ: Mapping[str, str], *, executable: str) -> str:
    """Return the command that shows this run from any folder of another terminal.

    It names the program where that one's PATH may lack it, as with an environment that is activated in this one, and
    the data where they are not in the usual place.
    """
    import shlex  # only where somebody watches

    on_path = any(os.access(Path(folder) / PROGRAM, os.X_OK) for folder in environ.get("PATH", "").split(os.pathsep))
    script = Path(executable).with_name(PROGRAM)
    usual = on_path and not environ.get("VIRTUAL_ENV")
    words = [PROGRAM if usual or not script.is_file() else str(script), "top"]
    if config.origins.get("data_dir") != DEFAULT or config.data_dir == Path("data").absolute():
        words += ["--data", str(config.data_dir)]
    return printable(shlex.join(words))


def _wrap(name: str, text: str) -> list[str]:
    import textwrap  # only where somebody watches: it stays for as long as the run

    return textwrap.wrap(text, _WIDTH, initial_indent=f"{name:<8}", subsequent_indent=" " * 8, break_on_hyphens=False)


def _describe_rules(facts: BannerFacts, config: Config) -> str:
    count = "1 rule" if facts.rules == 1 else f"{facts.rules} rules"
    rules = f"{count} from {_quote(config.rules)}"
    return f"{rules}; {printable(facts.active)}" if facts.active else rules


def _quote(path: Path) -> str:
    return printable(str(path))
