"""The JSON Schema of rule files gives the verdict of `rules check`, wherever a schema can know."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sysmon.alerts.rules.json_schema import build_schema
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import tables
from tests.alerts.rules import test_refused as refused
from tests.alerts.scenes import TABLES

SIDES = "a schema cannot compare two numbers of a file"
TWICE = "a schema cannot see that two items are alike"
WORDS = "it is a matter of what the text means, which patterns cannot tell"
LEVELS = "a schema cannot compare the levels of a rule"
YAML = "an editor's YAML parser has made it something that is allowed"
RANGE = "the length of a duration is no matter of patterns"
EXCEPTIONS = {
    "a rule id twice": TWICE,
    "a clear edge over a limit": SIDES,
    "a clear edge under a falling limit": SIDES,
    "a clear edge of the wrong kind": SIDES,
    "a clear edge at the limit itself": SIDES,
    "a clear edge beside not_equals": SIDES,
    "levels of two directions": LEVELS,
    "silence at one level and a limit at another": LEVELS,
    "a leading zero": YAML,
    "minutes and seconds": YAML,
    "digits in groups": YAML,
    "more bad samples than samples": SIDES,
    "flapping that ends before it begins": SIDES,
    "less than a sample to reduce": RANGE,
    "a reminder once in a blue moon": RANGE,
    "max_gap": RANGE,
    "quiet for ever": RANGE,
    "a message that looks into things": WORDS,
    "a message with half a name": WORDS,
    "minute 61": WORDS,
    "a weekday of another world": WORDS,
    "hours that run backwards": WORDS,
    "quiet for no rule": TWICE,
    "inf": "JSON has no infinity, so a schema cannot speak of it",
}
CORPUS = [
    param
    for mark in refused.test_one_mistake_is_one_line.pytestmark  # type: ignore[attr-defined] # pytest keeps the marks there
    for param in mark.args[1]
]
GOOD = sorted((Path(__file__).parents[3] / "config").rglob("rules.yaml"))


def says_no(text: str, schema: dict[str, Any]) -> bool:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return True
    return not jsonschema.Draft202012Validator(schema).is_valid(document)


@pytest.mark.parametrize("number", range(len(CORPUS)), ids=[str(param.id) for param in CORPUS])
def test_what_check_refuses_the_schema_refuses_but_for_the_exceptions(number: int) -> None:
    param = CORPUS[number]

    assert says_no(param.values[0], build_schema(TABLES)) is (param.id not in EXCEPTIONS)


def test_every_exception_is_in_the_corpus() -> None:
    assert set(EXCEPTIONS) <= {param.id for param in CORPUS}


@pytest.mark.parametrize("file", GOOD, ids=[file.parent.name for file in GOOD])
def test_what_comes_with_sysmon_is_valid(file: Path) -> None:
    jsonschema.Draft202012Validator(build_schema(tables())).validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("each: []\n    warning: {above: 0, clear_equals: 0}", id="no instances"),
        pytest.param("each: [device, kind]\n    info: {not_equals: 1, for: 0s, clear_for: 1h30m}", id="two labels"),
        pytest.param("match: {device: [sd*, nvme*], kind: disk}\n    critical: {below: -150}", id="patterns"),
        pytest.param("warning: {at_least: 1, for: {bad: 3, of: 5}}\n    repeat: 0s", id="samples counted"),
        pytest.param("warning: {absent_for: 90s, clear_for: 0s}\n    gone_after: 1d", id="silence"),
        pytest.param("reduce: {fn: last, over: 20s}\n    flap: {start: 3}\n    info: {at_most: 0.5}", id="reduced"),
    ],
)
def test_what_check_takes_the_schema_takes(tmp_path: Path, rule: str) -> None:
    text = f"version: 1\ndefaults:\nrules:\n  - id: hot\n    metric: busy_percent\n    {rule}\n"
    (tmp_path / "rules.yaml").write_text(text)
    load_rules(tmp_path / "rules.yaml", TABLES, {"work": 10.0})

    assert not says_no(text, build_schema(TABLES))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(build_schema(tables()))
