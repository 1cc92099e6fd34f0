"""Message templates: text with a few names in double braces. Nothing is run, nothing is looked into."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sysmon.errors import UsageError
from sysmon.model import AlertEvent
from sysmon.text.culprits import format_culprits
from sysmon.text.names import printable
from sysmon.text.units import format_age

LONGEST = 500
"""Characters of a message at most, before and after the names are filled in."""

_BRACES = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_LABEL = "labels."
_WORDS: dict[str, Callable[[AlertEvent], str]] = {
    "value": lambda event: format_value(event.value),
    "threshold": lambda event: format_value(event.threshold),
    "level": lambda event: event.level.value,
    "metric": lambda event: event.metric,
    "since": lambda event: f"{event.since:%Y-%m-%dT%H:%M:%SZ}",
    "duration": lambda event: format_age(event.duration),
    "peak": lambda event: format_value(event.peak),
    "trend": lambda event: " ".join(map(format_value, event.trend)) or "-",
    "top": lambda event: format_culprits(event, _format_clock).removeprefix("top: ") or "-",
}


@dataclass(frozen=True, slots=True)
class Template:
    """Text with names; `parts` are text and names in turn, text first."""

    text: str
    parts: tuple[str, ...]

    def fill(self, event: AlertEvent) -> str:
        """Return the message of an event; a label that it has not is `-`."""
        filled = [part if index % 2 == 0 else _fill_name(part, event) for index, part in enumerate(self.parts)]
        return printable("".join(filled))[:LONGEST]


def parse(text: str, labels: Collection[str]) -> Template:
    """Read a template; raise UsageError for a name that there is not."""
    if not text.strip() or len(text) > LONGEST:
        raise UsageError(f"a message has 1 to {LONGEST} characters, this one has {len(text.strip())}: write another")
    parts = tuple(_BRACES.split(text))
    for name in parts[1::2]:
        if name not in _WORDS and name.removeprefix(_LABEL) not in labels:
            ways = ", ".join([*_WORDS, *(_LABEL + label for label in labels)])
            raise UsageError(f"{{{{ {name[:40]} }}}} cannot be filled in: write one of {ways}")
    if any("{{" in part or "}}" in part for part in parts[::2]):
        raise UsageError("{{ and }} do not pair up: write names as in {{ value }}")
    return Template(text, parts)


def format_value(value: float | None) -> str:
    """Return a number as a sentence has it: at most four digits that matter, `-` for none."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _format_clock(at: datetime) -> str:
    return f"{at:%H:%M:%SZ}"


def _fill_name(name: str, event: AlertEvent) -> str:
    if name in _WORDS:
        return _WORDS[name](event)
    return event.labels.get(name.removeprefix(_LABEL), "-")
