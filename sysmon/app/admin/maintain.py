"""Maintenance of stored files: expiry by age and size, roll-ups, compression."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from sysmon.app.admin.build_rollups import RollupBuilder
from sysmon.app.admin.clock_trust import ages_by_tier, gather_evidence
from sysmon.app.catalog import tables
from sysmon.config import Storage
from sysmon.datadir.damage import Damage
from sysmon.datadir.files import remove
from sysmon.errors import NothingFoundError, StorageError
from sysmon.reading import catalog
from sysmon.storage import inventory
from sysmon.storage.compress import compress
from sysmon.storage.free_space import free_bytes
from sysmon.storage.inventory import Inventory, StoredFile
from sysmon.storage.lock import MAINTENANCE_LOCK, RUN_LOCK, open_lock, refuse_strangers, wait_for_lock
from sysmon.storage.lock_holder import find_holders
from sysmon.storage.retention import ClockEvidence, Hold, estimate_growth, find_holds, select_expired
from sysmon.text.names import printable


@dataclass(slots=True)
class MaintenanceResult:
    """What maintenance did; `busy` says that another one is at work, and nothing was done.

    `holds` are the hosts whose files are kept beyond their age, because the clock may have jumped.
    """

    busy: bool = False
    deleted: int = 0
    deleted_bytes: int = 0
    rolled_up: int = 0
    compressed: int = 0
    holds: list[Hold] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def maintain(
    data: Path,
    storage: Storage,
    *,
    now: datetime,
    rebuild: bool = False,
    trust_clock: bool = False,
    room_made: Callable[[], None] = lambda: None,
) -> MaintenanceResult:
    """Do what is to be done in a data directory, one at a time; raise SysmonError where it cannot begin.

    With `trust_clock` somebody vouches for `now`, whatever the files say.
    `room_made` is called when all is deleted that has to go: up to then it is urgent, the rest can wait.
    Whatever goes wrong with one file is noted and the others go on: the next maintenance meets it again.
    """
    if not data.is_dir():
        raise NothingFoundError(f"{data}: no samples here: start `sysmon run`, or name the folder with --data")
    catalog.check_format(data, Damage())
    result = MaintenanceResult()
    with _alone(data, wait=rebuild) as alone:
        if alone:
            work = _Maintenance(data, storage, now, result)
            work.do(rebuild=rebuild, trust_clock=trust_clock, room_made=room_made)
        else:
            result.busy = True
    return result


class _Maintenance:
    def __init__(self, data: Path, storage: Storage, now: datetime, result: MaintenanceResult) -> None:
        self._data = data
        self._storage = storage
        self._now = now
        self._result = result
        self._writers = {os.getpid(), *(lock.pid for lock in find_holders(data / RUN_LOCK) if lock.is_sysmon)}

    def do(self, *, rebuild: bool, trust_clock: bool, room_made: Callable[[], None]) -> None:
        stored = inventory.take_inventory(self._data)
        for path in stored.temporaries:  # their maker is gone: we hold its lock
            self._try(path, partial(remove, path))
        trusted = ClockEvidence(synchronised=True)
        evidence = trusted if trust_clock else gather_evidence(self._data, stored.files, now=self._now)
        kept = self._delete(stored, evidence)
        room_made()
        if rebuild or free_bytes(self._data) >= self._storage.min_free:
            minutes = self._storage.retention.minutes
            builder = RollupBuilder(tables(), now=self._now, minutes=minutes, rebuild=rebuild, attempt=self._try)
            builder.build(self._data, kept)
            self._result.rolled_up = builder.made
        self._compress(kept)

    def _delete(self, stored: Inventory, evidence: ClockEvidence) -> list[StoredFile]:
        """Delete before anything is written: it needs no room, and makes some."""
        storage, now = self._storage, self._now
        ages = ages_by_tier(storage.retention)
        total = stored.total + estimate_growth(stored.files)  # the next look comes when these have grown
        chosen = select_expired(
            stored.files, ages, total=total, max_bytes=storage.max_bytes, now=now, evidence=evidence
        )
        self._result.holds = find_holds(stored.files, ages, now=now, evidence=evidence)
        for file in chosen:
            if self._try(file.path, partial(remove, file.path)):
                self._result.deleted += 1
                self._result.deleted_bytes += file.size
        gone = {file.path for file in chosen}
        return [file for file in stored.files if file.path not in gone]

    def _compress(self, files: list[StoredFile]) -> None:
        before = self._now - self._storage.compress_after
        for file in sorted(files, key=lambda file: file.start):
            segment = file.segment
            if segment is None or segment.packed or file.end > before:
                continue
            self._tell_strangers(file)
            if file.open:
                continue
            self._try(file.path, lambda file=file: self._compress_file(file))  # type: ignore[misc]  # bound now

    def _tell_strangers(self, file: StoredFile) -> None:
        """Note who holds the lock of a finished segment besides the run: it cannot be compressed, nor deleted."""
        for lock in find_holders(file.path):
            if lock.pid not in self._writers:
                shown = printable(str(file.path))
                self._result.problems.append(f"{shown}: its lock is held by {lock}: it stays as it is until that ends")

    def _compress_file(self, file: StoredFile) -> None:
        if file.size < free_bytes(self._data) and compress(file.path):
            self._result.compressed += 1

    def _try(self, path: Path, act: Callable[[], object]) -> bool:
        try:
            act()
        except FileNotFoundError:  # somebody was faster, and wanted the same
            return False
        except OSError as error:
            self._result.problems.append(f"{printable(str(path))}: {error.strerror or error}")
            return False
        return True


def lower_priority() -> None:
    """Let everything else go first: the disk too, whose priority follows from the nice value (ioprio_set(2))."""
    if hasattr(os, "nice"):
        os.nice(19)


@contextmanager
def _alone(data: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the maintenance lock; False where another has it and is not waited for."""
    try:
        descriptor = (wait_for_lock if wait else open_lock)(data / MAINTENANCE_LOCK)
    except BlockingIOError:
        refuse_strangers(data / MAINTENANCE_LOCK)
        yield False
        return
    except OSError as error:
        raise StorageError(f"{data}: cannot be written ({error.strerror}): check who may write it") from error
    try:
        yield True
    finally:
        os.close(descriptor)
