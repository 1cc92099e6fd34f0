"""The JSON Schema of the configuration: the same verdict as the loader's, wherever a schema can know."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sysmon import config
from sysmon.config import readers
from sysmon.config.readers import Reader
from sysmon.errors import ConfigError, UsageError
from tests.config.test_broken_config import BROKEN
from tests.config.test_config import SHIPPED

SCHEMA = config.schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
NOT_YAML = "an editor's YAML parser says so, before any schema"
OUR_YAML = "YAML allows it and sysmon does not: a schema only sees what was meant"
BOUNDS = "of a duration or a size a pattern knows only the form"
NUMBERS = "an editor's YAML parser has made it a number that is within the bounds"
EXCEPTIONS = {
    "bad bytes": NOT_YAML,
    "a terminal sequence": NOT_YAML,
    "a tab": NOT_YAML,
    "an open quote": NOT_YAML,
    "an escape beyond Unicode": NOT_YAML,
    "an unquoted star": NOT_YAML,
    "an alias": NOT_YAML,
    "two documents": NOT_YAML,
    "another encoding": OUR_YAML,
    "a key twice": OUR_YAML,
    "an anchor": OUR_YAML,
    "more than a mebibyte": OUR_YAML,
    "an octal number": NUMBERS,
    "a float for a whole number": NUMBERS,
    "a sync too rare": BOUNDS,
    "an interval beyond numbers": BOUNDS,
    "an interval too short": BOUNDS,
    "a size too small": BOUNDS,
    "a size beyond numbers": BOUNDS,
    "a rotation that divides no day": BOUNDS,
    "not a number": "JSON has no NaN, so a schema cannot speak of it",
    "an interval that is no multiple": "a relation between two values",
}
GOOD = [
    pytest.param("", id="nothing"),
    pytest.param(SHIPPED.read_text(), id="every default"),
    pytest.param("storage:\nlabels: ~\ncollectors: {cpu: , process: {top: null}}", id="empty values"),
    pytest.param(
        "storage: {formats: csv, rotation: 1d, sync_interval: 0s, min_free: 0B, max_bytes: 1.5 GiB}", id="bounds"
    ),
    pytest.param("storage: {rotation: 30m, compress_after: 1h30m, retention: {rows: 52w, csv: 90s}}", id="durations"),
    pytest.param("interval: 0.5s", id="a fraction"),
    pytest.param("mask: {processes: [a*, 7], users: root, mountpoints: ['/mnt/*']}", id="a mask"),
    pytest.param("labels: {role: 12, region: true, environment: 1.5}", id="labels that look like something else"),
    pytest.param("collectors: {cpu: {enabled: 'False'}, process: {top: '7', kernel_threads: True}}", id="quotes"),
    pytest.param("logging: {level: WARNING, format: Json, file: ~/log}", id="capital letters"),
    pytest.param("resource_limits: {cpu_percent: 0.5, memory: 64MB, action: slow_down}", id="limits"),
]


class _Core(yaml.SafeLoader):
    """YAML as editors read it: the core schema of version 1.2, in which `on`, `1:30` and dates are text."""


_Core.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.nan|\.inf", "-+.0123456789"),
):
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def accepted(data: bytes) -> bool:
    """Say whether the schema accepts a file, as an editor would read it."""
    document = yaml.load(data, Loader=_Core)  # noqa: S506 - a safe loader with fewer kinds of values
    return bool(VALIDATOR.is_valid(document))


def loads(file: Path) -> bool:
    """Say whether the loader accepts a file."""
    try:
        config.load(config=file, environ={"HOME": "/nowhere"})
    except ConfigError:
        return False
    return True


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", GOOD)
def test_what_loads_is_accepted(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sysmon.yaml"
    file.write_text(text)

    assert (loads(file), accepted(text.encode())) == (True, True)


@pytest.mark.parametrize(("data", "line"), [case for case in BROKEN if case.id not in EXCEPTIONS])
def test_what_does_not_load_is_not_accepted(data: bytes, line: str) -> None:
    assert not accepted(data), line


def test_every_exception_is_a_file_of_the_corpus() -> None:
    assert set(EXCEPTIONS) <= {case.id for case in BROKEN}


@pytest.mark.parametrize(
    ("data", "line"), [case for case in BROKEN if case.id in EXCEPTIONS and EXCEPTIONS[str(case.id)] != NOT_YAML]
)
def test_an_exception_is_needed(data: bytes, line: str) -> None:
    assert accepted(data), line


@pytest.mark.parametrize(
    "data", [pytest.param(*case.values[:1], id=case.id) for case in BROKEN if EXCEPTIONS.get(str(case.id)) == NOT_YAML]
)
def test_what_is_no_yaml_is_refused_by_any_parser(data: bytes) -> None:
    with pytest.raises((yaml.YAMLError, OverflowError, ValueError)):  # the last two where Python itself gives up
        yaml.load(data, Loader=_Core)  # noqa: S506 - a safe loader with fewer kinds of values


def test_every_setting_is_described_with_its_default() -> None:
    described = {setting.name: _described(setting.name) for setting in config.settings()}

    assert [name for name, value in described.items() if not value["description"].endswith(".")] == []
    assert (described["interval"]["default"], described["collectors.process.top"]["default"]) == ("10s", 10)
    assert (described["storage.formats"]["default"], described["storage.max_bytes"]["default"]) == (
        ["jsonl", "csv"],
        "2GiB",
    )


def _described(name: str) -> dict[str, Any]:
    at: Any = SCHEMA
    for part in name.split("."):
        at = at["properties"][part]
    return dict(at)


FORMS = ["{}ms", "{}s", "{}m", "{}h", "{}d", "{}w", "{}B", "{}kB", "{}KiB", "{} MiB", "{} GiB", "{}TB"]
AMOUNTS = st.integers(0, 1000).map(str) | st.floats(0, 1000, allow_nan=False).map(lambda x: f"{x:.3f}")
VALUES = st.lists(st.tuples(st.sampled_from(FORMS), AMOUNTS), min_size=1, max_size=3).map(
    lambda parts: "".join(form.format(amount) for form, amount in parts)
)
READERS = [
    pytest.param(readers.duration(timedelta(0), timedelta(days=36_500)), id="duration"),
    pytest.param(readers.size(0), id="size"),
    pytest.param(readers.whole(None, None), id="whole number"),
]


@pytest.mark.parametrize("reader", READERS)
@given(text=VALUES | AMOUNTS)
@example(text="1h30m")
@example(text="0.5s")
@example(text="1.5 GiB")
@example(text="-7")
@example(text="007")
def test_a_pattern_is_of_the_form_that_loads(reader: Reader[Any], text: str) -> None:
    quoted = jsonschema.Draft202012Validator(reader.schema())

    assert quoted.is_valid(text) is _reads(reader, text)


def _reads(reader: Reader[Any], text: str) -> bool:
    try:
        reader.read(text)
    except UsageError:
        return False
    return True
