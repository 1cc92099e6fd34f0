"""Makes finished files small without ever being without them: the text goes when its packed form is proven."""

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sysmon.storage.inventory import TEMPORARY
from sysmon.storage.lock import FILE_MODE, claim, sync_directory

_CHUNK = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6
_READ = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


def temporary_name(name: str) -> str:
    """Return what a file is called while it is made; only who holds the maintenance lock makes and removes these."""
    return f".{name}{TEMPORARY}"


def pack(path: Path) -> bool:
    """Replace a finished file by its packed form; False when a writer has not finished it.

    A packed form that is already there and whole is taken as it is: a crash came between its making and the end of
    the text. Raise OSError where it cannot be done; then the text is still there.
    """
    text = os.open(path, _READ)
    try:
        try:
            claim(text)
        except BlockingIOError:
            return False
        packed = path.with_name(f"{path.name}.gz")
        if _checksum_of_packed(packed) is None:
            _write_packed(text, packed)
        path.unlink()
        sync_directory(path.parent)
    finally:
        os.close(text)
    return True


def store_packed(path: Path, data: bytes) -> None:
    """Write text as a packed file that is there whole or not at all."""
    store_text(path, zlib.compress(data, _LEVEL, _GZIP))


def store_text(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    descriptor, temporary = _new(path)
    try:
        try:
            os.fchmod(descriptor, FILE_MODE)
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:  # however it ends, no half-made file stays
        _remove(temporary)
        raise
    sync_directory(path.parent)


def _write_packed(text: int, packed: Path) -> None:
    descriptor, temporary = _new(packed)
    try:
        try:
            os.fchmod(descriptor, FILE_MODE)
            packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
            checksum = length = 0
            for chunk in _chunks(text):
                checksum, length = zlib.crc32(chunk, checksum), length + len(chunk)
                _write_all(descriptor, packer.compress(chunk))
            _write_all(descriptor, packer.flush())
            status = os.fstat(text)
            os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _prove(temporary, checksum, length)
        temporary.replace(packed)
    except BaseException:  # however it ends, no half-made file stays
        _remove(temporary)
        raise
    sync_directory(packed.parent)


def _prove(temporary: Path, checksum: int, length: int) -> None:
    """Read back what was written; raise OSError where it does not unpack to what it was made of."""
    if _checksum_of_packed(temporary) != (checksum, length):
        raise OSError(errno.EIO, f"{temporary.name} does not unpack to what it was made of")


def _checksum_of_packed(path: Path) -> tuple[int, int] | None:
    """Return checksum and length of what a packed file holds; None where it is missing or broken."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    checksum = length = 0
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for chunk in _chunks(descriptor):
            packed = chunk
            while packed and not unpacker.eof:
                unpacked = unpacker.decompress(packed, _CHUNK)
                checksum, length = zlib.crc32(unpacked, checksum), length + len(unpacked)
                packed = unpacker.unconsumed_tail
        rest = unpacker.flush()
    except zlib.error:
        return None
    finally:
        os.close(descriptor)
    if not unpacker.eof or unpacker.unused_data:
        return None
    return zlib.crc32(rest, checksum), length + len(rest)


def _new(path: Path) -> tuple[int, Path]:
    temporary = path.with_name(temporary_name(path.name))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    return os.open(temporary, flags, FILE_MODE), temporary


def _remove(temporary: Path) -> None:
    with suppress(OSError):  # the next maintenance removes it; the reason why it was left is what counts
        temporary.unlink()


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk
