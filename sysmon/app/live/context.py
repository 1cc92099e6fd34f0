"""What is said around a moment: how samples come about, and why one is not of the instant that was asked for."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from sysmon.app.catalog import tables
from sysmon.app.live.sources import Record
from sysmon.app.live.stored import Found, Lookback, Why
from sysmon.app.selection import Selection, find_host, find_tables
from sysmon.reading.catalog import Host
from sysmon.reading.damage import Damage
from sysmon.text.spans import Look
from sysmon.text.units import format_age, format_duration
from sysmon.view.commands import Situation
from sysmon.view.time_text import instant


@dataclass(frozen=True, slots=True)
class Sight:
    """How moments are shown: in which zone (None: the system's), and with which characters and colours."""

    zone: tzinfo | None
    look: Look


def open_files(selection: Selection) -> Lookback:
    """Return what the files of the host in question hold; raise UsageError for a table that there is not."""
    host: Host = find_host(selection, Damage())
    if selection.tables:
        find_tables(selection, host, tables())
    return Lookback(host, tables(), now=selection.now, strict=selection.strict)


def past(found: Found, asked: datetime, *, now: datetime, zone: tzinfo | None, skipped: int) -> Situation:
    """Return what surrounds a moment that was asked for."""
    moment = found.moment
    return Situation(
        now=now,
        live=False,
        standing=f"every {format_duration(moment.seconds)}",
        note=note(found, asked, zone, now=now),
        skipped=skipped,
        zone=zone,
    )


def present(record: Record, found: Found, *, now: datetime, zone: tzinfo | None) -> Situation:
    """Return what surrounds the newest sample; it is live while somebody samples."""
    trouble = record.trouble(now)
    return Situation(
        now=now,
        live=trouble is not None,
        standing=f"every {format_duration(found.moment.seconds)}",
        note=trouble or "",
        skipped=record.skipped,
        zone=zone,
    )


def note(found: Found, asked: datetime, zone: tzinfo | None, *, now: datetime) -> str:
    """Return why a sample is not of the instant that was asked for, and how far off it is; empty where it is."""
    if found.why is None:
        return ""
    if asked > now and found.why is not Why.BEFORE:
        return f"{instant(asked, zone)}: still to come; this is the newest sample"
    off = format_age((asked - found.moment.at).total_seconds())
    than = "newer" if found.why is Why.BEFORE else "older"
    return f"{instant(asked, zone)}: {found.why.value}; this sample is {off} {than}"
