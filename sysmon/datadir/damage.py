"""Damage counter: what could not be read, and where; nothing is skipped without being counted here."""

from pathlib import Path

from sysmon.errors import DamagedError
from sysmon.text.names import printable

KEPT = 20
"""How many places an answer tells."""


class Damage:
    """Counts what readers had to skip; a line that is merely not finished yet is mentioned and is no damage.

    `kept` is how many places are remembered in words; the rest are only counted. A strict one raises DamagedError at
    the first.
    """

    def __init__(self, kept: int = KEPT, *, strict: bool = False) -> None:
        self._kept = kept
        self._strict = strict
        self.count = 0
        self.lines: list[str] = []
        self.unfinished: list[str] = []

    def note(self, path: Path, line: int | None, reason: str) -> None:
        """Count one thing that was skipped: a line (numbered from 1), or what is left of a file."""
        self.count += 1
        if len(self.lines) < self._kept:
            place = str(path) if line is None else f"{path}:{line}"
            self.lines.append(printable(f"{place}: {reason}"))
        if self._strict:
            raise DamagedError(f"{self.lines[-1]}: --strict answers nothing beside damage: `sysmon verify` lists all")

    def note_unfinished(self, path: Path) -> None:
        """Mention a file whose last line has no newline."""
        if len(self.unfinished) < self._kept:
            self.unfinished.append(printable(str(path)))

    def add(self, other: "Damage", *, after: int) -> None:
        """Take over what another one counted, but for the first `after`, which was told before."""
        self.count += max(0, other.count - after)
        self.lines += other.lines[after:][: self._kept - len(self.lines)]

    def messages(self) -> list[str]:
        """Return what a person has to know, a line each."""
        messages = [f"{path}: the last line is not finished and was left out" for path in self.unfinished]
        messages += [f"skipped {line}" for line in self.lines]
        if self.count > len(self.lines):
            messages.append(
                f"skipped {self.count} lines or parts of files in all: only the first {self._kept} are listed"
            )
        return messages
