"""Declarations of all settings: name, kind and meaning. The loader, the schema and the docs follow."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sysmon.config import readers
from sysmon.config.overlay import Setting
from sysmon.config.readers import Reader
from sysmon.datadir.segments import Form
from sysmon.formats import CONFIGURED_LABELS
from sysmon.sampling.masking import Mask
from sysmon.storage.layout import StorageLayout

SHORTEST_INTERVAL = timedelta(milliseconds=10)
LONGEST_INTERVAL = timedelta(days=1)
DEFAULT_INTERVAL = timedelta(seconds=10)
SHORTEST_AGE = timedelta(minutes=1)
LONGEST_AGE = timedelta(days=36_500)
_AGE = readers.duration(SHORTEST_AGE, LONGEST_AGE)
_INTERVAL = readers.duration(SHORTEST_INTERVAL, LONGEST_INTERVAL)
_LABELS = {"environment": "production", "region": "eu-west", "datacenter": "fra1", "role": "database"}

DATA_DIR = Setting(
    "data_dir", readers.path(), "where the files go; not set: data/ in a checkout, else ~/.local/state/sysmon"
)


class LogLevel(StrEnum):
    """From which severity on the program says what it does."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class LimitAction(StrEnum):
    """What happens when sysmon itself uses more than it may."""

    LOG = "log"
    SLOW_DOWN = "slow_down"
    DISABLE_COLLECTORS = "disable_collectors"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long each kind of file is kept; `csv` is about copies, CSV alone is kept as long as `rows`.

    `minutes` 0 makes none.
    """

    rows: timedelta = timedelta(days=30)
    csv: timedelta = timedelta(days=7)
    minutes: timedelta = timedelta(0)
    rollups: timedelta = timedelta(days=365)
    events: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Storage(StorageLayout):
    """How rows become files, and how much of the disk they get; `min_free` 0 is no bound."""

    compress_after: timedelta = timedelta(days=1)
    max_bytes: int = 2 * 2**30
    min_free: int = 500 * 2**20
    retention: Retention = Retention()


@dataclass(frozen=True, slots=True)
class Logging:
    """What the program says about its own work, and where; `file` None is standard error."""

    level: LogLevel = LogLevel.INFO
    file: Path | None = None
    format: LogFormat = LogFormat.TEXT


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """What the agent itself may use: percent of one core, bytes of memory; None is no limit."""

    cpu_percent: float | None = None
    memory: int | None = None
    action: LimitAction = LimitAction.LOG


@dataclass(frozen=True, slots=True)
class Notify:
    """Which program is run for each alert that is told, and for how long at most; no command is none."""

    command: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=10)


_NOTIFY: Mapping[str, tuple[Reader[Any], str]] = {
    "command": (
        readers.argument(),
        "a program and its arguments, run for each alert that is told, with the event as JSON on its standard input",
    ),
    "timeout": (
        readers.duration(timedelta(seconds=1), timedelta(minutes=5)),
        "a program that takes longer is ended, and tried once more",
    ),
}
_STORAGE: Mapping[str, tuple[Reader[Any], str]] = {
    "formats": (readers.choice(Form), "either one is enough for reports; csv opens in a spreadsheet"),
    "rotation": (readers.part_of_a_day(), "how much time one file holds"),
    "max_segment_bytes": (readers.size(64 * 2**10), "a file that grows larger is ended early"),
    "sync_interval": (
        readers.duration(timedelta(0), timedelta(hours=1)),
        "what a power cut may cost; shorter ones wear out SD cards",
    ),
    "compress_after": (
        readers.duration(timedelta(0), LONGEST_AGE),
        "until then a file stays plain text that grep reads",
    ),
    "max_bytes": (readers.size(2**20), "all of data_dir together; beyond it the oldest rows go first"),
    "min_free": (
        readers.size(0),
        "left to everybody else: CSV stops a quarter above it, JSON Lines at it; 0B is no bound",
    ),
}
_RETENTION: Mapping[str, tuple[Reader[Any], str]] = {
    "rows": (_AGE, "how long every sample is kept"),
    "csv": (_AGE, "how long copies of samples are kept that JSON Lines hold as well; CSV alone is kept like rows"),
    "minutes": (
        readers.duration(timedelta(0), LONGEST_AGE),
        "how long minutes in numbers are kept, for a detailed past without its rows; 0s: none are made",
    ),
    "rollups": (_AGE, "how long hours and days in numbers are kept"),
    "events": (_AGE, "how long the alert log and sysmon's own log are kept"),
}
_MASK: Mapping[str, tuple[Reader[Any], str]] = {
    "processes": (readers.glob(), "processes whose names become pseudonyms"),
    "users": (readers.glob(), "users whose names become pseudonyms"),
    "mountpoints": (readers.glob(), "mount points whose paths become pseudonyms"),
}
_LOGGING: Mapping[str, tuple[Reader[Any], str]] = {
    "level": (readers.choice(LogLevel), "from which severity on sysmon tells what it does"),
    "file": (readers.path(), "where to; not set: standard error, which a service's journal keeps"),
    "format": (readers.choice(LogFormat), "json for log collectors"),
}
_RESOURCE_LIMITS: Mapping[str, tuple[Reader[Any], str]] = {
    "cpu_percent": (readers.percent(), "what sysmon itself may use of one core"),
    "memory": (readers.size(2**20), "what sysmon itself may use of memory"),
    "action": (readers.choice(LimitAction), "log, slow_down, disable_collectors (the most expensive first) or stop"),
}


def settings(collectors: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Return every setting in the order of the file; `collectors` are the known ones by name."""
    return (
        Setting("interval", _INTERVAL, "how often to look; a longer one makes smaller files", default=DEFAULT_INTERVAL),
        DATA_DIR,
        Setting("rules", readers.path(), "the alert rules; not set: rules.yaml beside this file, else sysmon's own"),
        Setting(
            "procfs", readers.path(), "where the machine's /proc is, in a container; not set: /proc, or below `rootfs`"
        ),
        Setting("rootfs", readers.path(), "where the machine's file systems are mounted, in a container; not set: /"),
        *[
            Setting(f"labels.{name}", readers.label(), f"written into every row, such as {_LABELS[name]}")
            for name in CONFIGURED_LABELS
        ],
        *_section("storage", Storage, _STORAGE),
        *_section("storage.retention", Retention, _RETENTION),
        *_section("mask", Mask, _MASK),
        *[setting for name, kind in collectors.items() for setting in _collector(name, kind)],
        *_section("logging", Logging, _LOGGING),
        *_section("resource_limits", ResourceLimits, _RESOURCE_LIMITS),
        *_section("notify", Notify, _NOTIFY),
    )


