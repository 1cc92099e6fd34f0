"""The JSON that a report is and the schema that the docs promise say the same."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import json as as_json
from tests.report.render.test_formats import report
from tests.report.reports import write_machine

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "report.schema.json").read_text("utf-8"))


def strict(schema: Any) -> Any:
    """Return a schema that refuses keys which it does not describe."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    return closed | ({"additionalProperties": False} if "properties" in schema else {})


def errors(document: Any) -> list[str]:
    """Return what is wrong with a report."""
    validator = jsonschema.Draft202012Validator(strict(SCHEMA))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@pytest.fixture
def document(tmp_path: Path) -> Any:
    write_machine(tmp_path)
    return json.loads(as_json.render([report(tmp_path), report(tmp_path, 60)], RenderOptions()))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_report_is_as_the_schema_says_and_says_no_more(document: Any) -> None:
    assert errors(document) == []


def test_the_schema_knows_the_version_that_is_written() -> None:
    assert SCHEMA["properties"]["schema"]["const"] == as_json.SCHEMA


@pytest.mark.parametrize("part", ["glance", "tables", "top", "alerts"])
def test_every_part_is_there_to_be_checked(document: Any, part: str) -> None:
    assert document["hosts"][0][part] != []


def test_what_is_no_report_is_told(document: Any) -> None:
    document["hosts"][0]["since"] = "yesterday"
    document["hosts"][1]["news"] = 1

    assert len(errors(document)) == 2
