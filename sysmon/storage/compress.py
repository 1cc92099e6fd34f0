"""Compression of finished segments: the text goes when its compressed form is proven to hold the same.

That is proven each time, byte by byte, also for a compressed form that was there already: a crash may have come between
its making and the end of the text, but an administrator may have made it too, of a text that grew on.
"""

import errno
import os
import zlib
from collections.abc import Iterator
from enum import Enum, auto
from pathlib import Path

from sysmon.datadir.files import open_regular, remove
from sysmon.storage.files import replacing, sync_directory, write_all, write_atomic
from sysmon.storage.lock import claim

_CHUNK = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6


class Match(Enum):
    """What a compressed form holds of a text: all of it, its beginning at most, or other bytes."""

    ALL = auto()
    BEGINNING = auto()
    OTHER = auto()


def compress(path: Path) -> bool:
    """Replace a finished file by its compressed form; False when a writer has not finished it.

    A compressed form that is there already is kept where it holds all of the text, and made anew where it holds
    nothing but the text's beginning. Raise OSError where it holds anything else, where the text changes meanwhile, and
    where it cannot be done; then both are still there.
    """
    text = open_regular(path)
    try:
        try:
            claim(text)
        except BlockingIOError:
            return False
        compressed = path.with_name(f"{path.name}.gz")
        before = _fingerprint(os.fstat(text))
        match = _compare(compressed, text)
        if match is Match.OTHER:
            raise OSError(errno.EEXIST, f"{compressed.name} beside it holds other rows: move one of the two away")
        if match is Match.BEGINNING:
            _write_compressed(text, compressed)
        if {_fingerprint(os.fstat(text)), _fingerprint(path.lstat())} != {before}:
            raise OSError(errno.EBUSY, "it changed while it was compressed")
        remove(path)
        sync_directory(path.parent)
    finally:
        os.close(text)
    return True


def _fingerprint(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return which file that is, and what changes with its content."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def compare(text: Path) -> Match | None:
    """Say what the compressed form beside a text holds of it; None where there is none, or not any more."""
    compressed = text.with_name(f"{text.name}.gz")
    if not os.path.lexists(compressed):
        return None
    try:
        descriptor = open_regular(text)
    except FileNotFoundError:
        return None
    try:
        return _compare(compressed, descriptor)
    finally:
        os.close(descriptor)


def write_compressed(path: Path, data: bytes) -> None:
    """Write text as a compressed file that is there whole or not at all."""
    write_atomic(path, zlib.compress(data, _LEVEL, _GZIP))


def _write_compressed(text: int, target: Path) -> None:
    checksum = length = 0

    def prove(made: Path) -> None:
        """Read back what was written."""
        if _checksum_of_compressed(made) != (checksum, length):
            raise OSError(errno.EIO, f"{made.name} does not unpack to what it was made of")

    with replacing(target, verify=prove) as descriptor:
        os.lseek(text, 0, os.SEEK_SET)
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        for chunk in _chunks(text):
            checksum, length = zlib.crc32(chunk, checksum), length + len(chunk)
            write_all(descriptor, compressor.compress(chunk))
        write_all(descriptor, compressor.flush())
        status = os.fstat(text)
        os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))


def _checksum_of_compressed(path: Path) -> tuple[int, int] | None:
    """Return checksum and length of what a compressed file holds; None where it is broken."""
    descriptor = open_regular(path)
    checksum = length = 0
    try:
        for unpacked in _unpack(descriptor):
            checksum, length = zlib.crc32(unpacked, checksum), length + len(unpacked)
    except zlib.error:
        return None
    finally:
        os.close(descriptor)
    return checksum, length


def _compare(path: Path, text: int) -> Match:
    """Say what a compressed file, which may be missing, holds of an open text; what is broken in it holds nothing."""
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return Match.BEGINNING
    longer = False
    try:
        for unpacked in _unpack(descriptor):
            expected = b"" if longer else _read_up_to(text, len(unpacked))
            if not unpacked.startswith(expected):
                return Match.OTHER
            longer |= len(expected) < len(unpacked)
    except zlib.error:
        return Match.OTHER if longer else Match.BEGINNING
    finally:
        os.close(descriptor)
    return Match.BEGINNING if os.read(text, 1) else Match.ALL


def _read_up_to(descriptor: int, length: int) -> bytes:
    """Return as many bytes, fewer only at the end of the file."""
    data = b""
    while len(data) < length and (chunk := os.read(descriptor, length - len(data))):
        data += chunk
    return data


def _unpack(descriptor: int) -> Iterator[bytes]:
    """Yield what a gzip file of one or more members holds, piece by piece; raise zlib.error where it is broken."""
    unpacker = zlib.decompressobj(_GZIP)
    for chunk in _chunks(descriptor):
        left = chunk
        while left:
            if unpacker.eof:
                unpacker = zlib.decompressobj(_GZIP)
            yield unpacker.decompress(left, _CHUNK)
            left = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    yield unpacker.flush()  # a full piece may leave a little inside zlib although all input was taken
    if not unpacker.eof:
        raise zlib.error("cut off")


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk
