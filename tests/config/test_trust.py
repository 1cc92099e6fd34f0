"""Whom root lets change what it runs: owners, modes, groups, links and folders above."""

import os
from pathlib import Path

import pytest

from sysmon import config
from sysmon.config import trust
from sysmon.config.trust import find_exposures, find_open_to_all, require_trusted
from sysmon.errors import ConfigError

STRANGER = 65534
needs_root = pytest.mark.skipif(not trust.is_machine_root(), reason="only root can make files of others")


def write(path: Path, text: str = "", mode: int = 0o644) -> Path:
    """Write a file, and the folders above it, all to be written by their owner only."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def load(file: Path) -> config.Config:
    """Read a configuration file, with nothing from elsewhere."""
    return config.load(config=file, environ={})


def refusal(file: Path) -> str | None:
    """Return why root does not use a configuration; None where it does."""
    try:
        require_trusted(load(file), {"PATH": os.defpath})
    except ConfigError as error:
        return str(error)
    return None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a configuration, rules and a program."""
    write(tmp_path / "conf" / "notify.sh", "#!/bin/sh\n", 0o755)
    write(tmp_path / "conf" / "rules.yaml", "rules: []\n")
    write(tmp_path / "conf" / "sysmon.yaml", f"notify: {{command: [{tmp_path}/conf/notify.sh]}}\n")
    return tmp_path / "conf"


@needs_root
def test_files_of_roots_are_used(folder: Path) -> None:
    assert refusal(folder / "sysmon.yaml") is None


@needs_root
@pytest.mark.parametrize("name", ["sysmon.yaml", "rules.yaml", "notify.sh"])
def test_a_file_that_everybody_may_write_is_refused(folder: Path, name: str) -> None:
    (folder / name).chmod(0o777)

    assert refusal(folder / "sysmon.yaml") == (
        f"{folder / name}: everybody may change it, and root would run what it says: chmod o-w {folder / name}"
    )


@needs_root
@pytest.mark.parametrize(
    ("name", "flag"),
    [("sysmon.yaml", "--config"), ("rules.yaml", "--rules"), ("notify.sh", "notify.command")],
)
def test_a_file_of_somebody_else_is_refused_and_the_ways_out_are_named(folder: Path, name: str, flag: str) -> None:
    os.chown(folder / name, STRANGER, 0)

    assert refusal(folder / "sysmon.yaml") == (
        f"{folder / name}: user nobody may change it, and root would run what it says: "
        f"run sysmon as nobody, or name one with {flag} that only root may write, in a folder of root's"
    )


@needs_root
@pytest.mark.parametrize("above", ["conf", "."])
def test_a_folder_above_of_somebody_else_is_named(folder: Path, above: str) -> None:
    place = (folder.parent / above).resolve()
    os.chown(place, STRANGER, 0)

    assert (refusal(folder / "sysmon.yaml") or "").startswith(
        f"{folder / 'sysmon.yaml'}: user nobody may change it by way of {place}, and root"
    )


@needs_root
def test_a_group_counts_where_somebody_is_in_it(folder: Path) -> None:
    (folder / "sysmon.yaml").chmod(0o664)
    before = refusal(folder / "sysmon.yaml")
    os.chown(folder / "sysmon.yaml", 0, STRANGER)  # the group that is nobody's own

    refused = refusal(folder / "sysmon.yaml")

    assert (before, (refused or "").partition(":")[2].partition(",")[0]) == (None, " group nogroup may change it")


@needs_root
def test_a_link_of_roots_to_a_file_of_somebody_else_is_refused(folder: Path, tmp_path: Path) -> None:
    theirs = write(tmp_path / "theirs" / "sysmon.yaml")
    os.chown(theirs, STRANGER, 0)
    (tmp_path / "ours").mkdir(0o755)
    (tmp_path / "ours" / "sysmon.yaml").symlink_to(theirs)

    refused = refusal(tmp_path / "ours" / "sysmon.yaml") or ""

    assert refused.startswith(f"{tmp_path}/ours/sysmon.yaml: user nobody may change it by way of {theirs}, ")


@needs_root
def test_a_sticky_folder_of_all_is_safe_for_what_is_roots(folder: Path) -> None:
    folder.chmod(0o1777)
    refused = [refusal(folder / "sysmon.yaml")]
    folder.chmod(0o777)
    refused.append((refusal(folder / "sysmon.yaml") or "").partition(",")[0])

    assert refused == [None, f"{folder}/sysmon.yaml: everybody may change it by way of {folder}"]


@needs_root
def test_each_file_is_told_once_with_its_first_weakness(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        os.chown(path, STRANGER, 0)

    names = [exposure.place.name for exposure in find_exposures(load(folder / "sysmon.yaml"), {})]

    assert names == ["sysmon.yaml", "rules.yaml", "notify.sh"]


def test_what_everybody_may_write_is_found_by_any_user(folder: Path) -> None:
    before = list(find_open_to_all(load(folder / "sysmon.yaml"), {}))
    (folder / "rules.yaml").chmod(0o666)

    after = [str(exposure) for exposure in find_open_to_all(load(folder / "sysmon.yaml"), {})]

    assert (before, after) == ([], [f"{folder}/rules.yaml: everybody may change it"])
