"""`sysmon manual`: manual pages of all commands, or one page of Markdown."""

from pathlib import Path

import click

from sysmon.cli._options import example, path
from sysmon.errors import UsageError


@click.command(
    short_help="Write manual pages for `man`.",
    epilog=example(
        "sysmon manual -o ~/.local/share/man/man1",
        "sysmon manual --format markdown",
    ),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["man", "markdown"]),
    default="man",
    show_default=True,
    help="A file a command for `man`, or one page on standard output.",
)
@click.option("-o", "--output", type=path, metavar="DIR", help="The folder for `man`, such as ~/.local/share/man/man1.")
def command(form: str, output: Path | None) -> None:
    """Write what `--help` says of every command as pages for `man`, or as one page of Markdown."""
    from sysmon.cli import _pages, _reference, _roff, cli

    pages = list(_pages.collect_pages(cli))
    if form == "markdown":
        if output is not None:
            raise UsageError("-o is for manual pages; send Markdown to a file with `>`")
        click.echo(_reference.markdown(pages), nl=False)
        return
    if output is None:
        raise UsageError("no folder: write sysmon manual -o ~/.local/share/man/man1")
    _write(output, {_roff.file_name(page): _roff.render(page) for page in pages})
    click.echo(f"{len(pages)} pages in {output}: try `man -l {output / 'sysmon.1'}`")


def _write(folder: Path, files: dict[str, str]) -> None:
    from sysmon.app.export.output_file import make_folder, replace_output

    make_folder(folder)
    for name, text in files.items():
        with replace_output(folder / name) as file:
            file.write(text.encode())
