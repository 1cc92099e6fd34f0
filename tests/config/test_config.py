"""The configuration: what wins, what is refused, and that the shipped file tells the truth."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sysmon import config
from sysmon.adapters import yaml_nodes
from sysmon.config import CollectorConfig, LogFormat, Logging, LogLevel, Mask, Notify, ResourceLimits, Storage
from sysmon.datadir.segments import Form
from sysmon.errors import ConfigError
from sysmon.model import Table
from sysmon.protocols import option
from tests.config.places import NO_MACHINE

SHIPPED = Path(__file__).parents[2] / "config" / "sysmon.yaml"
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Nothing:
    """No settings."""


@dataclass(frozen=True, slots=True)
class Everything:
    """A setting of each kind."""

    names: tuple[str, ...] = option(("a", "b*"), "names")
    top: int = option(10, "how many", at_least=1, at_most=100)
    deep: bool = option(True, "how far")


class Fast:
    """A collector that takes the base interval."""

    table: ClassVar[Table] = Table("fast", "Fast.", ())
    default_interval: ClassVar[float | None] = None
    Options = Nothing


class Slow:
    """A collector with an interval of its own, and settings."""

    table: ClassVar[Table] = Table("slow_one", "Slow.", ())
    default_interval: ClassVar[float | None] = 60.0
    Options = Everything


KNOWN: Mapping[str, Any] = {"fast": Fast, "other": Fast, "slow_one": Slow}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty home folder, and stand in an empty folder beside it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


def loaded(home: Path, text: str | bytes = "", environ: Mapping[str, str] | None = None, **flags: Any) -> config.Config:
    """Load a configuration file of this text, with the collectors of this module."""
    file = Path("sysmon.yaml")
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config.load(
        config=file, environ=NO_MACHINE | {"HOME": str(home), **(environ or {})}, collectors=KNOWN, **flags
    )


def refused(home: Path, text: str | bytes = "", environ: Mapping[str, str] | None = None, **flags: Any) -> list[str]:
    """Return the lines that say what is wrong."""
    with pytest.raises(ConfigError) as error:
        loaded(home, text, environ, **flags)
    return str(error.value).split("\n")


def leaves(node: yaml_nodes.Node, above: str = "") -> Iterator[str]:
    """Yield the dotted names of a file's values in its order."""
    if isinstance(node, yaml_nodes.MappingNode):
        for key, value in node.entries.items():
            yield from leaves(value, f"{above}.{key}" if above else key)
    else:
        yield above


def test_without_a_file_the_defaults_hold(home: Path) -> None:
    loaded_config = config.load(environ=NO_MACHINE | {"HOME": str(home)}, collectors=KNOWN)

    fast = CollectorConfig(enabled=True, interval=10.0, options=Nothing())
    assert loaded_config == config.Config(
        file=None,
        data_dir=home / ".local/state/sysmon",
        rules=SHIPPED.parent / "rules.yaml",
        interval=10 * SECOND,
        labels={},
        storage=Storage((Form.JSONL, Form.CSV), timedelta(hours=1), 64 * 2**20, 30 * SECOND),
        mask=Mask(),
        collectors={"fast": fast, "other": fast, "slow_one": CollectorConfig(True, 60.0, Everything())},
        logging=Logging(LogLevel.INFO, None, LogFormat.TEXT),
        resource_limits=ResourceLimits(None, None),
    )


def test_the_shipped_file_loads_to_exactly_the_defaults(home: Path) -> None:
    environ = NO_MACHINE | {"HOME": str(home)}

    shipped = config.load(config=SHIPPED, environ=environ)

    assert dataclasses.replace(shipped, file=None) == config.load(environ=environ)
    assert shipped.warnings == ()


def test_the_shipped_file_shows_every_setting_and_no_other() -> None:
    in_file = list(leaves(yaml_nodes.load_file(SHIPPED)))

    assert in_file == [setting.name for setting in config.settings()]


