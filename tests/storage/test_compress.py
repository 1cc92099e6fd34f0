import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from sysmon.storage.compress import compress, write_compressed
from sysmon.storage.lock import claim
from tests.hanging import must_end

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
    "older",
    [
        pytest.param(gzip.compress(TEXT[:4321]), id="the beginning"),
        pytest.param(gzip.compress(TEXT[:4321])[:-3], id="the beginning, cut"),
        pytest.param(gzip.compress(TEXT[:4321]) + gzip.compress(TEXT[4321:9000]), id="the beginning, in two members"),
        pytest.param(gzip.compress(b""), id="nothing"),
    ],
)
def test_a_packed_form_of_a_text_that_grew_on_is_made_anew(text: Path, older: bytes) -> None:
    text.with_name(f"{NAME}.gz").write_bytes(older)

    compress(text)

    assert left(text.parent) == {f"{NAME}.gz": TEXT}


def test_a_packed_form_that_holds_more_than_the_text_is_kept(text: Path) -> None:
    text.with_name(f"{NAME}.gz").write_bytes(gzip.compress(TEXT) + gzip.compress(b"more\n"))

    compress(text)

    assert left(text.parent) == {f"{NAME}.gz": TEXT + b"more\n"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(b'{"another":1}\n' + TEXT, id="other rows"),
        pytest.param(TEXT[:4321] + b"?" + TEXT[4322:], id="one byte"),
        pytest.param(TEXT[:-1] + b"?", id="the last byte"),
    ],
)
def test_a_packed_form_with_other_rows_is_told_and_both_are_kept(text: Path, other: bytes) -> None:
    text.with_name(f"{NAME}.gz").write_bytes(gzip.compress(other))

    with pytest.raises(OSError, match="holds other rows: move one of the two away"):
        compress(text)

    assert left(text.parent) == {NAME: TEXT, f"{NAME}.gz": other}


def test_more_rows_than_the_text_has_are_not_replaced_because_the_packed_form_is_broken_after_them(text: Path) -> None:
    broken = gzip.compress(TEXT + os.urandom(10**6))[:-100]
    text.with_name(f"{NAME}.gz").write_bytes(broken)

    with pytest.raises(OSError, match="holds other rows"):
        compress(text)

    assert text.with_name(f"{NAME}.gz").read_bytes() == broken


def test_a_text_that_somebody_appends_to_meanwhile_stays(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.utime

    def append(*arguments: Any, **options: Any) -> None:  # the last thing that is done to the packed form
        really(*arguments, **options)
        with text.open("ab") as file:
            file.write(b"late")

    monkeypatch.setattr(os, "utime", append)

    with pytest.raises(OSError, match="changed while it was compressed"):
        compress(text)

    monkeypatch.undo()
    compress(text)
    assert left(text.parent) == {f"{NAME}.gz": TEXT + b"late"}


@pytest.mark.parametrize("place", [NAME, f"{NAME}.gz"])
def test_a_fifo_is_not_waited_for(text: Path, place: str) -> None:
    path = text.parent / place
    path.unlink(missing_ok=True)
    os.mkfifo(path)

    with must_end(), pytest.raises(OSError, match="not a regular file"):
        compress(text)

    assert path.is_fifo()


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
