"""Configuration: flags over environment over file over defaults, as one frozen `Config`."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sysmon.adapters import yaml_nodes
from sysmon.adapters.yaml_nodes import Place, Problems
from sysmon.collectors import discover
from sysmon.config import declarations, json_schema, locations, overlay
from sysmon.config.declarations import (
    DEFAULT_INTERVAL,
    LONGEST_INTERVAL,
    SHORTEST_INTERVAL,
    LimitAction,
    LogFormat,
    Logging,
    LogLevel,
    Notify,
    ResourceLimits,
    Retention,
    Storage,
)
from sysmon.config.intervals import Base, CollectorInterval, describe_misfit, find_base, fit_interval
from sysmon.config.overlay import Setting, Settings
from sysmon.errors import ConfigError
from sysmon.formats import CONFIGURED_LABELS
from sysmon.sampling.masking import Mask
from sysmon.text import units

__all__ = [
    "DEFAULT",
    "DEFAULT_INTERVAL",
    "CollectorConfig",
    "Config",
    "LimitAction",
    "LogFormat",
    "LogLevel",
    "Logging",
    "Mask",
    "Notify",
    "ResourceLimits",
    "Retention",
    "Setting",
    "Storage",
    "data_dir",
    "load",
    "schema",
    "settings",
    "value_of",
    "variables",
]

DEFAULT = "default"
"""The origin of what nobody set."""

_GENERIC_VARIABLES = {"LOG_LEVEL": "logging.level", "LOG_FILE": "logging.file", "LOG_FORMAT": "logging.format"}
"""Variables that other programs read, too: a value that is meant for one of those is no error here."""

_VARIABLES = (
    {"SYSMON_DATA_DIR": "data_dir"}
    | _GENERIC_VARIABLES
    | {f"SYSMON_{variable}": setting for variable, setting in _GENERIC_VARIABLES.items()}
)


@dataclass(frozen=True, slots=True)
class CollectorConfig:
    """One collector: `interval` in seconds, a whole multiple of the base; `options` is its own `Options`."""

    enabled: bool
    interval: float
    options: Any


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set, as it holds. `interval` is the base interval; `data_dir` and `rules` are absolute.

    `origins` says for each setting, by its dotted name, where its value is from: a flag, the name of a variable,
    file:line, or `default`. `procfs` and `rootfs` are where another machine's /proc and / are, None for our own.
    """

    file: Path | None
    data_dir: Path
    rules: Path
    interval: timedelta
    labels: Mapping[str, str]
    storage: Storage
    mask: Mask
    collectors: Mapping[str, CollectorConfig]
    logging: Logging
    resource_limits: ResourceLimits
    notify: Notify = field(default_factory=Notify)
    procfs: Path | None = None
    rootfs: Path | None = None
    warnings: tuple[str, ...] = field(default=(), compare=False)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class _Intervals:
    """The general interval, the base, and what each collector wishes."""

    general: timedelta
    base: Base
    wishes: Mapping[str, CollectorInterval]

    def span(self, name: str) -> timedelta:
        return fit_interval(self.wishes[name], self.general, self.base)

    def rounded(self, name: str) -> str:
        """Return what to say of an interval that is not what was wished for."""
        wish = self.wishes[name]
        return "" if self.span(name) == (wish.asked or wish.default or self.general) else ", rounded up"


def settings(collectors: Mapping[str, Any] | None = None) -> tuple[Setting, ...]:
    """Return every setting that there is, in the order in which it is shown."""
    return declarations.settings(discover() if collectors is None else collectors)


