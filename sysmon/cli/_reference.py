"""Markdown reference: what `--help` says of all commands, on one page."""

from collections.abc import Iterable, Iterator

from sysmon.cli._pages import Page, Paragraph


def markdown(pages: Iterable[Page]) -> str:
    """Return the reference."""
    return "".join(f"{line}\n" for page in pages for line in _lines(page))


def _lines(page: Page) -> Iterator[str]:
    yield from (f"{'#' * (len(page.words) + 1)} {page.name}", "", f"`{page.name} {page.usage}`", "")
    for paragraph in page.about:
        yield from _paragraph(paragraph)
    if page.commands:
        yield from ("| command | what it does |", "|---|---|")
        yield from (f"| `{page.name} {name}` | {_cell(about)} |" for name, about in page.commands)
        yield ""
    if page.options:
        yield from ("| option | meaning |", "|---|---|")
        yield from (f"| `{_cell(names)}` | {_cell(about)} |" for names, about in page.options)
        yield ""
    if page.examples:
        yield from ("```sh", *page.examples, "```", "")


def _paragraph(paragraph: Paragraph) -> Iterator[str]:
    yield from ("```text", *paragraph.text.splitlines(), "```", "") if paragraph.kept else (paragraph.text, "")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
