"""Evidence for the clock: does NTP keep it, did it come through two starts of the machine? For ages of files."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.config import Retention
from sysmon.datadir.damage import Damage
from sysmon.reading import catalog
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.sampling.clock import is_synchronised
from sysmon.storage.inventory import StoredFile, Tier
from sysmon.storage.retention import ClockEvidence, Hold, find_doubts


def ages_by_tier(retention: Retention) -> Mapping[Tier, timedelta]:
    """Return how old files of each tier may get."""
    return {
        Tier.ROWS: retention.rows,
        Tier.CSV: retention.csv,
        Tier.ROLLUPS: retention.rollups,
        Tier.MINUTES: retention.minutes,
        Tier.EVENTS: retention.events,
    }


def gather_evidence(data: Path, files: Sequence[StoredFile], *, now: datetime) -> ClockEvidence:
    """Return what vouches for the clock; nobody is asked where there is nothing to doubt."""
    doubts = find_doubts(files, ClockEvidence())
    if doubts and is_synchronised(now):
        return ClockEvidence(synchronised=True)
    return ClockEvidence(boots={host: _read_boots(data, host, since) for host, since in doubts.items()})


def describe_hold(hold: Hold) -> str:
    """Return in a line what is held, since when, and what to do."""
    since = f"{hold.since:%Y-%m-%d %H:%M} UTC"
    kept = "1 file is" if hold.files == 1 else f"{hold.files} files are"
    way = "if the clock is right, run `sysmon maintain --trust-clock`"
    return f"deletion by age is held since {since}, to which the clock may have jumped, and {kept} kept longer: {way}"


def _read_boots(data: Path, host: str, since: datetime) -> list[tuple[datetime, str]]:
    archive = Archive(data, Host(data / host), Damage())
    return [
        (event.at, boot)
        for event in archive.events(since, catalog.LAST)
        if event.at >= since and isinstance(boot := event.fields.get("boot"), str)
    ]