def variables(collectors: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the environment variables that set something, each with the setting's dotted name."""
    by_name = discover() if collectors is None else collectors
    return _VARIABLES | {
        f"COLLECTOR_{name.upper()}_{setting.upper()}": f"collectors.{name}.{setting}"
        for name in by_name
        for setting in ("enabled", "interval")
    }


def value_of(config: Config, name: str) -> Any:
    """Return the value of a setting by its dotted name, None where it is not set."""
    at: Any = config
    for part in name.split("."):
        if isinstance(at, CollectorConfig) and part not in {"enabled", "interval"}:
            at = at.options
        at = at.get(part) if isinstance(at, Mapping) else getattr(at, part)
    return at


def schema(collectors: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a JSON Schema (2020-12) of the configuration file."""
    return json_schema.schema(settings(collectors))


def load(
    *,
    config: Path | None = None,
    data: Path | None = None,
    rules: Path | None = None,
    interval: timedelta | None = None,
    log_level: str | None = None,
    procfs: Path | None = None,
    rootfs: Path | None = None,
    environ: Mapping[str, str],
    collectors: Mapping[str, Any] | None = None,
) -> Config:
    """Return what holds; raise ConfigError with a line for each thing that is wrong.

    `collectors` are the known collectors by name, as `sysmon.collectors.discover` finds them.
    """
    by_name = discover() if collectors is None else collectors
    environ = {name: value for name, value in environ.items() if value}
    file = locations.config_file(config, environ)
    declared = settings(by_name)
    given = Settings(Problems())
    if file is not None:
        given.give_file(yaml_nodes.load_file(file), overlay.tree(declared))
    warnings = _give_environment(given, environ, variables(by_name), declared)
    flags = {"data_dir": ("--data", data), "rules": ("--rules", rules), "logging.level": ("--log-level", log_level)}
    flags |= {"procfs": ("--procfs", procfs), "rootfs": ("--rootfs", rootfs)}
    for name, (flag, value) in flags.items():
        if value is not None:
            given.give(name, flag, str(value))
    values = {setting.name: value for setting in declared if (value := given.value(setting)) is not None}
    intervals = _intervals(given, values, by_name, interval, warnings)
    paths = _Paths(given, values, file, environ)
    labels = _values_below("labels", values)
    loaded = Config(
        file=file,
        data_dir=(paths.find("data_dir") or locations.usual_data_dir(environ)).absolute(),
        rules=(paths.find("rules") or locations.usual_rules(file)).absolute(),
        interval=intervals.base.span,
        labels={name: labels[name] for name in CONFIGURED_LABELS if name in labels},
        storage=Storage(
            **_values_below("storage", values), retention=Retention(**_values_below("storage.retention", values))
        ),
        mask=Mask(**_values_below("mask", values)),
        collectors={name: _collector(name, kind, values, intervals.span(name)) for name, kind in by_name.items()},
        logging=_logging(values, paths.find("logging.file")),
        resource_limits=ResourceLimits(**_values_below("resource_limits", values)),
        notify=Notify(**_values_below("notify", values)),
        procfs=_absolute(paths.find("procfs")),
        rootfs=_absolute(paths.find("rootfs")),
        warnings=tuple(warnings),
        origins=_origins(given, [setting.name for setting in declared], intervals, environ),
    )
    given.problems.raise_if_any()
    return loaded


def data_dir(flag: Path | None, config_flag: Path | None, environ: Mapping[str, str]) -> Path:
    """Return where the samples are, for those who only read them: nothing but `data_dir` is looked at in the file."""
    environ = {name: value for name, value in environ.items() if value}
    given = Settings(Problems())
    file = None
    if flag is not None:
        given.give("data_dir", "--data", str(flag))
    elif "SYSMON_DATA_DIR" in environ:
        given.give("data_dir", "SYSMON_DATA_DIR", environ["SYSMON_DATA_DIR"])
    elif (file := locations.config_file(config_flag, environ)) is not None:
        top = yaml_nodes.load_file(file)
        entries = {key: node for key, node in top.entries.items() if key == "data_dir"}
        given.give_file(dataclasses.replace(top, entries=entries), {"data_dir": None})
    value = given.value(declarations.DATA_DIR)
    path = _Paths(given, {"data_dir": value}, file, environ).find("data_dir") or locations.usual_data_dir(environ)
    given.problems.raise_if_any()
    return path.absolute()


def _give_environment(
    given: Settings, environ: Mapping[str, str], settings_of: Mapping[str, str], declared: Iterable[Setting]
) -> list[str]:
    """Take what the environment sets; return a warning for each variable that looks like ours and is not."""
    warnings = []
    by_name = {setting.name: setting for setting in declared}
    for variable, value in sorted(environ.items()):
        if variable in _GENERIC_VARIABLES:
            if f"SYSMON_{variable}" in environ:
                continue
            if problem := _misread(by_name[settings_of[variable]], variable, value):
                warnings.append(f"{problem}; {variable} is ignored: SYSMON_{variable} is sysmon's own")
                continue
        if variable in settings_of:
            given.give(settings_of[variable], variable, value)
        elif variable.startswith("COLLECTOR_"):
            wanted = [other for other in settings_of if other.startswith("COLLECTOR_")]
            warnings.append(f"{variable}: no such setting: {yaml_nodes.suggest(variable, wanted)}")
    return warnings


def _misread(setting: Setting, variable: str, value: str) -> str:
    """Return why the value of a variable cannot be read as a setting, an empty text where it can."""
    trial = Settings(Problems())
    trial.give(setting.name, variable, value)
    trial.value(setting)
    try:
        trial.problems.raise_if_any()
    except ConfigError as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class _Paths:
    """Turns the text of a path into the path; one that the file gives is meant from the file's folder."""

    given: Settings
    values: Mapping[str, Any]
    file: Path | None
    environ: Mapping[str, str]

    def find(self, name: str) -> Path | None:
        text = self.values.get(name)
        if text is None:
            return None
        path = locations.expand(text, self.environ)
        place = self.given.place(name)
        return self.file.parent / path if self.file is not None and place is not None and place.line else path


def _values_below(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of one section by their own names, without those of sections below it."""
    parts = [name.rpartition(".") for name in values]
    return {last: values[f"{above}.{last}"] for above, _, last in parts if above == section}


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _logging(values: Mapping[str, Any], file: Path | None) -> Logging:
    return Logging(**(_values_below("logging", values) | {"file": _absolute(file)}))


def _collector(name: str, kind: Any, values: Mapping[str, Any], span: timedelta) -> CollectorConfig:
    own = _values_below(f"collectors.{name}", values)
    enabled = own.pop("enabled", True)
    own.pop("interval", None)
    return CollectorConfig(enabled, span.total_seconds(), kind.Options(**own))


def _intervals(
    given: Settings,
    values: Mapping[str, Any],
    by_name: Mapping[str, Any],
    flag: timedelta | None,
    warnings: list[str],
) -> _Intervals:
    """Return the base interval and each collector's. Writing a default down is the same as leaving it out."""
    if flag is not None and not SHORTEST_INTERVAL <= flag <= LONGEST_INTERVAL:
        given.problems.add(
            Place("--interval", 0, 0), f"{units.format_duration(flag)} is out of range: write 10ms to 1d"
        )
        flag = None
    general = flag or values.get("interval") or DEFAULT_INTERVAL
    wishes = {name: _wish(values, name, kind) for name, kind in by_name.items()}
    base = find_base(wishes, general, forced=flag)
    for name, wish in wishes.items():
        setting = f"collectors.{name}.interval"
        place = given.place(setting)
        if wish.enabled and wish.asked and place and (wrong := describe_misfit(setting, wish.asked, base)):
            given.problems.add(place, wrong)
    _check_general(given, general, base=base, wishes=wishes, warnings=warnings)
    return _Intervals(general, base, wishes)


def _wish(values: Mapping[str, Any], name: str, kind: Any) -> CollectorInterval:
    default = None if kind.default_interval is None else timedelta(seconds=kind.default_interval)
    interval = values.get(f"collectors.{name}.interval")
    return CollectorInterval(
        values.get(f"collectors.{name}.enabled", True), None if interval == default else interval, default
    )


def _check_general(
    given: Settings, general: timedelta, *, base: Base, wishes: Mapping[str, CollectorInterval], warnings: list[str]
) -> None:
    """Refuse a general interval that does not fit the base; the built-in one gives way, with a warning."""
    users = [name for name, wish in wishes.items() if wish.enabled and not (wish.asked or wish.default)]
    wrong = describe_misfit("interval", general, base)
    if not users or wrong is None:
        return
    place = given.place("interval")
    if place is not None and general != DEFAULT_INTERVAL:
        given.problems.add(place, wrong)
        return
    taken = units.format_duration(fit_interval(CollectorInterval(), general, base))
    warnings.append(f"{wrong}; until then {taken} holds for {', '.join(users)}")


def _origins(
    given: Settings, names: Iterable[str], intervals: _Intervals, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return where each value is from."""
    places = {
        name: f"{place.file}:{place.line}" if place.line else place.file for name, place in given.places().items()
    }
    if (variable := locations.usual_data_variable(environ)) is not None:
        places.setdefault("data_dir", variable)
    forced = "--interval" if intervals.base.origin == "--interval" else None
    general = forced or places.get("interval", DEFAULT)
    for name, wish in intervals.wishes.items():
        setting = f"collectors.{name}.interval"
        places[setting] = places.get(setting, DEFAULT if wish.default else general) + intervals.rounded(name)
    places["interval"] = forced or places.get(intervals.base.origin, DEFAULT)
    return {name: places.get(name, DEFAULT) for name in names}
