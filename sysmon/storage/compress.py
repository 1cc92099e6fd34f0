"""Compression of finished segments: the text goes when its compressed form is proven to hold the same."""

import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from sysmon.storage.files import replacing, sync_directory, write_all, write_atomic
from sysmon.storage.lock import claim

_CHUNK = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 6
_READ = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)


def compress(path: Path) -> bool:
    """Replace a finished file by its compressed form; False when a writer has not finished it.

    A compressed form that is already there and whole is taken as it is: a crash came between its making and the end of
    the text. Raise OSError where it cannot be done; then the text is still there.
    """
    text = os.open(path, _READ)
    try:
        try:
            claim(text)
        except BlockingIOError:
            return False
        compressed = path.with_name(f"{path.name}.gz")
        if _checksum_of_compressed(compressed) is None:
            _write_compressed(text, compressed)
        path.unlink()
        sync_directory(path.parent)
    finally:
        os.close(text)
    return True


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
        compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        for chunk in _chunks(text):
            checksum, length = zlib.crc32(chunk, checksum), length + len(chunk)
            write_all(descriptor, compressor.compress(chunk))
        write_all(descriptor, compressor.flush())
        status = os.fstat(text)
        os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))


def _checksum_of_compressed(path: Path) -> tuple[int, int] | None:
    """Return checksum and length of what a compressed file holds; None where it is missing or broken."""
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    checksum = length = 0
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for chunk in _chunks(descriptor):
            left = chunk
            while left and not unpacker.eof:
                unpacked = unpacker.decompress(left, _CHUNK)
                checksum, length = zlib.crc32(unpacked, checksum), length + len(unpacked)
                left = unpacker.unconsumed_tail
        rest = unpacker.flush()
    except zlib.error:
        return None
    finally:
        os.close(descriptor)
    if not unpacker.eof or unpacker.unused_data:
        return None
    return zlib.crc32(rest, checksum), length + len(rest)


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk
