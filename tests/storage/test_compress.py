import gzip
import os
from pathlib import Path

import pytest

from sysmon.storage.compress import compress, write_compressed
from sysmon.storage.lock import claim

NAME = "cpu-20261120T120000Z-1h.jsonl"
TEXT = b'{"timestamp":"2026-11-20T12:00:00.000Z"}\n' * 20_000 + b'{"torn'


def left(folder: Path) -> dict[str, bytes]:
    """Return what is in a folder, unpacked."""
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in contents.items()}


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(TEXT)
    return path


@pytest.mark.parametrize(
    "content", [pytest.param(TEXT, id="text"), pytest.param(b"", id="empty"), pytest.param(os.urandom(10**6), id="any")]
)
def test_a_finished_file_becomes_its_packed_form_byte_for_byte(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))

    done = compress(path)

    (packed,) = tmp_path.iterdir()
    assert (done, left(tmp_path), packed.stat().st_mtime, packed.stat().st_mode & 0o777) == (
        True,
        {f"{NAME}.gz": content},
        1_700_000_000,
        0o640,
    )


def test_a_file_that_a_writer_holds_is_left_alone(text: Path) -> None:
    with text.open("ab") as file:
        claim(file.fileno())

        done = compress(text)

    assert (done, left(text.parent)) == (False, {NAME: TEXT})


def test_after_a_crash_between_packing_and_deleting_the_whole_packed_form_is_kept(text: Path) -> None:
    packed = text.with_name(f"{NAME}.gz")
    packed.write_bytes(gzip.compress(TEXT, 1))
    before = packed.read_bytes()

    compress(text)

    assert {path.name: path.read_bytes() for path in text.parent.iterdir()} == {f"{NAME}.gz": before}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"", id="empty"),
        pytest.param(gzip.compress(TEXT)[:-3], id="cut"),
        pytest.param(b"no gzip", id="not packed"),
        pytest.param(gzip.compress(TEXT)[:-8] + bytes(8), id="a wrong checksum"),
        pytest.param(gzip.compress(TEXT) + b"more", id="garbage after it"),
    ],
)
def test_a_broken_packed_form_is_made_anew_from_the_text(text: Path, broken: bytes) -> None:
    text.with_name(f"{NAME}.gz").write_bytes(broken)

    compress(text)

    assert left(text.parent) == {f"{NAME}.gz": TEXT}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(TEXT)
    link = tmp_path / NAME
    link.symlink_to(tmp_path / "precious")

    with pytest.raises(OSError, match="symbolic links"):
        compress(link)

    assert (tmp_path / "precious").read_bytes() == TEXT


def test_what_a_killed_process_left_half_made_is_made_anew(text: Path) -> None:
    (text.parent / f".{NAME}.gz.tmp").write_bytes(b"half")

    compress(text)

    assert left(text.parent) == {f"{NAME}.gz": TEXT}


def test_what_is_stored_packed_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "cpu-20261120.jsonl.gz"
    write_compressed(path, b"old\n")

    write_compressed(path, b"new\n")

    assert left(tmp_path) == {path.name: b"new\n"}