def _section(name: str, kind: type[Any], declared: Mapping[str, tuple[Reader[Any], str]]) -> Iterator[Setting]:
    """Yield the settings of a section, with the defaults of the class that they become."""
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    for own, (reader, about) in declared.items():
        default = defaults[own]
        many = isinstance(default, tuple)
        yield Setting(f"{name}.{own}", reader, about, default, many=many, some=many and bool(default))


def _collector(name: str, kind: Any) -> Iterator[Setting]:
    """Yield the settings of a collector: those that all have, and its own."""
    section = f"collectors.{name}"
    own = None if kind.default_interval is None else timedelta(seconds=kind.default_interval)
    yield Setting(f"{section}.enabled", readers.boolean(), "false: nothing is read, no file is written", default=True)
    yield Setting(f"{section}.interval", _INTERVAL, "how often; not set: `interval`", default=own)
    kinds = typing.get_type_hints(kind.Options)
    for field in dataclasses.fields(kind.Options):
        reader = _reader_of(kinds[field.name], field.metadata)
        many = isinstance(field.default, tuple)
        yield Setting(f"{section}.{field.name}", reader, field.metadata["help"], field.default, many=many)


def _reader_of(kind: Any, bounds: Mapping[str, Any]) -> Reader[Any]:
    if kind is bool:
        return readers.boolean()
    if kind is int:
        return readers.whole(bounds["at_least"], bounds["at_most"])
    return readers.glob()