def test_every_setting_can_be_changed(home: Path) -> None:
    changed = loaded(
        home,
        """
interval: 2s
data_dir: samples
rules: ../rules.yaml
labels: {environment: test, region: eu, datacenter: fra1, role: "data base"}
storage: {formats: csv, rotation: 15m, max_segment_bytes: 1 MiB, sync_interval: 0s}
mask: {processes: [java*, psql], users: alice, mountpoints: ["/mnt/[a-c]*"]}
collectors:
  fast: {enabled: false}
  other: {interval: 4s}
  slow_one: {names: [], top: 100, deep: false}
logging: {level: DEBUG, file: log.txt, format: json}
resource_limits: {cpu_percent: 12.5, memory: 64MiB, action: log}
notify: {command: [page, "--to", me], timeout: 30s}
""",
    )

    here = Path.cwd()
    assert changed == config.Config(
        file=Path("sysmon.yaml"),
        data_dir=here / "samples",
        rules=here / "../rules.yaml",
        interval=4 * SECOND,
        labels={"environment": "test", "region": "eu", "datacenter": "fra1", "role": "data base"},
        storage=Storage((Form.CSV,), timedelta(minutes=15), 2**20, timedelta(0)),
        mask=Mask(("java*", "psql"), ("alice",), ("/mnt/[a-c]*",)),
        collectors={
            "fast": CollectorConfig(False, 2.0, Nothing()),
            "other": CollectorConfig(True, 4.0, Nothing()),
            "slow_one": CollectorConfig(True, 60.0, Everything((), 100, False)),
        },
        logging=Logging(LogLevel.DEBUG, here / "log.txt", LogFormat.JSON),
        resource_limits=ResourceLimits(12.5, 64 * 2**20),
        notify=Notify(("page", "--to", "me"), 30 * SECOND),
    )


def test_an_empty_value_is_the_default(home: Path) -> None:
    text = "interval:\nlabels:\nstorage: {formats: ~, rotation: null}\ncollectors: {fast: , slow_one: {top: }}\n"

    assert dataclasses.replace(loaded(home, text), file=None) == config.load(
        environ=NO_MACHINE | {"HOME": str(home)}, collectors=KNOWN
    )


def test_flags_win_over_variables_and_variables_over_the_file(home: Path) -> None:
    text = "data_dir: of-file\nrules: of-file.yaml\nlogging: {level: error, file: of-file.log}\ninterval: 5s\n"
    environ = {"SYSMON_DATA_DIR": "of-variable", "LOG_LEVEL": "warning", "LOG_FILE": "of-variable.log"}

    file = loaded(home, text)
    variable = loaded(home, text, environ)
    flag = loaded(home, text, environ, data=Path("of-flag"), log_level="info", interval=SECOND, rules=Path("flag.yaml"))

    def seen(loaded_config: config.Config) -> list[object]:
        log = loaded_config.logging.file.name if loaded_config.logging.file else None
        return [
            loaded_config.data_dir.name,
            loaded_config.rules.name,
            loaded_config.logging.level.value,
            log,
            loaded_config.interval.total_seconds(),
        ]

    assert [seen(file), seen(variable), seen(flag)] == [
        ["of-file", "of-file.yaml", "error", "of-file.log", 5.0],
        ["of-variable", "of-file.yaml", "warning", "of-variable.log", 5.0],
        ["of-flag", "flag.yaml", "info", "of-variable.log", 1.0],
    ]


def test_variables_set_collectors_with_underscores_in_their_names_too(home: Path) -> None:
    environ = {
        "COLLECTOR_FAST_INTERVAL": "20s",
        "COLLECTOR_SLOW_ONE_ENABLED": "false",
        "COLLECTOR_SLOW_ONE_INTERVAL": "40s",
    }

    loaded_config = loaded(home, "collectors: {slow_one: {enabled: true, interval: 30s}}", environ)

    assert {name: (collector.enabled, collector.interval) for name, collector in loaded_config.collectors.items()} == {
        "fast": (True, 20.0),
        "other": (True, 10.0),
        "slow_one": (False, 40.0),
    }


@pytest.mark.parametrize(
    ("variable", "value", "warning"),
    [
        pytest.param(
            "LOG_LEVEL",
            "trace",
            "LOG_LEVEL: logging.level: 'trace' is not known: known are debug, error, info, warning; "
            "LOG_LEVEL is ignored: SYSMON_LOG_LEVEL is sysmon's own",
            id="a level",
        ),
        pytest.param(
            "LOG_FORMAT",
            "%(message)s",
            "LOG_FORMAT: logging.format: '%(message)s' is not known: known are json, text; "
            "LOG_FORMAT is ignored: SYSMON_LOG_FORMAT is sysmon's own",
            id="a format",
        ),
        pytest.param(
            "LOG_FILE",
            "a\nb",
            "LOG_FILE: logging.file: 'a\\nb' is no path: write the name of a file or folder, without control "
            "characters; LOG_FILE is ignored: SYSMON_LOG_FILE is sysmon's own",
            id="a file",
        ),
    ],
)
def test_a_general_variable_that_is_meant_for_another_program_warns_and_sets_nothing(
    home: Path, variable: str, value: str, warning: str
) -> None:
    loaded_config = loaded(home, "logging: {level: error}", {variable: value})

    assert (loaded_config.logging, loaded_config.warnings) == (config.Logging(config.LogLevel.ERROR), (warning,))


