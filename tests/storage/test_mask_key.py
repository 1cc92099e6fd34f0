"""The key of the mask: made once, for its owner only, and never replaced in silence."""

import re
import stat
from pathlib import Path

import pytest

from sysmon.errors import StorageError
from sysmon.storage.mask_key import FILE, mask_key


def test_a_key_is_made_once_and_stays(tmp_path: Path) -> None:
    first = mask_key(tmp_path)

    assert (mask_key(tmp_path), len(first), sorted(path.name for path in tmp_path.iterdir())) == (first, 32, [FILE])


def test_two_directories_have_two_keys(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()

    assert mask_key(tmp_path / "a") != mask_key(tmp_path / "b")


def test_only_its_owner_may_read_it_whatever_was_left_behind(tmp_path: Path) -> None:
    left = tmp_path / f".{FILE}.tmp"
    left.touch(0o666)
    left.chmod(0o666)

    mask_key(tmp_path)

    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("ab" * 31, id="too short"),
        pytest.param("ab" * 33, id="too long"),
        pytest.param("xy" * 32, id="no hex digits"),
        pytest.param("é" * 64, id="no ASCII"),
    ],
)
def test_what_is_no_key_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)

    with pytest.raises(StorageError, match=re.escape(f"{tmp_path / FILE}: this is no key of `mask`: bring back")):
        mask_key(tmp_path)

    assert (tmp_path / FILE).read_text() == text


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    mask_key(tmp_path)
    (tmp_path / FILE).chmod(mode)

    with pytest.raises(StorageError, match=f"others may read the key of `mask` .mode {mode:04o}.*chmod 600"):
        mask_key(tmp_path)


def test_a_link_in_place_of_the_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("ab" * 32)
    (tmp_path / FILE).symlink_to(tmp_path / "theirs")

    with pytest.raises(StorageError, match="symbolic links are not followed"):
        mask_key(tmp_path)


def test_where_no_key_can_be_made_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refused:
        mask_key(tmp_path / "nowhere")

    said = f"{tmp_path}/nowhere/{FILE}: the key of `mask` cannot be read or made (No such file or directory)"
    assert str(refused.value) == f"{said}: mend its permissions"
