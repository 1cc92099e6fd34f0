"""Line reader: whole lines of a file, packed or not, as bytes, cut at newlines only, however broken the file is."""

import errno
import itertools
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sysmon.datadir.damage import Damage
from sysmon.datadir.files import open_regular

LONGEST_LINE = 1024 * 1024
GIVEN_UP = 64 * LONGEST_LINE
"""Bytes of one line after which nobody looks for its end: the rest of the file is left out."""

_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_BOM = b"\xef\xbb\xbf"
_NULS = bytes(_CHUNK)
_SEEK_DATA: int | None = getattr(os, "SEEK_DATA", None)


class _UnreadableRestError(Exception):
    """The rest of a file cannot be unpacked, or is not worth it."""


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading without ever waiting for it; raise OSError where it is none."""
    return os.fdopen(open_regular(path), "rb", buffering=0)


def read_lines(file: BinaryIO, path: Path, damage: Damage, *, packed: bool) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the number of the first line (from 1) and some lines without their newlines, until the file ends.

    What follows the last newline is no line. Lines over LONGEST_LINE and what cannot be unpacked are damage; no more
    than one such line is ever held, whatever the file is made of.
    """
    number = 1
    rest = b""
    skipped = 0
    try:
        for chunk in _unpack(file) if packed else _chunks(file):
            *lines, rest = (rest + chunk).split(b"\n")
            if number == 1 and lines:
                lines[0] = lines[0].removeprefix(_BOM)
            if lines and (skipped or len(lines[0]) > LONGEST_LINE):
                _note_long(path, number, damage)
                skipped = 0
                del lines[0]
                number += 1
            if lines:
                yield number, lines
                number += len(lines)
            if skipped or len(rest) > LONGEST_LINE:
                skipped, rest = skipped + len(rest), b""
            _refuse_endless(skipped)
    except _UnreadableRestError as error:
        damage.note(path, number, str(error))
        return
    except OSError as error:
        damage.note(path, number, f"cannot be read on ({error.strerror})")
        return
    if skipped:
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
        text = unpacker.decompress(packed, 2 * LONGEST_LINE)
    except zlib.error:
        return None
    if not unpacker.eof or unpacker.unused_data or not text.endswith(b"\n"):
        return None
    return text.split(b"\n")[:-1]


def count_newlines(file: BinaryIO, begin: int, end: int) -> int:
    """Return how many lines end in a stretch of a file, without ever holding it; where the file stands then is open."""
    count = 0
    position = file.seek(begin)
    while position < end and (chunk := file.read(min(_CHUNK, end - position))):
        count += chunk.count(b"\n")
        position = file.seek(_end_of_hole(file, file.tell()) if chunk == _NULS else position + len(chunk))
    return count


def _refuse_endless(length: int) -> None:
    if length > GIVEN_UP:
        raise _UnreadableRestError(f"a line of more than {GIVEN_UP // 1024**2} MiB: the rest of the file is left out")


def _note_long(path: Path, number: int, damage: Damage) -> None:
    damage.note(path, number, f"a line of more than {LONGEST_LINE // 1024} KiB")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
        if chunk == _NULS:
            yield from _pass_hole(file)


def _pass_hole(file: BinaryIO) -> Iterator[bytes]:
    """Yield as many NULs as make a line too long, in place of a hole that has more of them.

    A hole takes no space and may be terabytes long: where the file system tells where it ends, it is not read.
    """
    begin = file.tell()
    end = _end_of_hole(file, begin)
    if end - begin <= LONGEST_LINE:
        file.seek(begin)
        return
    yield from itertools.repeat(_NULS, LONGEST_LINE // _CHUNK + 1)
    file.seek(end)


def _end_of_hole(file: BinaryIO, begin: int) -> int:
    """Return where the data behind a hole begin, the end of the file where there are none."""
    if _SEEK_DATA is None:
        return begin
    try:
        return os.lseek(file.fileno(), begin, _SEEK_DATA)
    except OSError as error:  # not on this file system; or nothing but a hole is left
        return file.seek(0, os.SEEK_END) if error.errno == errno.ENXIO else begin


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
        raise _UnreadableRestError("the packed file is cut off here")
    if not members:
        raise _UnreadableRestError("the packed file is empty")


def _unpack_some(unpacker: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    while True:
        before = unpacker.copy()
        try:
            unpacked = unpacker.decompress(packed, _CHUNK)
        except zlib.error as error:
            yield from _unpack_bytewise(before, packed)
            raise _UnreadableRestError(f"the packed file is broken here ({_reason(error)})") from error
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
