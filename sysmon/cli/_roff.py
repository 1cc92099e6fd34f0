"""Manual page: the help of one command in the macros of man(7)."""

import re
from collections.abc import Iterator, Sequence

from sysmon import __version__
from sysmon.cli._pages import Page, Paragraph

SECTION = 1
_EXIT_CODES = (
    ("0", "All is well."),
    ("1", "Nothing was found, or something needs attention."),
    ("2", "The command or the configuration is wrong; the message says where and what to write instead."),
    ("3", "There is a result, but some stored data was damaged; the message names file and line."),
)


def file_name(page: Page) -> str:
    """Return what `man` looks for: `sysmon-report.1`."""
    return f"{_title(page.words)}.{SECTION}"


def render(page: Page) -> str:
    """Return the page's source."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    yield f'.TH "{_title(page.words).upper()}" {SECTION} "" "sysmon {__version__}" "sysmon manual"'
    yield from (".SH NAME", rf"{_text(_title(page.words))} \- {_text(page.summary)}")
    yield from (".SH SYNOPSIS", rf"\fB{_text(page.name)}\fR {_text(page.usage)}")
    yield ".SH DESCRIPTION"
    for paragraph in page.about:
        yield from _paragraph(paragraph)
    if page.options:
        yield ".SH OPTIONS"
        yield from _list(page.options)
    if page.commands:
        yield ".SH COMMANDS"
        yield from _list([(f"{page.name} {name}", about) for name, about in page.commands])
    if page.examples:
        yield from (".SH EXAMPLES", ".EX", *map(_line, page.examples), ".EE")
    yield ".SH EXIT STATUS"
    yield from _list(_EXIT_CODES)
    if related := _related(page):
        yield ".SH SEE ALSO"
        yield ", ".join(rf"\fB{_text(_title(words))}\fR({SECTION})" for words in related)


def _related(page: Page) -> list[tuple[str, ...]]:
    above = [page.words[:-1]] if len(page.words) > 1 else []
    return [*above, *((*page.words, name) for name, _ in page.commands)]


def _list(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    for term, about in entries:
        yield from (".TP", rf"\fB{_text(term)}\fR", _line(about))


def _paragraph(paragraph: Paragraph) -> Iterator[str]:
    yield ".PP"
    if paragraph.kept:
        yield from (".EX", *map(_line, paragraph.text.splitlines()), ".EE")
    else:
        yield _line(paragraph.text)


def _title(words: Sequence[str]) -> str:
    return "-".join(words)


def _line(text: str) -> str:
    """Return a line of text; a full stop or quote at its start would be a macro."""
    escaped = _text(text)
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _text(text: str) -> str:
    # groff_char(7): a plain hyphen, quote, caret or tilde may be set as a typographic one, which no shell takes.
    escaped = text.replace("\\", r"\(rs").replace("-", r"\-").replace("'", r"\(aq").replace("^", r"\(ha")
    escaped = escaped.replace("~", r"\(ti").replace("`", r"\(ga")
    return re.sub(r"[^\x00-\x7f]", lambda match: rf"\[u{ord(match[0]):04X}]", escaped)
