"""Open files below /proc/PID, one of each process: those of processes that stay are kept open."""

import os
from pathlib import Path

from sysmon.collectors._kernel_file import SHORT, Descriptor, is_made_up, read_short

GONE = (FileNotFoundError, ProcessLookupError, PermissionError)
"""What reading raises for a process that has ended meanwhile, or is hidden (hidepid)."""

MOST_KEPT = 512
"""How many files of one name stay open at most: each takes a descriptor, and 5 KB in the kernel."""

_NEEDED_ELSEWHERE = 64


class ProcessFiles:
    """Reads /proc/PID/NAME of whoever is asked for.

    The file of a process that was asked for in the round before too stays open, `most_kept` of them at most, and none
    where this program may open few: to read it again costs half of opening it.
    """

    def __init__(self, proc: Path, name: str, most_kept: int = MOST_KEPT) -> None:
        self._proc = str(proc)
        self._name = name
        self._most_kept = min(most_kept, _descriptors() // 2 - _NEEDED_ELSEWHERE)
        self._before: set[str] = set()
        self._asked: set[str] = set()
        self._files: dict[str, Descriptor] = {}

    def read(self, pid: str) -> bytes:
        """Return what the file says now; raise one of `GONE`."""
        self._asked.add(pid)
        kept = self._files.get(pid)
        if kept is not None:
            try:
                return os.pread(kept.number, SHORT, 0)
            except ProcessLookupError:  # it has ended, and another may have its pid
                del self._files[pid]
        path = f"{self._proc}/{pid}/{self._name}"
        if pid not in self._before or len(self._files) >= self._most_kept:
            return read_short(path)
        file = Descriptor(os.open(path, os.O_RDONLY))
        said = os.pread(file.number, SHORT, 0)
        if is_made_up(file.number):
            self._files[pid] = file
        return said

    def turn(self) -> None:
        """End a round: close the files of those that were not asked for in it."""
        for pid in self._files.keys() - self._asked:
            del self._files[pid]
        self._before, self._asked = self._asked, set()


def _descriptors() -> int:
    """Return how many files this program may have open (getrlimit(2))."""
    import resource  # not on Windows

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
