"""Watch one machine, keep what it did in plain files, and say what happened, when, and who did it."""

__version__ = "0.1.0"
