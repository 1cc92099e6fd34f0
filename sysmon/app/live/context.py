"""Snapshot context: how samples come about, and why one is not of the instant that was asked for."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from sysmon.app.catalog import tables
from sysmon.app.live.sources import SnapshotSource
from sysmon.app.live.stored import Lookup, Mismatch, StoredSnapshots
from sysmon.app.selection import Selection, find_tables, open_archive
from sysmon.reading.seek import DamageOnce
from sysmon.text.spans import Look
from sysmon.text.units import format_age, format_duration
from sysmon.view.commands import Situation
from sysmon.view.time_text import format_local


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    """How snapshots are shown: in which zone (None: the system's), and with which characters and colours."""

    zone: tzinfo | None
    look: Look


def open_files(selection: Selection) -> StoredSnapshots:
    """Return what the files of the host in question hold; raise UsageError for a table that there is not."""
    archive = open_archive(selection, tables(), DamageOnce(strict=selection.strict))
    if selection.tables:
        find_tables(selection, archive)
    return StoredSnapshots(archive, now=selection.now)


def describe_past(
    lookup: Lookup, requested: datetime, *, now: datetime, zone: tzinfo | None, skipped: int
) -> Situation:
    """Return what surrounds a snapshot that was asked for."""
    snapshot = lookup.snapshot
    return Situation(
        now=now,
        live=False,
        standing=f"every {format_duration(snapshot.seconds)}",
        note=explain_mismatch(lookup, requested, zone, now=now),
        skipped=skipped,
        zone=zone,
    )


def describe_present(source: SnapshotSource, lookup: Lookup, *, now: datetime, zone: tzinfo | None) -> Situation:
    """Return what surrounds the newest sample; it is live while somebody samples."""
    trouble = source.trouble(now)
    return Situation(
        now=now,
        live=trouble is not None,
        standing=f"every {format_duration(lookup.snapshot.seconds)}",
        note=trouble or "",
        skipped=source.skipped,
        zone=zone,
    )


def explain_mismatch(lookup: Lookup, requested: datetime, zone: tzinfo | None, *, now: datetime) -> str:
    """Return why a sample is not of the instant that was asked for, and how far off it is; empty where it is."""
    if lookup.mismatch is None:
        return ""
    if requested > now and lookup.mismatch is not Mismatch.BEFORE:
        return f"{format_local(requested, zone)}: still to come; this is the newest sample"
    off = format_age((requested - lookup.snapshot.at).total_seconds())
    than = "newer" if lookup.mismatch is Mismatch.BEFORE else "older"
    return f"{format_local(requested, zone)}: {lookup.mismatch.value}; this sample is {off} {than}"
