"""Files of a data directory: what is no regular file is refused at once, and what is made belongs to its owner."""

import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sysmon.datadir.files import (
    create,
    give_owner,
    make_folder,
    open_regular,
    open_to_append,
    open_to_write,
    read_regular,
)
from tests.hanging import must_end

NOBODY = 65534
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others, or become another user")
Opener = Callable[[Path], object]
OPENERS: list[Opener] = [open_regular, open_to_append, open_to_write, lambda path: read_regular(path, most=9)]


@pytest.fixture(autouse=True)
def _nothing_waits() -> Iterator[None]:
    with must_end():
        yield


def make(kind: str, path: Path) -> None:
    """Put something that is no regular file at a path."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif kind == "link":
        (path.parent / "precious").write_bytes(b"precious")
        path.symlink_to(path.parent / "precious")
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "link to nothing":
        path.symlink_to(path.parent / "nothing")


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "link", "link to a device", "link to nothing"])
def test_what_is_no_regular_file_is_refused_at_once_and_named(tmp_path: Path, kind: str, opener: Opener) -> None:
    path = tmp_path / "file"
    make(kind, path)

    with pytest.raises(OSError, match=r"not a regular file|Is a directory|symbolic links are not followed") as refused:
        opener(path)

    left = {each.name for each in tmp_path.iterdir()} - {"precious"}
    assert (refused.value.filename, left) == (str(path), {"file"})


@pytest.mark.parametrize("opener", [open_to_append, open_to_write])
def test_a_file_with_a_second_name_is_not_written(tmp_path: Path, opener: Opener) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "lock").hardlink_to(tmp_path / "victim")

    with pytest.raises(OSError, match="hard link"):
        opener(tmp_path / "lock")

    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_no_descriptor_is_left_by_a_refusal(tmp_path: Path) -> None:
    make("folder", tmp_path / "file")
    before = len(list(Path("/dev/fd").iterdir()))

    for opener in OPENERS:
        with pytest.raises(OSError, match=r"file|directory"):
            opener(tmp_path / "file")

    assert len(list(Path("/dev/fd").iterdir())) == before


def test_a_file_is_read_whole_up_to_a_size(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")

    text = read_regular(tmp_path / "file", most=5)

    with pytest.raises(OSError, match="more than 4 bytes"):
        read_regular(tmp_path / "file", most=4)
    assert text == b"12345"


def test_what_is_opened_to_append_is_made_with_its_mode_and_goes_on_at_its_end(tmp_path: Path) -> None:
    for text in (b"first ", b"second"):
        descriptor = open_to_append(tmp_path / "file")
        os.write(descriptor, text)
        os.close(descriptor)

    mode = stat.S_IMODE((tmp_path / "file").stat().st_mode)
    assert ((tmp_path / "file").read_bytes(), mode) == (b"first second", 0o640)


@pytest.mark.needs_root
@ROOT
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)

    make_folder(tmp_path / "folder")
    for name, opener in {"a": create, "b": open_to_append, "c": open_to_write}.items():
        os.close(opener(tmp_path / "folder" / name))

    statuses = [path.stat() for path in (tmp_path / "folder", *(tmp_path / "folder").iterdir())]
    assert {(status.st_uid, status.st_gid) for status in statuses} == {(NOBODY, NOBODY)}
    assert len(statuses) == 4


@pytest.mark.needs_root
@ROOT
@pytest.mark.parametrize(
    ("mode", "group", "allowed"),
    [
        pytest.param(0o777, 0, False, id="open to all"),
        pytest.param(0o2775, 4321, True, id="a folder that hands on its group"),
    ],
)
def test_another_user_is_refused_unless_the_group_is_the_same(mode: int, group: int, allowed: bool) -> None:
    folder = Path("/tmp") / f"sysmon-owner-{os.getpid()}"
    folder.mkdir()
    os.chown(folder, 0, group)
    folder.chmod(mode)
    child = os.fork()
    if not child:
        code = 3
        try:
            os.setgroups([4321])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.close(create(folder / "file"))
            code = 0
        except PermissionError:
            code = 1
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    left = [path.name for path in folder.iterdir()]
    shutil.rmtree(folder)

    expected = (0, ["file"]) if allowed else (1, [])
    assert (os.waitstatus_to_exitcode(status), left) == expected


def test_ones_own_files_stay_as_they_are(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        before = os.fstat(file.fileno())
        give_owner(file.fileno(), tmp_path)

        assert os.fstat(file.fileno()) == before
