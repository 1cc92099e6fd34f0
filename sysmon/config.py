"""What did you ask for? Flags over environment over configuration file over defaults, as one frozen `Config`."""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sysmon import _places, _settings, units, yamlnodes
from sysmon._intervals import Base, Wish, base_of, complaint, span_of
from sysmon._settings import Settings, Tree
from sysmon.collectors import discover
from sysmon.errors import UsageError
from sysmon.formats import CONFIGURED_LABELS
from sysmon.segments import Form
from sysmon.yamlnodes import Place, Problems

SHORTEST_INTERVAL = timedelta(milliseconds=10)
LONGEST_INTERVAL = timedelta(days=1)
DEFAULT_INTERVAL = timedelta(seconds=10)
SHORTEST_AGE = timedelta(minutes=1)
LONGEST_AGE = timedelta(days=36_500)
_interval = _settings.duration(SHORTEST_INTERVAL, LONGEST_INTERVAL)
_VARIABLES = {
    "SYSMON_DATA_DIR": "data_dir",
    "LOG_LEVEL": "logging.level",
    "LOG_FILE": "logging.file",
    "LOG_FORMAT": "logging.format",
}


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


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long each kind of file is kept; `csv` is about copies, CSV alone is kept as long as `rows`."""

    rows: timedelta = timedelta(days=30)
    csv: timedelta = timedelta(days=7)
    rollups: timedelta = timedelta(days=365)
    events: timedelta = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Storage:
    """How rows become files, and how much of the disk they get; `min_free` 0 is no bound."""

    formats: tuple[Form, ...] = (Form.JSONL, Form.CSV)
    rotation: timedelta = timedelta(hours=1)
    max_segment_bytes: int = 64 * 2**20
    sync_interval: timedelta = timedelta(seconds=30)
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
class CollectorConfig:
    """One collector: `interval` in seconds, a whole multiple of the base; `options` is its own `Options`."""

    enabled: bool
    interval: float
    options: Any


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set, as it holds. `interval` is the base interval; `data_dir` and `rules` are absolute."""

    file: Path | None
    data_dir: Path
    rules: Path
    interval: timedelta
    labels: Mapping[str, str]
    storage: Storage
    collectors: Mapping[str, CollectorConfig]
    logging: Logging
    resource_limits: ResourceLimits
    warnings: tuple[str, ...] = field(default=(), compare=False)


def tree(collectors: Mapping[str, Any]) -> Tree:
    """Return every name that a configuration file may hold, in the order in which it is shown."""
    return {
        "interval": None,
        "data_dir": None,
        "rules": None,
        "labels": dict.fromkeys(CONFIGURED_LABELS),
        "storage": {**_fields_of(Storage), "retention": _fields_of(Retention)},
        "collectors": {
            name: {"enabled": None, "interval": None, **_fields_of(kind.Options)} for name, kind in collectors.items()
        },
        "logging": _fields_of(Logging),
        "resource_limits": _fields_of(ResourceLimits),
    }


def load(
    *,
    config: Path | None = None,
    data: Path | None = None,
    rules: Path | None = None,
    interval: timedelta | None = None,
    log_level: str | None = None,
    environ: Mapping[str, str],
    collectors: Mapping[str, Any] | None = None,
) -> Config:
    """Return what holds; raise ConfigError with a line for each thing that is wrong.

    `collectors` are the known collectors by name, as `sysmon.collectors.discover` finds them.
    """
    known = discover() if collectors is None else collectors
    environ = {name: value for name, value in environ.items() if value}
    file = _places.config_file(config, environ)
    settings = Settings(Problems())
    if file is not None:
        settings.give_file(yamlnodes.load_file(file), tree(known))
    warnings = _give_environment(settings, environ, known)
    flags = {"data_dir": ("--data", data), "rules": ("--rules", rules), "logging.level": ("--log-level", log_level)}
    for name, (flag, value) in flags.items():
        if value is not None:
            settings.give(name, flag, str(value))
    base, spans = _intervals(settings, known, interval, warnings)
    found = Config(
        file=file,
        data_dir=(_path(settings, "data_dir", file, environ) or _places.usual_data_dir(environ)).absolute(),
        rules=(_path(settings, "rules", file, environ) or _places.usual_rules(file)).absolute(),
        interval=base,
        labels=_labels(settings),
        storage=_storage(settings),
        collectors={name: _collector(settings, name, kind, spans[name]) for name, kind in known.items()},
        logging=_logging(settings, file, environ),
        resource_limits=_limits(settings),
        warnings=tuple(warnings),
    )
    settings.problems.raise_if_any()
    return found


