"""Command help as data, for the manual pages and the reference in the docs."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click

_KEEP = "\b"
"""click's mark for a paragraph whose lines stay as they are."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some lines of help; `kept` says that they stay apart, else they are one flowing text."""

    text: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One command: how it is called, what it does, its options, the commands below it, lines that can be pasted."""

    words: tuple[str, ...]
    summary: str
    usage: str
    about: tuple[Paragraph, ...]
    options: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the words that call it."""
        return " ".join(self.words)


def collect_pages(command: click.Command, words: tuple[str, ...] = ("sysmon",)) -> Iterator[Page]:
    """Yield the page of a command and then those of the commands below it."""
    context = click.Context(command, info_name=" ".join(words))
    context.help_option_names = ["-h", "--help"]
    below = _below(command, context)
    yield Page(
        words=words,
        summary=command.get_short_help_str(limit=200).rstrip("."),
        usage=" ".join(command.collect_usage_pieces(context)),
        about=tuple(_paragraphs(command.help or "")),
        options=tuple(_options(command, context)),
        commands=tuple((name, child.get_short_help_str(limit=200)) for name, child in below),
        examples=tuple(_examples(command.epilog or "")),
    )
    for name, child in below:
        yield from collect_pages(child, (*words, name))


def _below(command: click.Command, context: click.Context) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return []
    children = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return [(name, child) for name, child in children if child is not None and not child.hidden]


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield record[0], " ".join(record[1].split())


def _paragraphs(text: str) -> Iterator[Paragraph]:
    for part in inspect.cleandoc(text).split("\n\n"):
        kept = part.startswith(_KEEP)
        lines = part.removeprefix(_KEEP).strip("\n")
        if lines:
            yield Paragraph(lines if kept else " ".join(lines.split()), kept)


def _examples(epilog: str) -> Iterator[str]:
    return (line.strip() for line in epilog.splitlines() if line.startswith("  "))
