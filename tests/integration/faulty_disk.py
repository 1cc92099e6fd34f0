"""Stands between a process and its files: counts the calls that reach a folder, and makes one of them the last or fail.

The functions of `os` are wrapped before sysmon is imported, so that it takes them for the real ones; tests compare
what is counted here with what strace sees.
"""

import builtins
import errno
import functools
import io
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

CALLS = {
    "open": "openat",
    "write": "write",
    "pwrite": "pwrite64",
    "fdatasync": "fdatasync",
    "fsync": "fsync",
    "rename": "rename",
    "replace": "rename",
    "unlink": "unlink",
    "ftruncate": "ftruncate",
    "fchmod": "fchmod",
    "chmod": "chmod",
    "mkdir": "mkdir",
    "utime": "utimensat",
}
"""The functions of `os` that change what is on a disk, and the kernel's calls behind them."""


class Fate(StrEnum):
    """What becomes of a call. A disk that is full for ever refuses that kind of call; one that is dead refuses all."""

    KILL = "kill"
    TORN = "kill after half a write"
    SHORT = "half a write"
    EIO = "EIO once"
    ENOSPC = "ENOSPC once"
    DEAD = "EIO for ever"
    FULL = "ENOSPC for ever"

    @property
    def once(self) -> bool:
        """Say whether the disk is well again afterwards."""
        return self in {Fate.SHORT, Fate.EIO, Fate.ENOSPC}

    @property
    def deadly(self) -> bool:
        """Say whether the process ends with it."""
        return self in {Fate.KILL, Fate.TORN}


@dataclass(frozen=True, slots=True)
class Point:
    """The call at which something happens, counted over all threads from 1; fates of writes take the next write."""

    number: int
    fate: Fate


class FaultyDisk:
    """Wraps the file calls of this process; they do what they always did until it is told of a folder.

    `seen` are the calls that reached the folder. What was wholly written to files that are `watched` is noted in
    another file by then, outside the folder: the process may not live to tell.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._folder = ""
        self._point: Point | None = None
        self._kind = ""
        self._met = False
        self._watched: Callable[[str], bool] = bool
        self._notes = -1
        self._lock = threading.RLock()
        self._really = {name: getattr(os, name) for name in CALLS}
        for name in CALLS:
            setattr(os, name, self._wrapped(name, self._really[name]))
        opening = self._wrapped("open", io.open)
        io.open = builtins.open = opening  # the same call, for those who read text

    def begin(self, folder: Path, point: Point | None, *, watched: Callable[[str], bool], notes: Path) -> None:
        """Count from now on, and let the point come."""
        self._notes = self._really["open"](notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._folder, self._point, self._watched = str(folder), point, watched

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def call(*arguments: Any, **options: Any) -> Any:
            path = self._path(name, arguments[0]) if self._folder else ""
            if not path.startswith(self._folder) or not self._folder:
                return real(*arguments, **options)
            with self._lock:
                self.seen.append(CALLS[name])
                half = self._meet(name, arguments)
                done = real(*arguments, **options) if half is None else half
                if name == "write" and self._watched(path) and done == len(arguments[1]):
                    self._really["write"](self._notes, arguments[1])
                return done

        return call

    def _path(self, name: str, file: Any) -> str:
        if name == "open" and isinstance(file, int):
            return ""  # a descriptor becomes a file object: no call
        return str(Path(f"/proc/self/fd/{file}").readlink()) if isinstance(file, int) else os.fspath(file)

    def _meet(self, name: str, arguments: tuple[Any, ...]) -> int | None:
        """Do to a call what is due: end the process, raise, return how much of a write was done; None lets it go on."""
        point = self._point
        if point is None or len(self.seen) < point.number:
            return None
        if point.fate in {Fate.TORN, Fate.SHORT}:
            return self._write_half(*arguments, deadly=point.fate.deadly) if name == "write" and not self._met else None
        if point.fate is Fate.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        first, self._met = not self._met, True
        self._kind = name if first else self._kind
        if first or point.fate is Fate.DEAD or (point.fate is Fate.FULL and name == self._kind):
            number = errno.EIO if point.fate in {Fate.EIO, Fate.DEAD} else errno.ENOSPC
            raise OSError(number, os.strerror(number))
        return None

    def _write_half(self, descriptor: int, data: bytes, *, deadly: bool) -> int:
        self._met = True
        done: int = self._really["write"](descriptor, data[: len(data) // 2])
        if deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
