"""JSON Schema of rule files, for editors: it sees what a schema can see, `sysmon rules check` sees the rest."""

from collections.abc import Mapping
from typing import Any

from sysmon.alerts.rule import Operator
from sysmon.alerts.rules.loader import MAX_RULES
from sysmon.alerts.window import FUNCTIONS
from sysmon.model import Level, Table

_DURATION = {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$"}
_SOME_TIME = {"allOf": [_DURATION, {"not": {"pattern": r"^(0+(\.0+)?(ms|[smhdw]))+$"}}]}
_LIMIT = {"type": "number"}
_WORD = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
_WORDS = {"anyOf": [_WORD, {"type": "array", "items": _WORD, "minItems": 1}]}
_SAMPLES = {"type": "integer", "minimum": 1, "maximum": 1000}
_CLEAR = ("clear_below", "clear_above", "clear_equals")


def build_schema(tables: Mapping[str, Table]) -> dict[str, Any]:
    """Return the schema (2020-12); `tables` say which metrics there are."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sysmon alert rules",
        **_describe_mapping(
            {
                "version": {"const": 1},
                "defaults": {"anyOf": [_describe_mapping(_describe_settings()), {"type": "null"}]},
                "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}, "maxItems": MAX_RULES},
                "quiet": {"type": "array", "items": {"$ref": "#/$defs/quiet"}},
            },
            ["version", "rules"],
        ),
        "$defs": {"rule": _describe_rule(tables), "level": _describe_level(), "quiet": _describe_quiet()},
    }


def _describe_mapping(properties: Mapping[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        "required": required or [],
    }


def _describe_settings() -> dict[str, Any]:
    counted = _describe_mapping({"bad": _SAMPLES, "of": _SAMPLES}, ["bad", "of"])
    flap = {"window": _SOME_TIME, "start": {"type": "integer", "minimum": 2, "maximum": 1000}, "stop": _SAMPLES}
    return {
        "for": {"anyOf": [_DURATION, counted]},
        "clear_for": _DURATION,
        "max_gap": _DURATION,
        "on_missing": {"enum": ["hold", "resolve"]},
        "gone_after": _DURATION,
        "cooldown": _DURATION,
        "repeat": _DURATION,
        "attach": {"type": "integer", "minimum": 0, "maximum": 20},
        "flap": _describe_mapping(flap),
    }


def _describe_rule(tables: Mapping[str, Table]) -> dict[str, Any]:
    metrics = [metric.name for table in tables.values() if table.series for metric in table.metrics]
    share = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    reduce = {"fn": {"enum": sorted(FUNCTIONS)}, "over": _DURATION, "min_coverage": share}
    properties = {
        "id": {"type": ["string", "integer"], "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
        "metric": {"enum": metrics},
        "match": {"type": "object", "additionalProperties": _WORDS},
        "each": {"anyOf": [_WORD, {"type": "array", "items": _WORD}]},
        "reduce": _describe_mapping(reduce, ["fn", "over"]),
        "message": {"type": "string", "maxLength": 500, "pattern": r"\S"},
        **_describe_settings(),
        **{level.value: {"$ref": "#/$defs/level"} for level in Level},
    }
    of_table = [_describe_table(table) for table in tables.values() if table.series]
    levels = [{"required": [level.value]} for level in Level]
    return _describe_mapping(properties, ["id", "metric"]) | {"anyOf": levels, "allOf": of_table}


def _describe_table(table: Table) -> dict[str, Any]:
    """Return that a rule about a metric of a table names only labels of that table."""
    labels = {"enum": list(table.labels)}
    return {
        "if": {"properties": {"metric": {"enum": [metric.name for metric in table.metrics]}}, "required": ["metric"]},
        "then": {
            "properties": {
                "match": {"propertyNames": labels},
                "each": {"anyOf": [labels, {"type": "array", "items": labels}]},
            }
        },
    }


def _describe_level() -> dict[str, Any]:
    operators = [operator.key for operator in Operator]
    limits = dict.fromkeys((*operators, *_CLEAR), _LIMIT)
    own = {key: value for key, value in _describe_settings().items() if key in {"for", "clear_for"}}
    silence = _describe_mapping({"absent_for": _SOME_TIME, "clear_for": _DURATION}, ["absent_for"])
    one_clear = {"maxProperties": 4} | {
        "not": {"anyOf": [{"required": [key, other]} for key in _CLEAR for other in _CLEAR if key < other]}
    }
    value = _describe_mapping({**limits, **own}) | {"oneOf": [{"required": [key]} for key in operators]} | one_clear
    return {"anyOf": [value, silence]}


def _describe_quiet() -> dict[str, Any]:
    properties = {
        "name": _WORD,
        "cron": {"type": "string", "pattern": r"^\s*\S+(\s+\S+){4}\s*$"},
        "for": _SOME_TIME,
        "rules": _WORDS,
        "max_level": {"enum": [level.value for level in Level]},
    }
    return _describe_mapping(properties, ["name", "cron", "for"])
