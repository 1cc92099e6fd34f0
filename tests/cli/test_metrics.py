import json

import pytest
from click.testing import CliRunner

from sysmon.app.admin import metrics
from sysmon.app.catalog import tables
from sysmon.cli.metrics import command
from tests.integration.processes import answer


def list_metrics(*arguments: str) -> str:
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
    assert list_metrics("--format", form) == render(tables().values())


def test_one_table_can_be_asked_for() -> None:
    page = json.loads(list_metrics("--table", "tcp", "--format", "json"))

    assert [table["table"] for table in page["tables"]] == ["tcp"]


def test_the_help_names_every_key_of_the_json() -> None:
    page = json.loads(list_metrics("--format", "json"))
    keys = {*page, *page["tables"][0], *page["tables"][0]["metrics"][0]}

    words = {line.split()[0] for line in list_metrics("--help").splitlines() if line.split()}
    assert keys - words == set()


def test_an_unknown_table_ends_with_2_and_a_line() -> None:
    done = answer("metrics", "--table", "memry")

    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "sysmon: no table 'memry': did you mean 'memory'?\n",
    )
