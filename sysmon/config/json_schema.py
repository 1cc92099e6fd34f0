"""JSON Schema of the configuration, by which editors complete and check it."""

from collections.abc import Iterable
from typing import Any

from sysmon.config.overlay import Setting

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(settings: Iterable[Setting]) -> dict[str, Any]:
    """Return the schema of a file that may hold these settings and no others."""
    top = _section()
    for setting in settings:
        level = top
        *above, last = setting.name.split(".")
        for part in above:
            level = level["properties"].setdefault(part, _section())
        level["properties"][last] = _value(setting)
    return {"$schema": DIALECT, "title": "The configuration of sysmon", **top}


def _section() -> dict[str, Any]:
    return {"type": ["object", "null"], "additionalProperties": False, "properties": {}}


def _value(setting: Setting) -> dict[str, Any]:
    """Return the schema of one value. An empty one is the default; one thing is as good as a list of it."""
    single = dict(setting.reader.schema())
    ways = single["anyOf"] if set(single) == {"anyOf"} else [single]
    if setting.many:
        some = {"minItems": 1, "uniqueItems": True} if setting.some else {}
        ways = [{"type": "array", "items": single} | some, *ways]
    described = {"description": f"{setting.help[0].upper()}{setting.help[1:]}. {_words(setting)}"}
    if setting.default is not None:
        described["default"] = _plain(setting)
    return described | {"anyOf": [*ways, {"type": "null"}]}


def _words(setting: Setting) -> str:
    words = f"{setting.reader.words}, alone or as a list" if setting.many else setting.reader.words
    return f"{words[0].upper()}{words[1:]}."


def _plain(setting: Setting) -> Any:
    """Return the default as an editor would insert it: what is a number or a switch in YAML stays one."""
    if setting.many:
        return list(setting.default)
    text = setting.reader.schema().get("type") == "string"
    plain = isinstance(setting.default, bool | int | float) and not text
    return setting.default if plain else setting.reader.write(setting.default)
