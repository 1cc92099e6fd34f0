"""Include and exclude filters: which devices, mounts and interfaces are watched?

The rule is the same wherever a collector has both settings:

1. A name that matches a pattern of `include` is watched, whatever else speaks against it.
2. Else a name that matches a pattern of `exclude` is not.
3. Else the collector's own rule decides (partitions and pseudo file systems are left out, for example).

So `include` brings things back and never hides others; to watch only one thing, exclude `*` and include that one.
Patterns are globs (`*`, `?`, `[...]`) that must match the whole name, upper and lower case apart.
"""

import re
from collections.abc import Iterable
from fnmatch import translate


class Filter:
    """One pair of `include` and `exclude`."""

    def __init__(self, include: Iterable[str], exclude: Iterable[str]) -> None:
        self._include = _any_of(include)
        self._exclude = _any_of(exclude)

    def includes(self, name: str) -> bool:
        """Say whether `include` asks for this name."""
        return self._include.match(name) is not None

    def allows(self, name: str, *, otherwise: bool = True) -> bool:
        """Say whether a name is watched; `otherwise` is the collector's own rule for it."""
        if self.includes(name):
            return True
        return otherwise and self._exclude.match(name) is None


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    nothing = r"(?!)"
    return re.compile("|".join(map(translate, globs)) or nothing)
