"""Pseudonyms of labels: what matches a mask gets one before rules, files and screens see it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache

from sysmon.text.names import escape

KINDS = {"name": "process", "username": "user", "mountpoint": "mount"}
"""The labels that can be masked, in whatever table, each with the first word of its pseudonyms."""

TELLTALES = ("unit", "device")
"""Labels that give a masked one of their row away (`backup.service`, `/dev/mapper/backup`): they are masked with it."""

_NO_NAMES = frozenset({"-", "(others)"})
_REMEMBERED = 4096
_DIGITS = 8
_COMM = 15
"""The bytes that Linux keeps of a process's name (proc_pid_comm(5))."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Globs of the names that become pseudonyms, matched against names as they would be stored."""

    processes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    mountpoints: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.processes or self.users or self.mountpoints)


class Masking:
    """Replaces names by pseudonyms: HMAC-SHA-256 with a secret key, so equal names stay equal and none can be guessed.

    Names of different kinds have different pseudonyms. A pseudonym shows `digits` of 64 hex digits.
    """

    def __init__(self, mask: Mask, key: bytes, *, digits: int = _DIGITS) -> None:
        import hmac  # loads OpenSSL, 4 MB of memory that only those pay for who mask something

        self._digest = hmac.digest
        self._key = key
        self._digits = digits
        processes = (*mask.processes, *map(_as_the_kernel_cuts, mask.processes))
        globs = {"process": processes, "user": mask.users, "mount": mask.mountpoints}
        self._masked = {kind: _any_of(globs[kind]) for kind in KINDS.values()}
        self._matches = lru_cache(_REMEMBERED)(self._match)
        self._pseudonym = lru_cache(_REMEMBERED)(self._make)

    def labels(self, names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Return the labels of one tick's rows, masked; `names` are the labels' own. What differs stays different."""
        masked = [self._row(names, labels, self._digits) for labels in rows]
        if len(set(masked)) == len(set(rows)):
            return masked
        seen: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for labels, shown in zip(rows, masked, strict=True):
            seen.setdefault(shown, set()).add(labels)
        return [
            shown if len(seen[shown]) == 1 else self._row(names, labels, 64)
            for labels, shown in zip(rows, masked, strict=True)
        ]

    def _row(self, names: Sequence[str], labels: tuple[str, ...], digits: int) -> tuple[str, ...]:
        shown = {
            name: self._pseudonym(KINDS[name], text, digits)
            for name, text in zip(names, labels, strict=True)
            if name in KINDS and self._matches(KINDS[name], text)
        }
        if not shown:
            return labels
        for name, text in zip(names, labels, strict=True):
            if name in TELLTALES and text not in _NO_NAMES:
                shown[name] = self._pseudonym(name, text, digits)
        return tuple(shown.get(name, text) for name, text in zip(names, labels, strict=True))

    def _match(self, kind: str, text: str) -> bool:
        return text not in _NO_NAMES and self._masked[kind].match(text) is not None

    def _make(self, kind: str, text: str, digits: int) -> str:
        digest = self._digest(self._key, f"{kind}\0{text}".encode("utf-8", "surrogatepass"), "sha256")
        return f"{kind}-{digest.hex()[:digits]}"


def _as_the_kernel_cuts(glob: str) -> str:
    """Return what is left of a glob for a longer name than Linux keeps."""
    start = glob.encode("utf-8", "surrogatepass")[:_COMM]
    if any(special in start for special in b"*?["):
        return glob
    return escape(start.decode("utf-8", "surrogateescape"))


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    nothing = r"(?!)"
    return re.compile("|".join(map(translate, globs)) or nothing)
