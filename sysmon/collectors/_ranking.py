"""Ranking of processes by their use between two readings: who is worth a row? Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest

from sysmon import rates
from sysmon.collectors._procfs import Usage

Io = tuple[int, int]
"""Bytes read and written."""

_NONE: Mapping[int, Sequence[int]] = {}


@dataclass(frozen=True, slots=True)
class Processes:
    """All processes at one instant by pid, and the input and output of those that were asked."""

    usage: Mapping[int, Usage]
    io: Mapping[int, Io]
    newest: int
    """The latest start among them: whoever starts from then on is new, whoever started earlier was overlooked."""


def make_processes(usage: Mapping[int, Usage], io: Mapping[int, Io]) -> Processes:
    """Put together what was read at one instant."""
    return Processes(usage, io, max((process.start for process in usage.values()), default=0))


def cpu_growth(before: Processes, pid: int, now: Usage) -> int | None:
    """Return the ticks that a process has used since `before`: all of them when it was born since."""
    then = before.usage.get(pid)
    if then is not None and then.start == now.start:
        return rates.increase(then.ticks, now.ticks)
    return now.ticks if now.start >= before.newest else None


def find_ended(before: Processes, usage: Mapping[int, Usage]) -> dict[int, list[int]]:
    """Return the processes that have ended since `before`, by the nearest ancestor that has not.

    That one, or an ancestor of it that ended too, has waited for them, so their whole lives are added to its accounts.
    """
    past = before.usage
    below: dict[int, list[int]] = {}
    for pid in past.keys() - usage.keys():
        parent, passed = past[pid].parent, {pid}
        while parent in past and parent not in usage and parent not in passed:
            passed.add(parent)  # a pid that was given anew while all were read may be its own ancestor
            parent = past[parent].parent
        if parent in past and parent in usage and past[parent].start == usage[parent].start:
            below.setdefault(parent, []).append(pid)
    return below


def compute_children_growth(
    before: Processes, usage: Mapping[int, Usage], pids: Iterable[int], below: Mapping[int, Sequence[int]]
) -> dict[int, int]:
    """Return the ticks that ended children of each of some processes have used since `before`, where they have.

    What a child had used up to `before` was its own then, and is not counted again.
    """
    past = before.usage
    grown = {}
    for pid in pids:
        now, then = usage[pid], past.get(pid)
        if now is then or not now.children:
            continue
        if then is not None and then.start == now.start:
            counted = sum([(past[ended].ticks or 0) + past[ended].children for ended in below.get(pid, ())])
            ticks = now.children - then.children - counted
        else:
            ticks = now.children if now.start >= before.newest else 0
        if ticks > 0:
            grown[pid] = ticks
    return grown


def io_growth(
    before: Processes, after: Processes, pid: int, below: Mapping[int, Sequence[int]] = _NONE
) -> tuple[int | None, int | None]:
    """Return the bytes that a process and its ended children have read and written since `before`.

    None unless both are known: a parent's account takes in all that a child ever moved, so what that was before must
    be known for each child that has ended meanwhile.
    """
    now, then = after.usage[pid], before.usage.get(pid)
    if pid not in after.io:
        return None, None
    if then is not None and then.start == now.start:
        earlier = before.io.get(pid)
    else:
        earlier = (0, 0) if now.start >= before.newest else None
    if earlier is None:
        return None, None
    read, written = earlier
    for ended in below.get(pid, ()):
        moved = before.io.get(ended)
        if moved is not None:
            read, written = read + moved[0], written + moved[1]
        elif before.usage[ended].ticks or before.usage[ended].children:  # else it has hardly run: it moved nothing
            return None, None
    return rates.increase(read, after.io[pid][0]), rates.increase(written, after.io[pid][1])


def compute_cpu_growth(before: Processes | None, usage: Mapping[int, Usage]) -> dict[int, int]:
    """Return the ticks of each process whose CPU time moved; at first sight, of its whole life."""
    if before is None:
        return {pid: process.ticks for pid, process in usage.items() if process.ticks}
    earlier = before.usage
    grown = {}
    for pid, now in usage.items():
        if earlier.get(pid) != now and (ticks := cpu_growth(before, pid, now)):
            grown[pid] = ticks
    return grown


def rank_by_use(usage: Mapping[int, Usage], grown: Mapping[int, int], top: int) -> list[int]:
    """Return the first `top` by CPU and the first `top` by memory, each once, in this order."""
    by_memory = nlargest(top, usage, key=lambda pid: usage[pid].memory or 0)
    return list(dict.fromkeys([*nlargest(top, grown, key=grown.__getitem__), *by_memory]))


def rank_by_io(
    before: Processes | None, after: Processes, top: int, below: Mapping[int, Sequence[int]] = _NONE
) -> list[int]:
    """Return the first `top` by bytes read and written since `before`; those without any do not lead."""
    if before is None:
        return []
    moved = {pid: sum(filter(None, io_growth(before, after, pid, below))) for pid in after.io}
    return nlargest(top, _positive(moved), key=moved.__getitem__)


def _positive(moved: Mapping[int, int]) -> Iterable[int]:
    return (pid for pid, amount in moved.items() if amount > 0)
