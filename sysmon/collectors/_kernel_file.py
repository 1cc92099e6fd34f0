"""Kernel files that are read at every tick: they stay open, because opening one costs more than reading it."""

import os
from collections.abc import Callable
from pathlib import Path

from sysmon.errors import Unavailable

_CHUNK = 32 * 1024
SHORT = 4096
"""Bytes that a short file has at most."""


class Descriptor:
    """The number of an open file, which is closed when nobody holds this any more."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.number)


class KernelFile:
    """One file, read whole again and again; after a failure it is opened anew."""

    __slots__ = ("_kept", "_path")

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._kept: Descriptor | None = None

    def read(self) -> bytes:
        """Return what it says now; raise OSError."""
        kept, self._kept = self._kept, None
        if kept is not None:
            whole = _whole(kept.number)
        else:
            kept = Descriptor(os.open(self._path, os.O_RDONLY))
            whole = _whole(kept.number)
            if not is_made_up(kept.number):
                return whole
        self._kept = kept
        return whole

    def require(self) -> bytes:
        """Return what it says now; raise Unavailable where there is no such file."""
        try:
            return self.read()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Unavailable(f"there is no {self._path}") from error


def read_short(path: str) -> bytes:
    """Return a short file that is read once, without the buffers of a file object: half the time, for each process."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, SHORT)
    finally:
        os.close(descriptor)


def is_made_up(descriptor: int) -> bool:
    """Say whether the kernel makes up a file as it is read; one on a disk (a recorded tree) may be another by then."""
    return os.fstat(descriptor).st_size == 0


def parse_count(word: bytes) -> int | None:
    """Return the number that a word is; None for one that is none: it costs its own value, never its table."""
    try:
        return int(word)
    except ValueError:
        return None


def line_number(text: bytes, word: bytes) -> int | None:
    """Return the number that follows a word, whose line begins behind a newline; None where there is none.

    `word` holds that newline. To look for a few of hundreds of lines costs less than to take all of them apart.
    """
    start = text.find(word)
    if start < 0:
        return None
    begin = start + len(word)
    end = text.find(b"\n", begin)
    return parse_count(text[begin : end if end >= 0 else None].removesuffix(b" kB"))


def _whole(descriptor: int) -> bytes:
    """Read up to an answer without bytes: a short one is not always the last."""
    whole = chunk = os.pread(descriptor, _CHUNK, 0)
    while chunk:
        chunk = os.pread(descriptor, _CHUNK, len(whole))
        whole += chunk
    return whole
