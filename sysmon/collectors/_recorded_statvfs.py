"""Recorded answers of statvfs(3): a file of a tree that was copied from a machine.

The file is `statvfs.json` in the folder that stands for `/`: an object of mountpoints, each with the fields of statvfs
(`{"/srv": {"f_frsize": 4096, "f_blocks": 1000, "f_bfree": 400, "f_bavail": 350, "f_files": 100, "f_ffree": 75}}`). A
mountpoint that is not in it did not answer. Nothing of this machine is asked then.
"""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sysmon.collectors._slow_mounts import Answer
from sysmon.model import Notice

_FIELDS = ("f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree")


def find_recorded(root: Path) -> "RecordedStatvfs | None":
    """Return the answers below a folder that stands for `/`; None for this machine, and where none were recorded."""
    path = root / "statvfs.json"
    return RecordedStatvfs(root, path) if root != Path("/") and path.is_file() else None


class RecordedStatvfs:
    """Answers for mounts that answer at once, when called, and for those that may hang, by `ask`."""

    def __init__(self, root: Path, path: Path) -> None:
        self._root = str(root)
        self._path = path

    def __call__(self, path: str) -> Any:
        """Return the answer for a path below the folder; raise OSError where there is none."""
        return SimpleNamespace(**dict(zip(_FIELDS, self._answer(path.removeprefix(self._root)), strict=True)))

    def ask(self, mountpoints: Iterable[str]) -> dict[str, Answer]:
        """Return the answers that there are."""
        recorded = self._read()
        return {name: _answer(recorded[name]) for name in mountpoints if name in recorded}

    def take_notices(self) -> tuple[Notice, ...]:
        """Return nothing: no mount of a tree hangs."""
        return ()

    def close(self) -> None:
        """Do nothing: nobody is asked."""

    def _answer(self, mountpoint: str) -> Answer:
        recorded = self._read()
        if mountpoint not in recorded:
            raise FileNotFoundError(f"{self._path} has no answer for {mountpoint}")
        return _answer(recorded[mountpoint])

    def _read(self) -> dict[str, dict[str, int]]:
        import json  # only trees have such a file

        return dict(json.loads(self._path.read_bytes()))


def _answer(fields: dict[str, int]) -> Answer:
    return tuple([fields[name] for name in _FIELDS])