def data_dir(flag: Path | None, config_flag: Path | None, environ: Mapping[str, str]) -> Path:
    """Return where the samples are, for those who only read them: nothing but `data_dir` is looked at in the file."""
    environ = {name: value for name, value in environ.items() if value}
    settings = Settings(Problems())
    file = None
    if flag is not None:
        settings.give("data_dir", "--data", str(flag))
    elif "SYSMON_DATA_DIR" in environ:
        settings.give("data_dir", "SYSMON_DATA_DIR", environ["SYSMON_DATA_DIR"])
    elif (file := _places.config_file(config_flag, environ)) is not None:
        top = yamlnodes.load_file(file)
        entries = {key: node for key, node in top.entries.items() if key == "data_dir"}
        settings.give_file(dataclasses.replace(top, entries=entries), {"data_dir": None})
    found = _path(settings, "data_dir", file, environ) or _places.usual_data_dir(environ)
    settings.problems.raise_if_any()
    return found.absolute()


def _fields_of(kind: type[Any]) -> dict[str, None]:
    return dict.fromkeys(one.name for one in dataclasses.fields(kind))


def _give_environment(settings: Settings, environ: Mapping[str, str], known: Mapping[str, Any]) -> list[str]:
    """Take what the environment sets; return a warning for each variable that looks like ours and is not."""
    variables = dict(_VARIABLES)
    for name in known:
        for setting in ("enabled", "interval"):
            variables[f"COLLECTOR_{name.upper()}_{setting.upper()}"] = f"collectors.{name}.{setting}"
    warnings = []
    for variable, value in sorted(environ.items()):
        if variable in variables:
            settings.give(variables[variable], variable, value)
        elif variable.startswith("COLLECTOR_"):
            wanted = [other for other in variables if other.startswith("COLLECTOR_")]
            warnings.append(f"{variable}: no such setting: {yamlnodes.suggest(variable, wanted)}")
    return warnings


