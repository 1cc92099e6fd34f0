"""Mount table of this machine, read again only when the kernel says that it changed."""

import os
import select
from collections.abc import Callable
from pathlib import Path

from sysmon.collectors import _mounts
from sysmon.collectors._kernel_file import is_made_up
from sysmon.collectors._mounts import Mount
from sysmon.errors import Unavailable

_CHUNK = 65536


def poll_changed(descriptor: int) -> bool:
    """Ask poll(2) as proc_pid_mountinfo(5) has it: an open mountinfo is exceptional once after each change.

    A file on a disk (a recorded tree) never is; it may be another each time.
    """
    if not is_made_up(descriptor):
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLPRI)
    return bool(poll.poll(0))


class MountTable:
    """Keeps /proc/self/mountinfo open; `changed` says whether it has to be read again."""

    def __init__(self, path: Path, changed: Callable[[int], bool] = poll_changed) -> None:
        self._path = path
        self._changed = changed
        self._descriptor: int | None = None
        self._mounts: list[Mount] = []

    def changed(self) -> bool:
        """Say whether mounts came or went since this was last asked; the list is then a new one."""
        if self._descriptor is None:
            self._descriptor = self._open()
        elif not self._changed(self._descriptor):
            return False
        self._mounts = _mounts.find_visible(_mounts.parse_mountinfo(self._read(self._descriptor)))
        return True

    def mounts(self) -> list[Mount]:
        """Return the mounts that can be reached, as of the last look."""
        return self._mounts

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Unavailable(f"there is no {self._path}") from error

    def _read(self, descriptor: int) -> str:
        os.lseek(descriptor, 0, os.SEEK_SET)
        chunks = []
        while chunk := os.read(descriptor, _CHUNK):
            chunks.append(chunk)
        return b"".join(chunks).decode("utf-8", "surrogateescape")
