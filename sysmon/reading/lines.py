"""Line reader: whole lines of a file, packed or not, as bytes, cut at newlines only, however broken the file is."""

import errno
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sysmon.reading.damage import Damage

LONGEST_LINE = 1024 * 1024
_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_BOM = b"\xef\xbb\xbf"


class _BrokenPackingError(Exception):
    """The rest of a packed file cannot be unpacked."""


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading without ever waiting for it; raise OSError where it is none."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


def read_lines(file: BinaryIO, path: Path, damage: Damage, *, packed: bool) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the number of the first line (from 1) and some lines without their newlines, until the file ends.

    What follows the last newline is no line. Lines over LONGEST_LINE and what cannot be unpacked are damage.
    """
    number = 1
    rest = b""
    too_long = False
    try:
        for chunk in _unpack(file) if packed else _chunks(file):
            *lines, rest = (rest + chunk).split(b"\n")
            if number == 1 and lines:
                lines[0] = lines[0].removeprefix(_BOM)
            if lines and (too_long or len(lines[0]) > LONGEST_LINE):
                _note_long(path, number, damage)
                too_long = False
                del lines[0]
                number += 1
            if lines:
                yield number, lines
                number += len(lines)
            if len(rest) > LONGEST_LINE:
                too_long = True
            if too_long:
                rest = b""
    except _BrokenPackingError as error:
        damage.note(path, number, str(error))
        return
    except OSError as error:
        damage.note(path, number, f"cannot be read on ({error.strerror})")
        return
    if too_long:
        _note_long(path, number, damage)
    elif b"\0" in rest:  # what a power cut leaves where the file had grown and its data had not arrived
        damage.note(path, number, f"{len(rest)} bytes with NULs at the end")
    elif rest:
        damage.note_unfinished(path)


def read_whole(file: BinaryIO) -> list[bytes] | None:
    """Return the lines of a packed file that is small and sound, quickly; None for any other, to be read with care."""
    packed = file.read(_CHUNK)
    file.seek(0)
    unpacker = zlib.decompressobj(_GZIP)
    try:
        text = unpacker.decompress(packed)
    except zlib.error:
        return None
    if not unpacker.eof or unpacker.unused_data or not text.endswith(b"\n"):
        return None
    return text.split(b"\n")[:-1]


def _note_long(path: Path, number: int, damage: Damage) -> None:
    damage.note(path, number, f"a line of more than {LONGEST_LINE // 1024} KiB")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _unpack(file: BinaryIO) -> Iterator[bytes]:
    """Yield what a gzip file of one or more members holds, up to the first byte that is wrong."""
    unpacker = None
    members = 0
    for chunk in _chunks(file):
        packed = chunk
        while packed:
            if unpacker is None:
                packed = packed.lstrip(b"\0") if members else packed  # gzip allows zeros after a member
                if not packed:
                    break
                unpacker = zlib.decompressobj(_GZIP)
            yield from _unpack_some(unpacker, packed)
            packed = unpacker.unused_data
            if unpacker.eof:
                unpacker = None
                members += 1
    if unpacker is not None:
        raise _BrokenPackingError("the packed file is cut off here")
    if not members:
        raise _BrokenPackingError("the packed file is empty")


def _unpack_some(unpacker: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    while True:
        before = unpacker.copy()
        try:
            unpacked = unpacker.decompress(packed, _CHUNK)
        except zlib.error as error:
            yield from _unpack_bytewise(before, packed)
            raise _BrokenPackingError(f"the packed file is broken here ({_reason(error)})") from error
        yield unpacked
        packed = unpacker.unconsumed_tail
        # A full buffer may leave output inside zlib although all input was taken.
        if unpacker.eof or (not packed and len(unpacked) < _CHUNK):
            return


def _unpack_bytewise(unpacker: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """Yield what can still be had in front of the fault: zlib drops what one failed call had already unpacked."""
    for index in range(len(packed)):
        try:
            yield unpacker.decompress(packed[index : index + 1])
        except zlib.error:
            return


def _reason(error: zlib.error) -> str:
    return str(error).rpartition(": ")[2]
