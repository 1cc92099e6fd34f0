"""Settings reference: every setting with its default, possible values and meaning, in Markdown."""

from collections.abc import Iterable, Iterator

from sysmon.config import Setting, variables


def markdown(settings: Iterable[Setting]) -> str:
    """Return the settings as tables of Markdown, one for each section."""
    names = {name: variable for variable, name in variables().items()}
    return "".join(f"{line}\n" for line in _lines(list(settings), names))


def _lines(settings: list[Setting], variables: dict[str, str]) -> Iterator[str]:
    section: str | None = None
    for setting in settings:
        above, _, name = setting.name.rpartition(".")
        if above != section:
            yield from [
                "",
                f"### {above or 'At the top'}",
                "",
                "| setting | default | may be | meaning |",
                "|---|---|---|---|",
            ]
            section = above
        about = f"{setting.help[0].upper()}{setting.help[1:]}"
        if setting.name in variables:
            about += f" (`{variables[setting.name]}`)"
        words = f"{setting.reader.words}, alone or as a list" if setting.many else setting.reader.words
        yield f"| `{name}` | {_default(setting)} | {words} | {about}. |"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "not set"
    if not setting.many:
        return f"`{setting.reader.write(setting.default)}`"
    return f"`[{', '.join(setting.default)}]`"
