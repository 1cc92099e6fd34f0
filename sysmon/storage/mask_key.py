"""The secret behind the pseudonyms: made once, kept beside the samples, readable by its owner only."""

import os
from pathlib import Path

from sysmon.errors import StorageError
from sysmon.storage.lock import sync_directory
from sysmon.text.names import printable

FILE = "mask.key"
LENGTH = 32
_MODE = 0o600


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
    """Write a new key so that it is there whole or not at all, and never for others to read."""
    text = os.urandom(LENGTH).hex()
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        os.write(descriptor, f"{text}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)
    return text
