"""The manual: every command has a page that `man` sets without a complaint."""

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from sysmon.cli import _pages, _roff, answer, cli
from sysmon.cli._pages import Page, Paragraph

ROOT = Path(__file__).parent.parent.parent
MAN = shutil.which("man") or ""
PAGES = list(_pages.collect_pages(cli))


def test_every_command_has_a_page() -> None:
    names = set(cli.list_commands(click.Context(cli)))

    assert names <= {page.words[1] for page in PAGES if len(page.words) == 2}


def test_a_page_says_all_that_help_says() -> None:
    @click.command(help="First.\n\n\b\nkept as\n  it is\n\nflowing\ntext", epilog="\b\nExample:\n  sysmon try -x")
    @click.option("--often", default=3, show_default=True, help="How\noften.")
    def trial() -> None: ...

    (page,) = _pages.collect_pages(trial, ("sysmon", "try"))

    assert page == Page(
        words=("sysmon", "try"),
        summary="First",
        usage="[OPTIONS]",
        about=(
            Paragraph("First.", kept=False),
            Paragraph("kept as\n  it is", kept=True),
            Paragraph("flowing text", kept=False),
        ),
        options=(
            ("--often INTEGER", "How often. [default: 3]"),
            ("-h, --help", "Show this message and exit."),
        ),
        commands=(),
        examples=("sysmon try -x",),
    )


def test_no_text_becomes_a_macro_or_a_dash_that_no_shell_takes() -> None:
    page = Page(
        words=("sysmon", "try"),
        summary="Try",
        usage="A|B",
        about=(Paragraph(".dots 'quotes' back\\slash ~ é", kept=False),),
        options=(),
        commands=(),
        examples=("'a' -o ~/x",),
    )

    lines = _roff.render(page).splitlines()

    assert [line for line in lines if "dots" in line or "/x" in line] == [
        r"\&.dots \(aqquotes\(aq back\(rsslash \(ti \[u00E9]",
        r"\(aqa\(aq \-o \(ti/x",
    ]


@pytest.mark.skipif(not MAN, reason="man is not installed")
def test_man_sets_every_page_without_a_complaint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = answer(["manual", "-o", str(tmp_path)])

    complaints = [
        done.stderr or f"{path.name}: no text"
        for path in sorted(tmp_path.iterdir())
        for done in [subprocess.run([MAN, "--warnings", "-l", path], capture_output=True, text=True, check=False)]
        if done.returncode or done.stderr or "SYNOPSIS" not in done.stdout
    ]
    assert (code, len(list(tmp_path.iterdir())), complaints) == (0, len(PAGES), [])


def test_the_reference_in_the_docs_is_that_of_this_program(capsys: pytest.CaptureFixture[str]) -> None:
    answer(["manual", "--format", "markdown"])

    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert page.partition("\n## sysmon\n")[2] == capsys.readouterr().out.partition("## sysmon\n")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "no folder: write sysmon manual -o ~/.local/share/man/man1", id="no folder"),
        pytest.param(
            ["--format", "markdown", "-o", "x"],
            "-o is for manual pages; send Markdown to a file with `>`",
            id="a folder for one page",
        ),
        pytest.param(
            ["-o", "/dev/null/x"], "/dev/null/x: no folder (Not a directory): name another one with -o", id="no place"
        ),
    ],
)
def test_what_cannot_be_written_is_told_in_a_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = answer(["manual", *arguments])

    assert (code, *capsys.readouterr()) == (2, "", f"sysmon: {said}\n")
