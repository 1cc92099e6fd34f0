import json

import pytest
from click.testing import CliRunner

from sysmon.app.admin import metrics
from sysmon.app.catalog import tables
from sysmon.cli.metrics import command
from tests.integration.processes import answer


def told(*arguments: str) -> str:
    return CliRunner().invoke(command, arguments, catch_exceptions=False).output


@pytest.mark.parametrize(
    ("form", "render"),
    [
        pytest.param("text", metrics.to_text, id="text"),
        pytest.param("json", metrics.to_json, id="json"),
        pytest.param("markdown", metrics.to_markdown, id="markdown"),
    ],
)
def test_each_format_tells_every_table(form: str, render: metrics.Render) -> None:
    assert told("--format", form) == render(tables().values())


def test_one_table_can_be_asked_for() -> None:
    found = json.loads(told("--table", "tcp", "--format", "json"))

    assert [table["table"] for table in found["tables"]] == ["tcp"]


def test_the_help_names_every_key_of_the_json() -> None:
    found = json.loads(told("--format", "json"))
    keys = {*found, *found["tables"][0], *found["tables"][0]["metrics"][0]}

    words = {line.split()[0] for line in told("--help").splitlines() if line.split()}
    assert keys - words == set()


def test_an_unknown_table_ends_with_2_and_a_line() -> None:
    done = answer("metrics", "--table", "memry")

    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "sysmon: no table 'memry': did you mean 'memory'?\n",
    )
