"""Spelling suggestions, for messages that end with `did you mean`."""

from collections.abc import Iterable


def closest(word: str, words: Iterable[str]) -> str | None:
    """Return the known word that is most like another; None where none is like it."""
    import difflib  # only where somebody misspelt something: a run keeps what it imports for months

    return next(iter(difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)), None)
