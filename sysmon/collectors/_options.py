"""Options of a collector that has none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoOptions:
    """There is nothing to set."""
