"""Text of a culprit: `java(4312) 180 %`, the same on the console, in reports and lists."""

from sysmon.model import Culprit, Unit
from sysmon.text.names import printable
from sysmon.text.units import human


def format_culprit(culprit: Culprit, resource: str | None) -> str:
    """Return a process and what it used of a resource: percent of one core, memory, or bytes a second."""
    if resource == "cpu":
        used = f"{culprit.value:.0f} %"
    else:
        used = human(culprit.value, Unit.BYTES if resource == "memory" else Unit.BYTES_PER_SECOND)
    return f"{printable(culprit.name)}({printable(culprit.pid)}) {used}"
