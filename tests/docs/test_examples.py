"""Every example in the documentation runs as it stands, in a folder with data as they ask for.

An HTML comment before a block says what is special about it: `<!-- not run: why -->` or `<!-- exits 1 -->`.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.processes import SYSMON, environment, run

ROOT = Path(__file__).parents[2]
OWN_TESTS = {"README.md", "docs/files.md", "docs/collectors.md", "docs/commands.md", "CONTRIBUTING.md"}
"""Pages whose examples have tests that look at what comes out."""

BLOCK = re.compile(r"^(?:<!-- (?P<note>.*?) -->\n)?```(?P<language>sh|console|python)\n(?P<text>.*?)^```$", re.M | re.S)
ALARM = "version: 1\nrules:\n- {id: awake, metric: processes_total, warning: {above: 0, for: 0s}}\n"


@dataclass(frozen=True, slots=True)
class Example:
    """A command as a shell would get it, the line of the page that it is on, and what it ends with."""

    line: int
    command: str
    code: int


def pages() -> list[Path]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "howto").glob("*.md")]
    return sorted(page for page in pages if str(page.relative_to(ROOT)) not in OWN_TESTS and list(examples(page)))


def examples(page: Path) -> Iterator[Example]:
    text = page.read_text("utf-8")
    for block in BLOCK.finditer(text):
        note = block["note"] or ""
        if note.startswith("not run: "):
            continue
        code = int(note.removeprefix("exits ")) if note.startswith("exits ") else 0
        line = text.count("\n", 0, block.start("text")) + 1
        if block["language"] == "python":
            yield Example(line, f"python3 - <<'END'\n{block['text']}END", code)
        elif block["language"] == "console":
            for command in re.findall(r"^\$ (.*)$", block["text"], re.M):
                yield Example(line, command, code)
        else:
            yield Example(line, block["text"], code)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    assert run(folder, "--interval", "100ms", "--ticks", "12", rules=ALARM).returncode == 0
    return folder


@pytest.fixture
def desk(watched: Path, tmp_path: Path) -> Path:
    """Return a folder with data and the shipped configuration, and with `sysmon` and `python3` to call."""
    shutil.copytree(watched / "data", tmp_path / "data")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "home").mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, command in (("sysmon", SYSMON), ("python3", [sys.executable])):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        (programs / name).chmod(0o755)
    return tmp_path


def outcome(example: Example, desk: Path) -> "subprocess.CompletedProcess[str]":
    variables = environment(
        PATH=f"{desk / 'bin'}:{environment()['PATH']}",
        PYTHONPATH=str(ROOT),
        HOME=str(desk / "home"),
        SYSMON_DATA_DIR=str(desk / "data"),
        COLUMNS="80",
    )
    return subprocess.run(
        ["/bin/sh", "-ec", example.command],
        cwd=desk,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_work_one_after_the_other(page: Path, desk: Path) -> None:
    if "jq " in page.read_text("utf-8") and shutil.which("jq") is None:
        pytest.skip("jq is not installed (on Debian: apt install jq)")

    failed = [
        f"{page.relative_to(ROOT)}:{example.line}: {example.command}: {done.returncode}: {done.stderr.strip()}"
        for example in examples(page)
        if (done := outcome(example, desk)).returncode != example.code or "Traceback" in done.stderr
    ]

    assert failed == []


def test_what_is_not_run_says_why() -> None:
    texts = {page: page.read_text("utf-8") for page in pages()}

    reasons = [block["note"] for text in texts.values() for block in BLOCK.finditer(text) if block["note"]]
    assert [note for note in reasons if not re.fullmatch(r"exits [123]|not run: .{10,}", note)] == []


def test_no_link_of_any_page_leads_nowhere() -> None:
    lost = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]

    assert lost == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_link_leads_to_a_heading_that_is_not_there() -> None:
    lost = [
        f"{page.relative_to(ROOT)}: {path}#{anchor}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for path, anchor in re.findall(r"\]\(([^)#:]*)#([^)]*)\)", page.read_text("utf-8"))
        if anchor not in anchors(page.parent / path if path else page)
    ]

    assert lost == []
