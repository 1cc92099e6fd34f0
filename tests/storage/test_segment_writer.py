import errno
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sysmon.datadir.segments import Form
from sysmon.storage.lock import claim
from sysmon.storage.segment_writer import CopyError, SegmentWriter

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOTH = (Form.JSONL, Form.CSV)


def _stream(folder: Path, *, forms: tuple[Form, ...] = BOTH, max_bytes: int = 1000, minutes: int = 60) -> SegmentWriter:
    heads: dict[Form, Callable[[datetime], bytes]] = {Form.JSONL: lambda _at: b"", Form.CSV: lambda _at: b"head\n"}
    return SegmentWriter(
        folder / "cpu",
        {form: heads[form] for form in forms},
        period=timedelta(minutes=minutes),
        max_bytes=max_bytes,
    )


def _append(stream: SegmentWriter, seconds: float, text: str, forms: tuple[Form, ...] = BOTH) -> None:
    stream.append(NOON + timedelta(seconds=seconds), dict.fromkeys(forms, text.encode()))


def _files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((folder / "cpu").iterdir())}


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            claim(file.fileno())
        except BlockingIOError:
            return True
    return False


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """Have the kernel cut writes at a file size, as a quota does (setrlimit(2); Python ignores SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_segment_is_named_by_its_first_instant_and_both_forms_share_its_stem(tmp_path: Path) -> None:
    stream = _stream(tmp_path)
    _append(stream, 10.5, "a\n")
    _append(stream, 20, "b\n")

    assert _files(tmp_path) == {
        "cpu-20261120T120010Z-1h.csv": "head\na\nb\n",
        "cpu-20261120T120010Z-1h.jsonl": "a\nb\n",
    }


def test_the_next_period_begins_a_new_segment(tmp_path: Path) -> None:
    stream = _stream(tmp_path, forms=(Form.JSONL,), minutes=1)
    for seconds in (10, 59.999, 60, 125):
        _append(stream, seconds, f"{seconds}\n", (Form.JSONL,))

    assert _files(tmp_path) == {
        "cpu-20261120T120010Z-1m.jsonl": "10\n59.999\n",
        "cpu-20261120T120100Z-1m.jsonl": "60\n",
        "cpu-20261120T120205Z-1m.jsonl": "125\n",
    }


def test_a_full_segment_is_followed_by_another_of_both_forms(tmp_path: Path) -> None:
    stream = _stream(tmp_path, max_bytes=8)
    for seconds in (10, 10.2, 10.4):
        _append(stream, seconds, "1234\n")

    assert _files(tmp_path) == {
        "cpu-20261120T120010Z-1h-2.csv": "head\n1234\n",
        "cpu-20261120T120010Z-1h-2.jsonl": "1234\n",
        "cpu-20261120T120010Z-1h-3.csv": "head\n1234\n",
        "cpu-20261120T120010Z-1h-3.jsonl": "1234\n",
        "cpu-20261120T120010Z-1h.csv": "head\n1234\n",
        "cpu-20261120T120010Z-1h.jsonl": "1234\n",
    }


def test_a_file_that_another_run_left_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    left = tmp_path / "cpu" / "cpu-20261120T120010Z-1h.csv"
    left.write_text("head\ntorn")
    _append(_stream(tmp_path), 10, "a\n")

    assert (left.read_text(), sorted(_files(tmp_path))[:2]) == (
        "head\ntorn",
        ["cpu-20261120T120010Z-1h-2.csv", "cpu-20261120T120010Z-1h-2.jsonl"],
    )


def test_an_instant_before_the_segment_begins_a_new_one(tmp_path: Path) -> None:
    stream = _stream(tmp_path, forms=(Form.JSONL,))
    _append(stream, 3600, "late\n", (Form.JSONL,))
    _append(stream, 0, "early\n", (Form.JSONL,))

    assert list(_files(tmp_path)) == ["cpu-20261120T120000Z-1h.jsonl", "cpu-20261120T130000Z-1h.jsonl"]


def test_files_are_for_the_owner_and_the_group(tmp_path: Path) -> None:
    _append(_stream(tmp_path), 0, "a\n")

    paths = [tmp_path / "cpu", *sorted((tmp_path / "cpu").iterdir())]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o750, 0o640, 0o640]


def test_a_write_that_is_cut_short_leaves_whole_lines_and_the_next_goes_to_a_new_file(tmp_path: Path) -> None:
    stream = _stream(tmp_path, forms=(Form.JSONL,))
    _append(stream, 1, "first\n", (Form.JSONL,))
    with _largest_file(10), pytest.raises(OSError, match="No space left"):
        _append(stream, 2, "second is long\n", (Form.JSONL,))
    _append(stream, 3, "third\n", (Form.JSONL,))

    assert _files(tmp_path) == {
        "cpu-20261120T120001Z-1h.jsonl": "first\n",
        "cpu-20261120T120003Z-1h.jsonl": "third\n",
    }


def test_a_copy_that_cannot_be_written_is_told_and_the_row_is_stored_once(tmp_path: Path) -> None:
    stream = _stream(tmp_path)
    with _largest_file(10), pytest.raises(CopyError):
        _append(stream, 1, "1234567\n")
    _append(stream, 2, "same segment\n")
    _append(stream, 3600, "next\n")

    assert _files(tmp_path) == {
        "cpu-20261120T120001Z-1h.jsonl": "1234567\nsame segment\n",
        "cpu-20261120T130000Z-1h.csv": "head\nnext\n",
        "cpu-20261120T130000Z-1h.jsonl": "next\n",
    }


def test_copies_end_at_once_and_come_again_with_a_new_segment(tmp_path: Path) -> None:
    stream = _stream(tmp_path)
    _append(stream, 1, "a\n")
    stream.copy(on=False)
    _append(stream, 2, "b\n")
    stream.copy(on=True)
    _append(stream, 3, "c\n")

    assert _files(tmp_path) == {
        "cpu-20261120T120001Z-1h.csv": "head\na\n",
        "cpu-20261120T120001Z-1h.jsonl": "a\nb\n",
        "cpu-20261120T120003Z-1h.csv": "head\nc\n",
        "cpu-20261120T120003Z-1h.jsonl": "c\n",
    }


def test_a_disk_that_refuses_again_and_again_is_not_littered_with_empty_files(tmp_path: Path) -> None:
    stream = _stream(tmp_path)
    for seconds in range(5):
        with _largest_file(2), pytest.raises(OSError, match="No space left"):
            _append(stream, seconds, "1234567\n")

    assert _files(tmp_path) == {}


def test_a_file_that_was_moved_away_is_left_and_replaced(tmp_path: Path) -> None:
    stream = _stream(tmp_path, forms=(Form.JSONL,))
    _append(stream, 1, "a\n", (Form.JSONL,))
    (tmp_path / "cpu").rename(tmp_path / "old")
    _append(stream, 2, "b\n", (Form.JSONL,))

    assert ((tmp_path / "old" / "cpu-20261120T120001Z-1h.jsonl").read_text(), _files(tmp_path)) == (
        "a\n",
        {"cpu-20261120T120002Z-1h.jsonl": "b\n"},
    )


def test_an_open_file_carries_a_lock_and_a_finished_one_does_not(tmp_path: Path) -> None:
    stream = _stream(tmp_path, forms=(Form.JSONL,))
    _append(stream, 1, "a\n", (Form.JSONL,))
    (path,) = (tmp_path / "cpu").iterdir()

    locked = _is_locked(path)
    stream.close()

    assert (locked, _is_locked(path)) == (True, False)


def test_a_file_deleted_under_it_is_noticed_and_replaced(tmp_path: Path) -> None:
    stream = _stream(tmp_path, forms=(Form.JSONL,))
    _append(stream, 1, "a\n", (Form.JSONL,))
    (tmp_path / "cpu" / "cpu-20261120T120001Z-1h.jsonl").unlink()
    (tmp_path / "cpu").rmdir()
    _append(stream, 2, "b\n", (Form.JSONL,))

    assert _files(tmp_path) == {"cpu-20261120T120002Z-1h.jsonl": "b\n"}


def test_a_folder_that_is_a_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "cpu").write_text("in the way")

    with pytest.raises(OSError, match="exists") as error:
        _append(_stream(tmp_path), 1, "a\n")

    assert error.value.errno == errno.EEXIST
