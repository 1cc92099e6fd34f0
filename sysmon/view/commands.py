"""Key commands: which instant, which page, which order, and how a key changes them."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import Enum


class Command(Enum):
    """What a key asks for."""

    QUIT = "quit"
    HELP = "help, and back"
    PAUSE = "pause, resume"
    NOW = "back to now"
    GO = "go to a time, as 03:10"
    FIRST = "first sample"
    SAMPLE_BACK = "previous sample"
    SAMPLE_ON = "next sample"
    MINUTE_BACK = "a minute back"
    MINUTE_ON = "a minute on"
    HOUR_BACK = "an hour back"
    HOUR_ON = "an hour on"
    ALERT_BACK = "previous alert"
    ALERT_ON = "next alert"
    PAGE_ON = "next table in full"
    PAGE_BACK = "previous table"
    OVERVIEW = "overview"
    SCROLL_DOWN = "scroll down"
    SCROLL_UP = "scroll up"
    BY_CPU = "processes by CPU"
    BY_MEMORY = "processes by memory"
    BY_IO = "processes by I/O"
    BY_NAME = "processes by name"


KEYS = {
    "q": Command.QUIT,
    "?": Command.HELP,
    "h": Command.HELP,
    "space": Command.PAUSE,
    "end": Command.NOW,
    "l": Command.NOW,
    "g": Command.GO,
    "home": Command.FIRST,
    "left": Command.SAMPLE_BACK,
    "right": Command.SAMPLE_ON,
    "up": Command.MINUTE_BACK,
    "down": Command.MINUTE_ON,
    "shift-left": Command.MINUTE_BACK,
    "shift-right": Command.MINUTE_ON,
    "page-up": Command.HOUR_BACK,
    "page-down": Command.HOUR_ON,
    "ctrl-left": Command.HOUR_BACK,
    "ctrl-right": Command.HOUR_ON,
    "[": Command.ALERT_BACK,
    "]": Command.ALERT_ON,
    "tab": Command.PAGE_ON,
    "back-tab": Command.PAGE_BACK,
    "escape": Command.OVERVIEW,
    "j": Command.SCROLL_DOWN,
    "k": Command.SCROLL_UP,
    "c": Command.BY_CPU,
    "m": Command.BY_MEMORY,
    "i": Command.BY_IO,
    "n": Command.BY_NAME,
}
"""The command of each key, by the name that keys.split_keys gives it."""


class Order(Enum):
    """By what the processes are sorted."""

    CPU = "CPU"
    MEMORY = "memory"
    IO = "I/O"
    NAME = "name"


_ORDERS = {
    Command.BY_CPU: Order.CPU,
    Command.BY_MEMORY: Order.MEMORY,
    Command.BY_IO: Order.IO,
    Command.BY_NAME: Order.NAME,
}


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: `page` 0 is the overview, the others are the tables in full; `scroll` is in lines."""

    order: Order = Order.CPU
    page: int = 0
    scroll: int = 0
    helping: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What surrounds a snapshot: the time now, and whether it is followed; times are shown in `zone` (None: local).

    `note` says what a person must know about the sample, such as that it is not from the instant that was asked for;
    it may have several lines.
    `standing` says how the samples come about (`every 10s`). `skipped` counts what could not be read.
    """

    now: datetime
    live: bool
    standing: str = ""
    note: str = ""
    skipped: int = 0
    zone: tzinfo | None = None


def apply_command(view: View, command: Command, *, pages: int) -> View:
    """Return what is looked at after a command that is not about time; `pages` is how many there are."""
    match command:
        case Command.HELP:
            return replace(view, helping=not view.helping, scroll=0)
        case Command.OVERVIEW:
            return replace(view, helping=False, page=0, scroll=0)
        case Command.PAGE_ON:
            return replace(view, helping=False, page=(view.page + 1) % pages, scroll=0)
        case Command.PAGE_BACK:
            return replace(view, helping=False, page=(view.page - 1) % pages, scroll=0)
        case Command.SCROLL_DOWN:
            return replace(view, scroll=view.scroll + 1)
        case Command.SCROLL_UP:
            return replace(view, scroll=max(0, view.scroll - 1))
        case _:
            return replace(view, order=_ORDERS.get(command, view.order))
