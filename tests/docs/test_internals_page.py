"""The page about the internals names files, classes and folders that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "internals.md").read_text("utf-8")
GLOSSARY = PAGE.partition("\n## Glossary\n")[2]


def find(path: str) -> Path | None:
    """Return the file or folder that the page means, None where there is none."""
    return next((place for place in (ROOT / "sysmon" / path, ROOT / path) if place.exists()), None)


def top_names(path: Path) -> set[str]:
    """Return the classes and functions of a module."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def test_every_path_that_is_named_exists() -> None:
    paths = re.findall(r"`((?:[\w.]+/)+[\w.]*|[\w/]+\.py)`", PAGE)

    assert ([path for path in paths if find(path) is None], len(paths) > 100) == ([], True)


def test_every_name_of_the_glossary_is_in_the_module_beside_it() -> None:
    places = re.findall(r"`([\w/]+\.py)`((?:[:,] `\w+`)+)", GLOSSARY)

    missing = [
        f"{path}: {name}"
        for path, names in places
        for name in re.findall(r"`(\w+)`", names)
        if (module := find(path)) is None or name not in top_names(module)
    ]
    assert (missing, len(places) > 30) == ([], True)


def test_every_folder_of_the_program_is_in_the_table_of_folders() -> None:
    rows = set(re.findall(r"^\| `([\w/]+)/` \|", PAGE, re.MULTILINE))
    families = {path.parent for path in (ROOT / "sysmon" / "app").glob("*/__init__.py")}
    folders = {path.parent for path in (ROOT / "sysmon").glob("*/__init__.py")} | families

    assert rows == {str(path.relative_to(ROOT / "sysmon")) for path in folders} - {"app"}
