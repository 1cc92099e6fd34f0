"""Key of the pseudonyms of masked names: made once, kept beside the samples, readable by its owner only."""

import os
from pathlib import Path

from sysmon.datadir.names import DataEntry
from sysmon.errors import StorageError
from sysmon.storage.files import PRIVATE_MODE, write_atomic
from sysmon.text.names import printable

FILE = DataEntry.MASK_KEY.value
LENGTH = 32


def mask_key(data: Path) -> bytes:
    """Return the key of a data directory that is held for writing; make it where there is none.

    Raise StorageError where it cannot be read or made: with another key every pseudonym would become another.
    """
    path = data / FILE
    try:
        text = path.read_text("ascii", errors="replace").strip() if path.exists() else _make(path)
    except OSError as error:
        raise StorageError(
            f"{printable(str(path))}: the key of `mask` cannot be read or made ({error.strerror}): mend its permissions"
        ) from error
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != LENGTH:
        raise StorageError(
            f"{printable(str(path))}: this is no key of `mask`: bring back the {2 * LENGTH} hex digits that it held, "
            "or delete it, and all names get new pseudonyms"
        )
    return key


def _make(path: Path) -> str:
    """Write a new key, at no moment for others to read."""
    text = os.urandom(LENGTH).hex()
    write_atomic(path, f"{text}\n".encode(), mode=PRIVATE_MODE)
    return text
