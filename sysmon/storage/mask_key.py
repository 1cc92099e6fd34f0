"""Key of the pseudonyms of masked names: made once, kept beside the samples, readable by its owner only."""

import os
import stat
from pathlib import Path

from sysmon.datadir.files import PRIVATE_MODE, open_regular
from sysmon.datadir.names import DataEntry
from sysmon.errors import StorageError
from sysmon.storage.files import write_atomic
from sysmon.text.names import printable

FILE = DataEntry.MASK_KEY.value
LENGTH = 32


def mask_key(data: Path) -> bytes:
    """Return the key of a data directory that is held for writing; make it where there is none.

    Raise StorageError where it cannot be read or made: with another key every pseudonym would become another.
    Who can read the key can undo the mask, so that one that is for others to read is refused too.
    """
    path = data / FILE
    shown = printable(str(path))
    try:
        text, mode = _read(path)
    except FileNotFoundError:
        text, mode = _make(path), PRIVATE_MODE
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != LENGTH:
        raise StorageError(
            f"{shown}: this is no key of `mask`: bring back the {2 * LENGTH} hex digits that it held, "
            "or delete it, and all names get new pseudonyms"
        )
    if mode & 0o077:
        raise StorageError(
            f"{shown}: others may read the key of `mask` (mode {mode:04o}), and who has it can undo the mask: "
            f"`chmod 600 {shown}`, or delete it, and all names get new pseudonyms"
        )
    return key


def _read(path: Path) -> tuple[str, int]:
    """Return what the file holds, and its mode."""
    descriptor = open_regular(path)
    try:
        text = os.read(descriptor, 4 * LENGTH).decode("ascii", errors="replace").strip()
        return text, stat.S_IMODE(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)


def _make(path: Path) -> str:
    """Write a new key, at no moment for others to read."""
    text = os.urandom(LENGTH).hex()
    try:
        write_atomic(path, f"{text}\n".encode(), mode=PRIVATE_MODE)
    except OSError as error:
        raise _unusable(path, error) from error
    return text


def _unusable(path: Path, error: OSError) -> StorageError:
    shown = printable(str(path))
    return StorageError(f"{shown}: the key of `mask` cannot be read or made ({error.strerror}): mend its permissions")
