"""Overlay of settings by their dotted names, wherever each was given: file, environment or flag."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sysmon.adapters import yaml_nodes
from sysmon.adapters.yaml_nodes import Node, Place, Problems, ScalarNode
from sysmon.config.readers import Reader

Tree = Mapping[str, "Tree | None"]
"""The names that a configuration file may hold: each with what may stand below it, None for a value."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that can be set: `name` is dotted; `default` None means that nothing is set.

    `many` stands for a list; `some` for a list that names at least one thing, and each once.
    """

    name: str
    reader: Reader[Any]
    help: str
    default: Any = None
    many: bool = False
    some: bool = False


def tree(settings: Iterable[Setting]) -> Tree:
    """Return the names of settings as they nest in a file, in their order."""
    top: dict[str, Any] = {}
    for setting in settings:
        *above, last = setting.name.split(".")
        level = top
        for part in above:
            level = level.setdefault(part, {})
        level[last] = None
    return top


class Settings:
    """The values that were given, each with its place. What is given later wins."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._given: dict[str, Node] = {}

    def give_file(self, node: Node, tree: Tree, above: str = "") -> None:
        """Take the values of a configuration file; null is no value."""
        for key, value in yaml_nodes.known_keys(node, tree, self.problems, above or "the configuration"):
            dotted = f"{above}.{key}" if above else key
            below = tree[key]
            if below is not None:
                self.give_file(value, below, dotted)
            elif not (isinstance(value, ScalarNode) and value.is_null):
                self._given[dotted] = value

    def give(self, name: str, source: str, text: str) -> None:
        """Take one value from a variable or a flag."""
        self._given[name] = ScalarNode(Place(source, 0, 0), text, plain=False)

    def place(self, name: str) -> Place | None:
        """Return where a setting was given; None where it was not."""
        node = self._given.get(name)
        return None if node is None else node.place

    def places(self) -> dict[str, Place]:
        """Return where each setting that was given stands."""
        return {name: node.place for name, node in self._given.items()}

    def value(self, setting: Setting) -> Any:
        """Return what was given for a setting, read; None where nothing was, or cannot be read (which is noted)."""
        node = self._given.get(setting.name)
        if node is None:
            return None
        if not setting.many:
            return yaml_nodes.read_scalar(node, setting.reader.read, self.problems, setting.name)
        values = yaml_nodes.read_list(node, setting.reader.read, self.problems, setting.name)
        if setting.some and values is not None and (not values or len(set(values)) < len(values)):
            problem = f"{setting.name} {'holds the same twice' if values else 'is empty'}"
            self.problems.add(node.place, f"{problem}: write {setting.reader.words}, or both as a list")
            return None
        return values
