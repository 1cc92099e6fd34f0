"""What a host may not be called, and where the names of the data directory are written down."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sysmon.datadir import names
from sysmon.datadir.names import Cursors, DataEntry, HostEntry, host_folder_name
from sysmon.model import Origin
from sysmon.reading.catalog import find_host, hosts
from tests.reading.stored import LOAD, at, write_table

PACKAGE = Path(names.__file__).parents[1]
RESERVED = [
    *DataEntry,
    *HostEntry,
    Cursors.EXPORT.state("daily"),
    Cursors.EXPORT.lock("daily"),
    Cursors.FORWARD.state("hub"),
    names.temporary_name("format"),
]


@pytest.mark.parametrize("name", RESERVED)
def test_a_host_of_a_reserved_name_gets_another_folder_and_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    write_table(tmp_path, LOAD, [(at(0), [(1, 2)])], origin=Origin(host_folder_name(name)))
    (tmp_path / name).mkdir()

    (folder,) = hosts(tmp_path)

    assert (folder.startswith("host-"), find_host(tmp_path, name).name, find_host(tmp_path, None).name) == (
        True,
        folder,
        folder,
    )


@pytest.mark.parametrize("name", ["web-01.example.org", "export-01.example.org", "locks", "format.example.org", "cpu"])
def test_any_other_harmless_name_is_the_folders(name: str) -> None:
    assert host_folder_name(name) == name


def test_no_module_but_one_spells_a_name_of_the_data_directory_in_a_path() -> None:
    spelt = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in _literals_in_paths(path)
        if text in {*DataEntry, *HostEntry} or text.startswith(tuple(Cursors))
    ]

    assert spelt == []


def _literals_in_paths(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each text that is joined to a path by `/`, or the beginning of one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            right = node.right.values[0] if isinstance(node.right, ast.JoinedStr) else node.right
            if isinstance(right, ast.Constant) and isinstance(right.value, str):
                yield node.lineno, right.value
