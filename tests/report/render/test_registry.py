"""What every report format keeps to: a new file in `sysmon/report/render/formats/` is offered, and held to this."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from sysmon.app.reports.report import Detail, build_report
from sysmon.model import Origin
from sysmon.report.buckets import split_range
from sysmon.report.render import FORMATS, Format, RenderOptions
from sysmon.report.summary import Report
from tests.reading.stored import at
from tests.report.reports import KNOWN, limits, whole_hour, write_machine

OPTIONS = RenderOptions(zone=UTC)
HALF = timedelta(minutes=30)
DETAILS: dict[str, Callable[[Detail], Detail]] = {
    "": lambda usual: usual,
    "compare": lambda usual: replace(usual, compare=HALF),
    "by": lambda usual: replace(usual, by="core"),
    "bucket": lambda usual: replace(usual, edges=split_range(at(1800), at(3600), timedelta(minutes=10), UTC)),
}
each_format = pytest.mark.parametrize("name", FORMATS)


def second_half(data: Path, form: Format, way: str) -> Report:
    """Return the second half of the hour, looked at in one way."""
    selection = replace(whole_hour(data), since=at(1800))
    detail = DETAILS[way](Detail(limits=limits(data)))
    return build_report(selection, KNOWN, lambda names: form.trend_points(names, HALF, OPTIONS), detail).report


@each_format
@pytest.mark.parametrize("way", DETAILS)
def test_a_format_shows_what_it_does_not_refuse(tmp_path: Path, name: str, way: str) -> None:
    form = FORMATS[name]
    write_machine(tmp_path)

    page = form.render([second_half(tmp_path, form, way)], OPTIONS)

    shown = page.endswith("\n"), "nan" in page.lower(), "web-01" in page, "cpu_usage_percent" in page
    assert shown == (True, False, True, True) or way in form.unsupported


@each_format
def test_a_format_shows_every_host(tmp_path: Path, name: str) -> None:
    form = FORMATS[name]
    write_machine(tmp_path)
    report = second_half(tmp_path, form, "")

    page = form.render([report, replace(report, origin=Origin("web-02"))], OPTIONS)

    assert [host in page for host in ("web-01", "web-02")] == [True, True]


@each_format
def test_a_format_says_whom_it_is_for_and_is_documented(name: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "report.md").read_text("utf-8")

    assert (FORMATS[name].audience[:4], f"\n## --format {name}\n" in page) == ("for ", True)


@pytest.mark.parametrize("name", ["_hidden", "cvs", "json.tool", "../text", ""])
def test_what_is_no_format_is_not_imported(name: str) -> None:
    assert (name in FORMATS, FORMATS.get(name)) == (False, None)


def test_a_report_imports_no_format_but_its_own(tmp_path: Path) -> None:
    write_machine(tmp_path)
    program = (
        "import sys\nfrom sysmon.cli import answer\nanswer(sys.argv[1:])\n"
        "print(*sorted(name for name in sys.modules if name.startswith('sysmon.report.render.formats.')))"
    )

    command = ["report", "--data", str(tmp_path), "--since", "2026-11-20", "--until", "2026-11-21"]
    done = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=True, timeout=300
    )

    assert done.stdout.splitlines()[-1] == "sysmon.report.render.formats.text"
