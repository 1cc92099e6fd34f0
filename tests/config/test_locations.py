"""Where the configuration, the rules and the data are found when nobody says."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sysmon import config
from sysmon.config import locations
from sysmon.errors import ConfigError

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder `here`; `home` lies beside it."""
    for folder in ("here", "home"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def write(path: Path, text: str = "") -> Path:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def make_checkout(here: Path) -> None:
    """Make a folder look like a checkout."""
    write(here / "setup.py")
    write(here / "sysmon" / "__init__.py")
    (here / "config").mkdir()


def environment(root: Path) -> dict[str, str]:
    """Return an environment that names every place."""
    return {
        "HOME": str(root / "home"),
        "SYSMON_CONFIG": str(root / "variable.yaml"),
        "CONFIGURATION_DIRECTORY": f"{root / 'unit'}:/elsewhere",
        "XDG_CONFIG_HOME": str(root / "xdg"),
        "STATE_DIRECTORY": f"{root / 'state'}:/elsewhere",
        "XDG_STATE_HOME": str(root / "xdg-state"),
    }


def test_the_nearest_configuration_file_wins(root: Path) -> None:
    make_checkout(root / "here")
    environ = environment(root)
    flag = write(root / "flag.yaml")
    places = [
        write(root / "variable.yaml"),
        write(root / "unit" / "sysmon.yaml"),
        Path("config/sysmon.yaml"),
        write(root / "xdg" / "sysmon" / "sysmon.yaml"),
    ]
    write(root / "here" / "config" / "sysmon.yaml")
    package = root / "here" / "sysmon"

    paths = [locations.config_file(flag, environ), locations.config_file(None, environ, package=package)]
    del environ["SYSMON_CONFIG"]
    for place in places[1:]:
        paths.append(locations.config_file(None, environ, package=package))
        place.unlink()

    assert paths == [flag, *places]


def test_a_folder_that_only_looks_like_a_checkout_is_none(root: Path) -> None:
    make_checkout(root / "here")
    write(root / "here" / "config" / "sysmon.yaml")
    environ = {"HOME": str(root / "home"), "SYSMON_SYSTEM_ROOT": str(root)}

    paths = [
        locations.config_file(None, environ),
        locations.usual_data_dir(environ),
        locations.usual_config_folder({**environ, "XDG_CONFIG_HOME": str(root / "xdg")}),
    ]

    new = root / "etc" / "sysmon" if os.geteuid() == 0 else root / "xdg" / "sysmon"
    assert paths == [None, root / "home/.local/state/sysmon", new]


@pytest.mark.parametrize(
    ("package", "mode", "counts"),
    [
        pytest.param("here/sysmon", 0o755, True, id="imported from it"),
        pytest.param("here/.venv/lib/python3.13/site-packages/sysmon", 0o755, True, id="from an environment in it"),
        pytest.param("here/sysmon", 0o1777, False, id="where strangers can write beside it"),
        pytest.param("usr/lib/python3/site-packages/sysmon", 0o755, False, id="from elsewhere"),
    ],
)
def test_only_the_checkout_that_the_program_came_from_counts(root: Path, package: str, mode: int, counts: bool) -> None:
    make_checkout(root / "here")
    (root / package).mkdir(parents=True, exist_ok=True)
    (root / "here").chmod(mode)

    assert locations.in_checkout(root / package) is counts


def test_the_machines_own_configuration_is_the_last_that_is_looked_for(root: Path) -> None:
    for_all = write(root / "machine" / "etc" / "sysmon" / "sysmon.yaml")
    environ = {"HOME": str(root / "home"), "SYSMON_SYSTEM_ROOT": str(root / "machine")}

    paths = [locations.config_file(None, environ)]
    own = write(root / "home" / ".config" / "sysmon" / "sysmon.yaml")
    paths.append(locations.config_file(None, environ))

    assert paths == [for_all, own]


def test_the_home_folder_holds_the_configuration_where_xdg_names_none(root: Path) -> None:
    at_home = write(root / "home" / ".config" / "sysmon" / "sysmon.yaml")

    assert locations.config_file(None, {"HOME": str(root / "home"), "XDG_CONFIG_HOME": "relative"}) == at_home


@pytest.mark.parametrize(
    ("flag", "variable", "line"),
    [
        pytest.param(
            "a.yaml", "b.yaml", "a.yaml: named by --config and not there: name another file or create it", id="flag"
        ),
        pytest.param(
            None,
            "b.yaml",
            "b.yaml: named by SYSMON_CONFIG and not there: name another file or create it",
            id="variable",
        ),
        pytest.param(
            "a\0.yaml", "", "a\\x00.yaml: named by --config and not there: name another file or create it", id="a NUL"
        ),
    ],
)
def test_a_file_that_is_named_must_be_there(root: Path, flag: str | None, variable: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        locations.config_file(Path(flag) if flag else None, {"SYSMON_CONFIG": variable})

    assert str(refused.value) == line


def without(*names: str) -> Callable[[Mapping[str, str]], dict[str, str]]:
    """Return what drops variables."""
    return lambda environ: {name: value for name, value in environ.items() if name not in names}


@pytest.mark.parametrize(
    ("flag", "variable", "file", "change", "checkout", "expected"),
    [
        pytest.param("flagged", "named", "of-file", without(), True, "checkout/flagged", id="the flag"),
        pytest.param(None, "named", "of-file", without(), True, "checkout/named", id="the variable"),
        pytest.param(None, None, "of-file", without(), True, "conf/of-file", id="the file, from its folder"),
        pytest.param(None, None, "~/of-file", without(), True, "home/of-file", id="the home folder"),
        pytest.param(None, None, None, without(), True, "state", id="the unit's folder"),
        pytest.param(None, None, None, without("STATE_DIRECTORY"), True, "checkout/data", id="the checkout's"),
        pytest.param(None, None, None, without("STATE_DIRECTORY"), False, "xdg-state/sysmon", id="the XDG folder"),
        pytest.param(
            None,
            None,
            None,
            without("STATE_DIRECTORY", "XDG_STATE_HOME"),
            False,
            "home/.local/state/sysmon",
            id="the home's state folder",
        ),
    ],
)
def test_run_and_readers_look_for_the_data_in_the_same_place(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    flag: str | None,
    variable: str | None,
    file: str | None,
    change: Callable[[Mapping[str, str]], dict[str, str]],
    checkout: bool,
    expected: str,
) -> None:
    for own in (
        "xdg-state/sysmon/web-01",
        "home/.local/state/sysmon/web-01",
    ):  # a service of this very machine is not asked then
        (root / own).mkdir(parents=True)
    if checkout:
        monkeypatch.chdir(PROJECT)
    named = write(root / "conf" / "my.yaml", f"data_dir: {file or ''}\n")
    environ = change(environment(root)) | ({"SYSMON_DATA_DIR": variable} if variable else {})
    data = Path(flag) if flag else None

    of_run = config.load(config=named, data=data, environ=environ).data_dir
    of_readers = config.data_dir(data, named, environ)

    place, _, rest = expected.partition("/")
    path = PROJECT / rest if place == "checkout" else root / expected
    assert (of_run, of_readers) == (path, path)


def test_who_has_no_samples_looks_at_those_of_the_machines_service(root: Path) -> None:
    environ, service = {"HOME": str(root / "home"), "SYSMON_SYSTEM_ROOT": str(root)}, root / "var/lib/sysmon"
    own = root / "home/.local/state/sysmon"

    paths = [locations.usual_data_dir(environ)]
    service.mkdir(parents=True)
    paths.append(locations.usual_data_dir(environ))
    own.mkdir(parents=True)
    (own / "lock").touch()
    paths.append(locations.usual_data_dir(environ))
    (own / "web-01").mkdir()
    paths.append(locations.usual_data_dir(environ))

    assert paths == [own, service, service, own]


def test_readers_are_not_held_up_by_mistakes_elsewhere_in_the_file(root: Path) -> None:
    named = write(root / "my.yaml", "data_dir: samples\nintervall: 5\n")

    assert config.data_dir(None, named, {}) == root / "samples"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("data_dir: [a]\n", "my.yaml:1:11: data_dir is a list: write a single value", id="a list"),
        pytest.param("a: 1\na: 2\n", "my.yaml:2:1: key 'a' again (first in line 1): keep one", id="no YAML"),
    ],
)
def test_readers_say_where_they_cannot_tell_the_place(root: Path, text: str, line: str) -> None:
    write(Path("my.yaml"), text)

    with pytest.raises(ConfigError) as refused:
        config.data_dir(None, Path("my.yaml"), {})

    assert str(refused.value) == line


def test_rules_are_the_named_ones_then_those_beside_the_file_then_those_that_came_along(root: Path) -> None:
    named = write(root / "conf" / "my.yaml", "rules: sub/mine.yaml\n")
    environ = {"HOME": str(root / "home")}

    paths = [config.load(config=named, rules=Path("flag.yaml"), environ=environ).rules]
    paths.append(config.load(config=named, environ=environ).rules)
    named.write_text("")
    beside = write(root / "conf" / "rules.yaml")
    paths.append(config.load(config=named, environ=environ).rules)
    beside.unlink()
    paths.append(config.load(config=named, environ=environ).rules)

    assert paths == [
        root / "here" / "flag.yaml",
        root / "conf" / "sub" / "mine.yaml",
        root / "conf" / "rules.yaml",
        PROJECT / "config" / "rules.yaml",
    ]
