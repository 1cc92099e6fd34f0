"""Every proof that the page of promises names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/promises.md").read_text("utf-8")


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)

    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or f"\ndef {name}(" not in (ROOT / file).read_text("utf-8")
    ]
    assert (missing, len(named) > 30) == ([], True)


def test_every_script_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:tests/scripts|benchmarks)/\w+\.py)`", PAGE))

    assert {path for path in named if not (ROOT / path).is_file()} == set()


def test_every_promise_has_a_test() -> None:
    _, *parts = re.split(r"^\*\*(\d+)\. ", PAGE, flags=re.M)
    promises = {int(number): text for number, text in zip(parts[::2], parts[1::2], strict=True)}

    untested = [number for number, text in promises.items() if "::" not in text]
    assert (sorted(promises), untested) == (list(range(1, 16)), [])
