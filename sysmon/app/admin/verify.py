"""Verification of every file of a data directory; on request what is damaged is moved out of the way."""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sysmon.app.catalog import tables
from sysmon.app.silence_store import NAME, read_entries
from sysmon.datadir.damage import Damage
from sysmon.datadir.files import PRIVATE_MODE, is_regular, link, make_folder, remove, rename, set_mode
from sysmon.datadir.names import DataEntry
from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.errors import NothingFoundError
from sysmon.reading import catalog, rollup_file, rollup_minutes, verify
from sysmon.sampling.self_tables import AGENT
from sysmon.storage import inventory
from sysmon.storage.compress import Match, compare, write_compressed
from sysmon.storage.files import sync_directory, write_atomic
from sysmon.storage.inventory import StoredFile
from sysmon.storage.lock import MAINTENANCE_LOCK, wait_for_lock
from sysmon.text.names import printable

ALL = 1_000_000
"""Faults of one file that are told; a page of them is read, a million is not."""


@dataclass(slots=True)
class VerifyReport:
    """What was checked and what is wrong, a line each; `remarks` are no damage, `repaired` what was moved away."""

    files: int = 0
    lines: int = 0
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)


def verify_files(data: Path, *, repair: bool) -> VerifyReport:
    """Check every file; raise NothingFoundError where there is none."""
    if not catalog.hosts(data):
        raise NothingFoundError(f"{data}: no samples here: name the folder that holds them")
    report = VerifyReport()
    damage = Damage()
    catalog.check_format(data, damage)
    report.faults += damage.lines
    _check_silences(data, report, repair=repair)
    lock = wait_for_lock(data / MAINTENANCE_LOCK) if repair else None
    try:
        for file in inventory.take_inventory(data).files:
            report.files += 1
            _check_file(data, file, report, repair=repair)
    finally:
        if lock is not None:
            os.close(lock)
    for host in catalog.hosts(data):
        for run in verify.check_sequences(data / host, AGENT):
            if run.fault is not None:
                report.faults.append(f"{printable(host)}: {run.fault}")
            elif run.missing:
                report.remarks.append(f"{printable(host)}: run {run.run}: {run.missing} samples are lost, as was told")
    return report


def _check_silences(data: Path, report: VerifyReport, *, repair: bool) -> None:
    """Check what people said of alerts; it is never repaired, for somebody may be saying more."""
    damage = Damage(kept=ALL)
    entries = read_entries(data, damage)
    if entries or damage.count or damage.unfinished:
        report.files += 1
        report.lines += len(entries or ()) + damage.count
    report.faults += damage.lines
    report.remarks += [f"{path}: the last line is not finished" for path in damage.unfinished]
    if damage.count and repair:
        report.remarks.append(f"{printable(str(data / NAME))}: left as it is: take out the lines that are named")


def _check_file(data: Path, file: StoredFile, report: VerifyReport, *, repair: bool) -> None:
    shown = printable(str(file.path))
    damage = Damage(kept=ALL)
    sound = _check_rollup(file, damage) if file.segment is None else _check_segment(file, damage, report)
    report.faults += damage.lines
    report.remarks += [f"{path}: the last line is not finished" for path in damage.unfinished if not file.open]
    if file.segment is not None and not file.segment.packed:
        report.faults += _check_compressed(file)
    if sound or not repair:
        return
    if file.open:
        report.remarks.append(f"{shown}: still being written, and left as it is")
        return
    kept = _set_aside(data, file)
    report.repaired.append(f"{shown}: what was there is now {printable(str(kept))}")


def _check_rollup(file: StoredFile, damage: Damage) -> bool:
    span = Resolution(file.path.parent.name)
    (rollup_minutes if span is Resolution.MINUTE else rollup_file).read(
        file.path, RollupFile(file.table, span, file.start), damage
    )
    return damage.count == 0


def _check_segment(file: StoredFile, damage: Damage, report: VerifyReport) -> bool:
    """Note what is wrong with a segment; return whether everything in it can be read."""
    unreadable = 0
    misplaced: list[tuple[int, str]] = []
    try:
        for line in _lines(file, damage):
            report.lines += 1
            unreadable += not line.readable
            if line.fault is not None:
                misplaced.append((line.number, line.fault))
    except FileNotFoundError:  # packed or expired since it was listed
        return True
    except OSError as error:
        damage.note(file.path, None, f"cannot be read ({error.strerror})")
        return True
    sound = not (unreadable or damage.count)
    for number, fault in misplaced:
        damage.note(file.path, number, fault)
    return sound


def _check_compressed(file: StoredFile) -> Iterator[str]:
    """Yield what is wrong where a text and its compressed form are both there, and differ."""
    try:
        match = compare(file.path)
    except OSError as error:
        yield f"{printable(str(file.path))}.gz: cannot be read ({error.strerror})"
        return
    if match is Match.BEGINNING:
        yield f"{printable(str(file.path))}.gz: not all of the text beside it: `sysmon maintain` makes it anew"
    elif match is Match.OTHER:
        yield f"{printable(str(file.path))}.gz: other rows than the text beside it: move one of the two away"


def _lines(file: StoredFile, damage: Damage) -> Iterator[verify.CheckedLine]:
    assert file.segment is not None  # noqa: S101 - only roll-ups have none
    return verify.check_lines(file.path, file.segment, tables().get(file.table), damage)


def _set_aside(data: Path, file: StoredFile) -> Path:
    """Give a file a second name in the quarantine, and only then put in its place what can be read of it."""
    folder = data / DataEntry.QUARANTINE
    make_folder(folder, 0o700)
    target = folder / f"{file.host}-{file.path.name}"
    for number in itertools.count(2):
        if not target.exists():
            break
        target = folder / f"{file.host}-{file.path.name}.{number}"
    if not is_regular(file.path):
        rename(file.path, target)
        sync_directory(folder)
        return target
    link(file.path, target)
    set_mode(target, PRIVATE_MODE)
    sync_directory(folder)
    sound = [] if file.segment is None else [line.text + b"\n" for line in _lines(file, Damage()) if line.readable]
    if not sound:
        remove(file.path)
        sync_directory(file.path.parent)
    elif file.segment is not None and file.segment.packed:
        write_compressed(file.path, b"".join(sound))
    else:
        write_atomic(file.path, b"".join(sound))
    return target
