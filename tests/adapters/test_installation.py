"""What to type for an extra follows from where the program came from, and other programs of its name are seen."""

import json
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sysmon.adapters.installation import DISTRIBUTION, EXTRAS, Programs, extra_line, programs

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that packages are imported from."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def installed(site: Path, record: Mapping[str, Any] | None, package: Path | None = None) -> str:
    """Return the end of the line for SQL where an installer left this record of where it took the program from."""
    metadata = site / "sysmon_recorder-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: 0.1.0\n")
    if record is not None:
        (metadata / "direct_url.json").write_text(json.dumps(record))
    return ending(package or site / "sysmon")


def ending(package: Path) -> str:
    """Return what follows the installer in the line for SQL."""
    return extra_line("sql", package=package).partition(" install ")[2].removeprefix(f"--python {sys.executable} ")


def checkout(folder: Path) -> Path:
    """Make a folder look like the source, and return it."""
    (folder / "sysmon").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    return folder


def test_a_checkout_that_was_installed_is_named_with_the_extra(site: Path, tmp_path: Path) -> None:
    source = checkout(tmp_path / "my source")

    line = installed(site, {"url": source.as_uri(), "dir_info": {}})

    assert line == f"'{source}[sql]'"


def test_an_editable_checkout_stays_editable(site: Path, tmp_path: Path) -> None:
    source = checkout(tmp_path / "source")

    line = installed(site, {"url": source.as_uri(), "dir_info": {"editable": True}}, source / "sysmon")

    assert line == f"-e '{source}[sql]'"


@pytest.mark.parametrize(
    ("version", "named"),
    [
        pytest.param({"requested_revision": "main"}, "main", id="a branch"),
        pytest.param({}, COMMIT, id="only a commit"),
    ],
)
def test_a_git_url_is_named_with_what_was_asked_of_it(site: Path, version: dict[str, str], named: str) -> None:
    record = {"url": "https://git.example/sysmon", "vcs_info": {"vcs": "git", "commit_id": COMMIT, **version}}

    assert installed(site, record) == f"'{DISTRIBUTION}[sql] @ git+https://git.example/sysmon@{named}'"


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(None, id="from an index or a distribution's package"),
        pytest.param({"url": "file:///gone/source", "dir_info": {}}, id="the source is gone"),
        pytest.param({"url": "file:///srv/sysmon.whl", "archive_info": {}}, id="from a wheel"),
    ],
)
def test_where_no_source_is_left_the_parts_of_the_extra_are_named(site: Path, record: dict[str, Any] | None) -> None:
    assert installed(site, record) == "'duckdb>=2.0,<3' 'pytz>=2024.1'"


def test_a_checkout_that_is_not_installed_is_the_folder_it_is_imported_from(site: Path, tmp_path: Path) -> None:
    source, other = checkout(tmp_path / "source"), checkout(tmp_path / "other")

    beside = installed(site, {"url": other.as_uri(), "dir_info": {"editable": True}}, source / "sysmon")

    assert beside == f"'{source}[sql]'"


def test_the_line_installs_into_the_running_interpreter() -> None:
    assert sys.executable in extra_line("sql").split()


def test_pipx_adds_to_the_environment_that_it_made(tmp_path: Path) -> None:
    (tmp_path / "sysmon-recorder").mkdir()
    (tmp_path / "sysmon-recorder" / "pipx_metadata.json").touch()
    python, source = tmp_path / "sysmon-recorder/bin/python", checkout(tmp_path / "source")

    line = extra_line("sql", python=str(python), package=source / "sysmon")

    assert line == f"pipx runpip sysmon-recorder install '{source}[sql]'"


def test_the_names_are_those_of_the_project() -> None:
    extras = PROJECT["optional-dependencies"]

    assert (DISTRIBUTION, {name: list(parts) for name, parts in EXTRAS.items()}) == (
        PROJECT["name"],
        {name: parts for name, parts in extras.items() if name != "dev"},
    )


def script(folder: Path) -> Path:
    """Write a program called sysmon."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sysmon"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_each_program_of_the_name_is_listed_once_in_the_order_of_the_path(tmp_path: Path) -> None:
    own, foreign = script(tmp_path / "own"), script(tmp_path / "foreign")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "sysmon").symlink_to(own)
    (tmp_path / "data" / "sysmon").mkdir(parents=True)
    path = ":".join(str(tmp_path / name) for name in ("data", "foreign", "links", "own", "foreign", "missing"))

    listed = programs({"PATH": path}, python=str(tmp_path / "own" / "python3"))

    assert listed == Programs(own, (foreign, own))


def test_an_installation_without_a_script_has_none(tmp_path: Path) -> None:
    foreign = script(tmp_path / "foreign")

    listed = programs({"PATH": str(foreign.parent)}, python=str(tmp_path / "python3"))

    assert listed == Programs(None, (foreign,))


def test_folders_of_the_path_that_cannot_be_searched_are_passed_over(tmp_path: Path) -> None:
    own = script(tmp_path / "own")
    path = os.pathsep.join([str(tmp_path / ("x" * 300)), str(own.parent)])  # fails for root too, as a closed one would

    listed = programs({"PATH": path}, python=str(own.parent / "python3"))

    assert listed == Programs(own, (own,))


INDEX = re.compile(
    r"(?:pipx? install|pipx run|uvx|uv tool install|uv add)(?: +-[\w-]+)* +['\"]?"
    r"sysmon(?:-recorder)?(?:\[\w+\])?(?![\w/.@\[-]| @)"
)
"""Commands that would fetch a package of that name from an index."""


def test_no_text_says_to_fetch_sysmon_from_an_index_by_its_name() -> None:
    kinds = {".py", ".md", ".yaml", ".yml", ".toml", ".html", ".js", ".txt", ""}
    folders = ("sysmon", "docs", "config", "container", "benchmarks", "tests", ".ci", ".github")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    texts = [path for path in (*ROOT.glob("*.*"), *files) if path.is_file() and path.suffix in kinds]

    named = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts
        if path != Path(__file__)
        for match in INDEX.finditer(path.read_text("utf-8", "replace"))
    ]
    assert named == []


@pytest.mark.parametrize(
    ("text", "fetches"),
    [
        pytest.param("pip install sysmon", True, id="the old name"),
        pytest.param("pipx install 'sysmon-recorder[sql]'", True, id="with an extra"),
        pytest.param("python3 -m pip install -U sysmon-recorder", True, id="with a flag"),
        pytest.param("uvx sysmon top", True, id="uvx"),
        pytest.param("pip install 'sysmon-recorder[sql] @ git+https://git.example/sysmon'", False, id="a git URL"),
        pytest.param("uvx --from . sysmon top", False, id="a program of a checkout"),
        pytest.param("pipx install .", False, id="a checkout"),
    ],
)
def test_a_command_that_fetches_by_name_is_known_when_seen(text: str, fetches: bool) -> None:
    assert bool(INDEX.search(text)) == fetches