def _path(settings: Settings, name: str, file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return a path; one that the file gives is meant from the file's folder."""
    text = settings.read(name, _settings.path_text)
    if text is None:
        return None
    path = _places.expand(text, environ)
    place = settings.place(name)
    return file.parent / path if file is not None and place is not None and place.line else path


def _labels(settings: Settings) -> dict[str, str]:
    given = {name: settings.read(f"labels.{name}", _settings.label) for name in CONFIGURED_LABELS}
    return {name: text for name, text in given.items() if text is not None}


def _storage(settings: Settings) -> Storage:
    default = Storage()
    formats = settings.read_list("storage.formats", _settings.choice(Form))
    place = settings.place("storage.formats")
    if place is not None and formats is not None and (not formats or len(set(formats)) < len(formats)):
        found = "storage.formats names a format twice" if formats else "storage.formats is empty"
        settings.problems.add(place, f"{found}: write [jsonl, csv], [jsonl] or [csv]")
    sync = settings.read("storage.sync_interval", _settings.duration(timedelta(0), timedelta(hours=1)))
    compress_after = settings.read("storage.compress_after", _settings.duration(timedelta(0), LONGEST_AGE))
    min_free = settings.read("storage.min_free", _settings.size(0))
    return Storage(
        formats=formats or default.formats,
        rotation=settings.read("storage.rotation", _settings.rotation) or default.rotation,
        max_segment_bytes=settings.read("storage.max_segment_bytes", _settings.size(64 * 2**10))
        or default.max_segment_bytes,
        sync_interval=default.sync_interval if sync is None else sync,
        compress_after=default.compress_after if compress_after is None else compress_after,
        max_bytes=settings.read("storage.max_bytes", _settings.size(2**20)) or default.max_bytes,
        min_free=default.min_free if min_free is None else min_free,
        retention=_retention(settings),
    )


def _retention(settings: Settings) -> Retention:
    age = _settings.duration(SHORTEST_AGE, LONGEST_AGE)
    given = {one.name: settings.read(f"storage.retention.{one.name}", age) for one in dataclasses.fields(Retention)}
    return Retention(**{name: span for name, span in given.items() if span is not None})


def _logging(settings: Settings, file: Path | None, environ: Mapping[str, str]) -> Logging:
    log_file = _path(settings, "logging.file", file, environ)
    return Logging(
        level=settings.read("logging.level", _settings.choice(LogLevel)) or LogLevel.INFO,
        file=None if log_file is None else log_file.absolute(),
        format=settings.read("logging.format", _settings.choice(LogFormat)) or LogFormat.TEXT,
    )


def _limits(settings: Settings) -> ResourceLimits:
    return ResourceLimits(
        cpu_percent=settings.read("resource_limits.cpu_percent", _settings.percent),
        memory=settings.read("resource_limits.memory", _settings.size(2**20)),
        action=settings.read("resource_limits.action", _action) or LimitAction.LOG,
    )


def _action(text: str) -> LimitAction:
    if text != LimitAction.LOG:
        raise UsageError(f"{text!r} is not supported yet: write log")
    return LimitAction.LOG


def _collector(settings: Settings, name: str, kind: Any, span: timedelta) -> CollectorConfig:
    values = {}
    kinds = typing.get_type_hints(kind.Options)
    for one in dataclasses.fields(kind.Options):
        value = _option(settings, f"collectors.{name}.{one.name}", kinds[one.name], one.metadata)
        if value is not None:
            values[one.name] = value
    return CollectorConfig(_enabled(settings, name), span.total_seconds(), kind.Options(**values))


def _enabled(settings: Settings, name: str) -> bool:
    return settings.read(f"collectors.{name}.enabled", yamlnodes.boolean) is not False


def _option(settings: Settings, name: str, kind: Any, bounds: Mapping[str, Any]) -> Any:
    if kind is bool:
        return settings.read(name, yamlnodes.boolean)
    if kind is int:
        return settings.read(name, _settings.whole(bounds["at_least"], bounds["at_most"]))
    return settings.read_list(name, yamlnodes.words)


def _intervals(
    settings: Settings, known: Mapping[str, Any], flag: timedelta | None, warnings: list[str]
) -> tuple[timedelta, dict[str, timedelta]]:
    """Return the base interval and each collector's. Writing a default down is the same as leaving it out."""
    if flag is not None and not SHORTEST_INTERVAL <= flag <= LONGEST_INTERVAL:
        settings.problems.add(
            Place("--interval", 0, 0), f"{units.format_duration(flag)} is out of range: write 10ms to 1d"
        )
        flag = None
    given = settings.read("interval", _interval)
    general = flag or given or DEFAULT_INTERVAL
    wishes = {name: _wish(settings, name, kind) for name, kind in known.items()}
    base = base_of(wishes, general, forced=flag)
    for name, wish in wishes.items():
        setting = f"collectors.{name}.interval"
        place = settings.place(setting)
        if wish.enabled and wish.asked and place and (wrong := complaint(setting, wish.asked, base)):
            settings.problems.add(place, wrong)
    _check_general(settings, general, base=base, wishes=wishes, warnings=warnings)
    return base.span, {name: span_of(wish, general, base) for name, wish in wishes.items()}


def _wish(settings: Settings, name: str, kind: Any) -> Wish:
    default = None if kind.default_interval is None else timedelta(seconds=kind.default_interval)
    asked = settings.read(f"collectors.{name}.interval", _interval)
    return Wish(_enabled(settings, name), None if asked == default else asked, default)


def _check_general(
    settings: Settings, general: timedelta, *, base: Base, wishes: Mapping[str, Wish], warnings: list[str]
) -> None:
    """Refuse a general interval that does not fit the base; the built-in one gives way, with a warning."""
    users = [name for name, wish in wishes.items() if wish.enabled and not (wish.asked or wish.default)]
    wrong = complaint("interval", general, base)
    if not users or wrong is None:
        return
    place = settings.place("interval")
    if place is not None and general != DEFAULT_INTERVAL:
        settings.problems.add(place, wrong)
        return
    taken = units.format_duration(span_of(Wish(), general, base))
    warnings.append(f"{wrong}; until then {taken} holds for {', '.join(users)}")
