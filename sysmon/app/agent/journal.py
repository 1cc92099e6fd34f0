"""Syslog priorities of lines for the journal of systemd, so that `journalctl -p warning` finds them (sd-daemon(3))."""

import logging
import os
from collections.abc import Mapping

from sysmon.model import AlertEvent, Level, Transition

_OF_LEVEL = {Level.CRITICAL: 2, Level.WARNING: 4, Level.INFO: 6}
_NOTICE = 5
_OVER = frozenset({Transition.RESOLVED, Transition.DATA_BACK, Transition.STEADY})
_OF_SEVERITY = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def is_journal(descriptor: int, environ: Mapping[str, str]) -> bool:
    """Say whether a descriptor is the journal's: $JOURNAL_STREAM has its device and inode (systemd.exec(5))."""
    stream = environ.get("JOURNAL_STREAM")
    if not stream:
        return False
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"


def alert_prefix(event: AlertEvent) -> str:
    """Return what stands before the line of an alert; one that is over is worth a notice, however bad it was."""
    return f"<{_NOTICE if event.transition in _OVER else _OF_LEVEL[event.level]}>"


def record_prefix(severity: int) -> str:
    """Return what stands before a line of the log."""
    return f"<{next((priority for least, priority in _OF_SEVERITY if severity >= least), 7)}>"
