"""A file that is there whole or not at all: written beside its place, synced, and moved there at the end."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sysmon.errors import UsageError


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open what will become `target` when all goes well; what is no regular file (a pipe, a device) is written to."""
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            with target.open("wb") as file:
                yield file
            return
        place = Path(os.path.realpath(target))
        temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror}): name another place with -o") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    except BaseException:  # also Ctrl-C: nothing half written is left behind
        with suppress(OSError):  # the reason why it failed is what counts
            temporary.unlink()
        raise
