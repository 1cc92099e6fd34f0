"""`sysmon report --format html` from the outside: where the page goes, and how fine it is."""

from pathlib import Path

import pytest

from sysmon.cli import answer
from tests.integration.processes import SYSMON, environment
from tests.integration.terminals import Terminal
from tests.reading.stored import stamp
from tests.report.render.formats.test_html import payload
from tests.report.reports import write_machine

HOUR = ["--since", stamp(0), "--until", stamp(3600), "--format", "html"]


def test_a_page_goes_to_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path / "data")

    code = answer(["report", "--data", str(tmp_path / "data"), *HOUR, "-o", str(tmp_path / "hour.html")])

    text = (tmp_path / "hour.html").read_text("utf-8")
    assert (code, capfd.readouterr(), text[:15], text[-8:]) == (0, ("", ""), "<!DOCTYPE html>", "</html>\n")


def test_a_page_goes_to_standard_output_and_is_as_fine_as_the_samples(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_machine(tmp_path)

    code = answer(["report", "--data", str(tmp_path), *HOUR])

    out, err = capfd.readouterr()
    assert (code, err, [chart["parts"] for chart in payload(out)["charts"]][:2]) == (0, "", [60, 60])


def test_a_terminal_is_told_to_name_a_file(tmp_path: Path) -> None:
    write_machine(tmp_path)

    with Terminal(80, 24) as terminal:
        process = terminal.start([*SYSMON, "report", "--data", str(tmp_path), *HOUR], environment())
        terminal.until(lambda: terminal.lines)

        assert terminal.lines == ["sysmon: --format html is not for a terminal: write it to a file, as in -o FILE"]
        assert process.wait(180) == 2
