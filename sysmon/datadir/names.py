"""Reserved names of a data directory and of a host's folder. What may no host and no table be called?

Whoever writes a file or a folder there takes its name from here, so nothing is reserved that is not in these tables,
and no name is used that is not reserved.
"""

from enum import StrEnum

from sysmon.text.names import path_name

TEMPORARY = ".tmp"
"""How the name of a file ends while it is made; it begins with a dot."""

_STATE, _LOCK = ".json", ".lock"


class DataEntry(StrEnum):
    """What lies beside the hosts' folders in a data directory."""

    RUN_LOCK = "lock"
    MAINTENANCE_LOCK = "maintain.lock"
    FORMAT = "format"
    REPLIES = "replies.jsonl"
    MASK_KEY = "mask.key"
    QUARANTINE = "quarantine"
    """The folder that keeps what was damaged; nobody deletes it but its owner."""

    LOST_AND_FOUND = "lost+found"
    """What a file system keeps at its top for root alone: a data directory may be such a top."""

    NOTIFY = "notify"
    FLEET = "fleet"
    SPOOL = "spool"
    STATSD = "statsd.sock"


class Cursors(StrEnum):
    """What the names of cursors begin with, which their users choose: `export-NAME.json`, with its lock."""

    EXPORT = "export-"
    FORWARD = "forward-"

    def state(self, name: str) -> str:
        """Return the name of the file that remembers how far it got."""
        return f"{self}{name}{_STATE}"

    def lock(self, name: str) -> str:
        """Return the name of the file that keeps others from it."""
        return f"{self}{name}{_LOCK}"


class HostEntry(StrEnum):
    """What lies beside the tables in a host's folder."""

    ALERTS = "alerts"
    EVENTS = "events"
    ROLLUP = "rollup"
    FORECAST = "forecast"
    ODD = "odd"


LOGS = frozenset({HostEntry.ALERTS.value, HostEntry.EVENTS.value})
"""Folders of logs: kept longest."""

RESERVED_TABLES = frozenset(entry.value for entry in HostEntry)
_RESERVED_HOSTS = frozenset(entry.value for entry in DataEntry)
_CURSOR_BEGINNINGS = tuple(kind.value for kind in Cursors)


def temporary_name(name: str) -> str:
    """Return what a file is called while it is made."""
    return f".{name}{TEMPORARY}"


def is_reserved(name: str) -> bool:
    """Say whether a name in a data directory is not a host's."""
    return (
        name in _RESERVED_HOSTS
        or name in RESERVED_TABLES  # a host's own folder, named as the data directory, holds no hosts
        or (name.startswith(_CURSOR_BEGINNINGS) and name.endswith((_STATE, _LOCK)))
        or (name.startswith(".") and name.endswith(TEMPORARY))
    )


def host_folder_name(hostname: str) -> str:
    """Return what a host's folder is called: the host's name, unless that is reserved or leads elsewhere."""
    return path_name(hostname, reserved=is_reserved)
