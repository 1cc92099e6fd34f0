"""Local names say what they hold: none of the words that say nothing, and one kind of value for each name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("sysmon", "tests", "benchmarks")
EMPTY = frozenset({"found", "one", "told", "known", "what", "asked"})
"""Words that could stand for anything; fields and keys of files may have them, for those are looked up by name."""

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DISPLAYS: dict[type[ast.expr], str] = {
    ast.JoinedStr: "str",
    ast.List: "list",
    ast.ListComp: "list",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Tuple: "tuple",
    ast.GeneratorExp: "generator",
    ast.Lambda: "function",
}
_BUILT_IN = {"sorted": "list", "len": "int", "float": "int", "repr": "str"} | {
    name: name for name in ("list", "dict", "set", "frozenset", "tuple", "str", "int", "bytes", "bytearray")
}


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body) if not isinstance(function, ast.Lambda) else [function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def parameters(function: Function) -> list[ast.arg]:
    """Return all parameters of a function."""
    arguments = function.args
    single = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *single]


def empty_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of every local name and parameter that says nothing."""
    for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
        for parameter in parameters(function):
            if parameter.arg in EMPTY:
                yield parameter.lineno, parameter.arg
        for node in own_nodes(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in EMPTY:
                yield node.lineno, node.id
            elif isinstance(node, ast.ExceptHandler) and node.name in EMPTY:
                yield node.lineno, node.name
    for outside in (node for node in ast.walk(tree) if isinstance(node, _COMPREHENSIONS)):
        for node in ast.walk(outside):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in EMPTY:
                yield node.lineno, node.id


def kind_of(value: ast.expr) -> str | None:
    """Return the type that an expression has at a glance, None where a glance does not tell."""
    if isinstance(value, ast.Constant):
        if value.value is None or isinstance(value.value, bool):
            return None
        return "int" if isinstance(value.value, float) else type(value.value).__name__
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        name = value.func.id
        return _BUILT_IN.get(name) or (name if name[:1].isupper() else None)
    return _DISPLAYS.get(type(value))


def kind_named(annotation: ast.expr | None) -> str | None:
    """Return the built-in type that an annotation names; None for any other, which may be an alias or have subtypes."""
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return _BUILT_IN.get(annotation.id) if isinstance(annotation, ast.Name) else None


def mixed_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of what is bound to a second type in one function."""
    for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
        kinds: dict[str, set[str]] = defaultdict(set)
        bindings = [
            (parameter.lineno, parameter.arg, kind_named(parameter.annotation)) for parameter in parameters(function)
        ]
        for node in own_nodes(function):
            if isinstance(node, ast.Assign):
                names = [target for target in node.targets if isinstance(target, ast.Name)]
                bindings += [(node.lineno, name.id, kind_of(node.value)) for name in names]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                bindings.append((node.lineno, node.target.id, kind_named(node.annotation)))
            elif isinstance(node, ast.NamedExpr):
                bindings.append((node.lineno, node.target.id, kind_of(node.value)))
        for line, name, kind in sorted(bindings, key=lambda binding: binding[0]):
            if kind is not None:
                kinds[name].add(kind)
                if len(kinds[name]) > 1:
                    yield line, name


def faults(source: str) -> list[str]:
    """Return what one module does against both rules."""
    tree = ast.parse(source)
    empty = [f"{line}: {name} says nothing" for line, name in sorted(set(empty_names(tree)))]
    return empty + [f"{line}: {name} is bound to two types" for line, name in sorted(set(mixed_names(tree)))]


def test_every_local_name_says_what_it_holds() -> None:
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

    faulty = [f"{path.relative_to(ROOT)}:{fault}" for path in paths for fault in faults(path.read_text("utf-8"))]

    assert faulty == []


@pytest.mark.parametrize(
    ("source", "faulty"),
    [
        pytest.param("def read(path):\n    rows = path\n    return rows", [], id="names that say something"),
        pytest.param("def read(what):\n    pass", ["1: what says nothing"], id="a parameter"),
        pytest.param("def read():\n    found = 1", ["2: found says nothing"], id="a local name"),
        pytest.param("def read():\n    for one in []:\n        pass", ["2: one says nothing"], id="a loop"),
        pytest.param("rows = [one for one in ()]", ["1: one says nothing"], id="a comprehension of a module"),
        pytest.param("f = lambda told: told", ["1: told says nothing"], id="a parameter without a name of its own"),
        pytest.param("def read():\n    with f() as asked:\n        pass", ["2: asked says nothing"], id="a context"),
        pytest.param("class Event:\n    told: bool = True", [], id="a field keeps the key of its file"),
        pytest.param("def f(line: str):\n    line = [line]", ["2: line is bound to two types"], id="two types"),
        pytest.param(
            "def f():\n    x = {}\n    x = Reader()", ["3: x is bound to two types"], id="a display and an object"
        ),
        pytest.param("def f():\n    x = 1\n    x = 2.5\n    x = None", [], id="a number or nothing"),
        pytest.param("def f():\n    x = 1\n    def g():\n        x = ''", [], id="a function inside has its own names"),
    ],
)
def test_the_rules_can_be_broken(source: str, faulty: list[str]) -> None:
    assert faults(source) == faulty