def test_variables_with_the_prefix_come_before_those_of_all_programs(home: Path) -> None:
    environ = {"LOG_LEVEL": "trace", "SYSMON_LOG_LEVEL": "debug", "LOG_FORMAT": "json", "SYSMON_LOG_FORMAT": "text"}

    loaded_config = loaded(home, "", environ)

    assert (loaded_config.logging, loaded_config.warnings, loaded_config.origins["logging.level"]) == (
        config.Logging(config.LogLevel.DEBUG),
        (),
        "SYSMON_LOG_LEVEL",
    )


def test_an_empty_variable_is_not_set(home: Path) -> None:
    environ = {
        "LOG_LEVEL": "",
        "SYSMON_CONFIG": "",
        "SYSMON_DATA_DIR": "",
        "COLLECTOR_FAST_ENABLED": "",
        "COLLECTOR_X": "",
    }

    loaded_config = config.load(environ=NO_MACHINE | {"HOME": str(home), **environ}, collectors=KNOWN)

    assert (loaded_config, loaded_config.warnings) == (
        config.load(environ=NO_MACHINE | {"HOME": str(home)}, collectors=KNOWN),
        (),
    )


def test_an_unknown_collector_variable_warns_with_what_was_perhaps_meant(home: Path) -> None:
    loaded_config = loaded(home, "", {"COLLECTOR_SLOWONE_ENABLED": "false", "COLLECTION": "mine"})

    assert loaded_config.warnings == (
        "COLLECTOR_SLOWONE_ENABLED: no such setting: did you mean 'COLLECTOR_SLOW_ONE_ENABLED'?",
    )


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        pytest.param(
            "SYSMON_LOG_LEVEL",
            "loud",
            "SYSMON_LOG_LEVEL: logging.level: 'loud' is not known: known are debug, error, info, warning",
            id="a level",
        ),
        pytest.param(
            "SYSMON_LOG_FORMAT",
            "jsn",
            "SYSMON_LOG_FORMAT: logging.format: 'jsn' is not known: did you mean 'json'?",
            id="a format",
        ),
        pytest.param(
            "COLLECTOR_SLOW_ONE_ENABLED",
            "yes",
            "COLLECTOR_SLOW_ONE_ENABLED: collectors.slow_one.enabled: 'yes' is neither true nor false: "
            "write true or false",
            id="a switch",
        ),
        pytest.param(
            "COLLECTOR_FAST_INTERVAL",
            "5",
            "COLLECTOR_FAST_INTERVAL: collectors.fast.interval: '5' is no duration: write 5s, 5m or 5h",
            id="an interval",
        ),
        pytest.param(
            "SYSMON_DATA_DIR",
            " ",
            "SYSMON_DATA_DIR: data_dir: ' ' is no path: write the name of a file or folder, without control characters",
            id="a folder",
        ),
        pytest.param(
            "SYSMON_CONFIG",
            "nowhere.yaml",
            "nowhere.yaml: named by SYSMON_CONFIG and not there: name another file or create it",
            id="a file",
        ),
    ],
)
def test_a_bad_variable_is_named(home: Path, variable: str, value: str, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.load(environ=NO_MACHINE | {"HOME": str(home), variable: value}, collectors=KNOWN)

    assert str(error.value) == line


def intervals(loaded_config: config.Config) -> list[float]:
    """Return the base interval, then the interval of each enabled collector, in seconds."""
    return [
        loaded_config.interval.total_seconds(),
        *(collector.interval for collector in loaded_config.collectors.values() if collector.enabled),
    ]


@pytest.mark.parametrize(
    ("text", "flag", "seconds"),
    [
        pytest.param("", None, [10, 10, 10, 60], id="defaults"),
        pytest.param("interval: 7s", None, [7, 7, 7, 63], id="a built-in default is rounded up"),
        pytest.param("interval: 5m", None, [300, 300, 300, 300], id="a built-in default never lowers the base"),
        pytest.param("collectors: {fast: {interval: 5s}}", None, [5, 5, 10, 60], id="the smallest is the base"),
        pytest.param(
            "collectors: {fast: {interval: 1s, enabled: false}}",
            None,
            [10, 10, 60],
            id="one that is off does not count",
        ),
        pytest.param("collectors: {slow_one: {interval: 20s}}", None, [10, 10, 10, 20], id="a multiple"),
        pytest.param(
            "collectors: {fast: {enabled: false}, other: {enabled: false}}",
            None,
            [60, 60],
            id="only a built-in default",
        ),
        pytest.param(
            "interval: 7s\ncollectors: {fast: {enabled: false}, other: {enabled: false}}",
            None,
            [63, 63],
            id="only a built-in default, rounded up",
        ),
        pytest.param(
            "collectors: {fast: {enabled: false}, other: {enabled: false}, slow_one: {enabled: false}}",
            None,
            [10],
            id="nothing is on",
        ),
        pytest.param("", 1, [1, 1, 1, 60], id="a flag sets the base"),
        pytest.param("", 90, [90, 90, 90, 90], id="a flag above a built-in default"),
        pytest.param("interval: 30s", 0.05, [0.05, 0.05, 0.05, 60], id="a flag wins over the file"),
        pytest.param("collectors: {slow_one: {interval: 60s}}", 7, [7, 7, 7, 63], id="a default written down is none"),
    ],
)
def test_intervals_are_whole_multiples_of_the_smallest(
    home: Path, text: str, flag: float | None, seconds: list[float]
) -> None:
    loaded_config = loaded(home, text, interval=None if flag is None else timedelta(seconds=flag))

    assert (intervals(loaded_config), loaded_config.warnings) == (seconds, ())


@pytest.mark.parametrize(
    "text", [pytest.param("", id="not written down"), pytest.param("interval: 10s\n", id="written down")]
)
def test_the_default_interval_gives_way_to_one_that_was_asked_for_and_says_so(home: Path, text: str) -> None:
    loaded_config = loaded(home, text + "collectors: {fast: {interval: 3s}}")

    assert (intervals(loaded_config), loaded_config.warnings) == (
        [3, 3, 12, 60],
        (
            "interval 10s is no whole multiple of collectors.fast.interval 3s: write 9s or 12s; "
            "until then 12s holds for other",
        ),
    )


@pytest.mark.parametrize(
    ("text", "flag", "lines"),
    [
        pytest.param(
            "interval: 2s\ncollectors:\n  fast: {interval: 7s}\n  other: {interval: 3s}",
            None,
            [
                "sysmon.yaml:3:20: collectors.fast.interval 7s is no whole multiple of collectors.other.interval 3s: "
                "write 6s or 9s"
            ],
            id="no multiple of the smallest",
        ),
        pytest.param(
            "interval: 8s\ncollectors: {fast: {interval: 3s}}",
            None,
            ["sysmon.yaml:1:11: interval 8s is no whole multiple of collectors.fast.interval 3s: write 6s or 9s"],
            id="the general one",
        ),
        pytest.param(
            "collectors:\n  fast: {interval: 1s}\n  other: {interval: 12s}",
            5,
            [
                "sysmon.yaml:2:20: collectors.fast.interval 1s is no whole multiple of --interval 5s: write 5s",
                "sysmon.yaml:3:21: collectors.other.interval 12s is no whole multiple of --interval 5s: "
                "write 10s or 15s",
            ],
            id="against the flag",
        ),
        pytest.param("", 0.005, ["--interval: 5ms is out of range: write 10ms to 1d"], id="a flag too short"),
        pytest.param("", 0, ["--interval: 0s is out of range: write 10ms to 1d"], id="a flag of nothing"),
        pytest.param("", 90000, ["--interval: 1d1h is out of range: write 10ms to 1d"], id="a flag too long"),
    ],
)
def test_intervals_that_do_not_fit_are_refused_with_the_nearest_that_do(
    home: Path, text: str, flag: float | None, lines: list[str]
) -> None:
    assert refused(home, text, interval=None if flag is None else timedelta(seconds=flag)) == lines


def test_everything_that_is_wrong_is_told_at_once_in_the_order_of_the_file(home: Path) -> None:
    text = "intervall: 1s\nstorage:\n  rotation: 7m\n  formats: [xml]\nlogging: {level: 5}\n"

    assert refused(home, text, {"SYSMON_LOG_FORMAT": "xml"}) == [
        "SYSMON_LOG_FORMAT: logging.format: 'xml' is not known: known are json, text",
        "sysmon.yaml:1:1: unknown key 'intervall' in the configuration: did you mean 'interval'?",
        "sysmon.yaml:3:13: storage.rotation: 7m does not divide a day into equal parts: write 15m, 1h, 6h or 1d",
        "sysmon.yaml:4:13: storage.formats: 'xml' is not known: known are csv, jsonl",
        "sysmon.yaml:5:18: logging.level: '5' is not known: known are debug, error, info, warning",
    ]
