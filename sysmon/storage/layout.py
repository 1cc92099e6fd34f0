"""Storage layout: formats, rotation and sync of files. How are rows cut into files?"""

from dataclasses import dataclass
from datetime import timedelta

from sysmon.datadir.segments import Form


@dataclass(frozen=True, slots=True)
class StorageLayout:
    """How files are cut: their formats (JSON Lines are synced, CSV beside them is a copy), period and largest size.

    No row is written while fewer than `min_free` bytes of the disk are free.
    """

    formats: tuple[Form, ...] = (Form.JSONL, Form.CSV)
    rotation: timedelta = timedelta(hours=1)
    max_segment_bytes: int = 64 * 2**20
    sync_interval: timedelta = timedelta(seconds=30)
    min_free: int = 0
