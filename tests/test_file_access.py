"""Who may open, make, rename or remove a file: the helpers of `sysmon/datadir/files.py`, and the few named here.

A file of a data directory may be anything that somebody put there. Only the helpers know that it may be a FIFO, a link
or another user's, so that nobody else may touch one. An exception here says why it is no file of a data directory.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HELPERS = "sysmon/datadir/files.py"
METHODS = {
    *("read_bytes", "read_text", "write_bytes", "write_text", "touch"),
    *("unlink", "rename", "hardlink_to", "symlink_to", "mkdir", "rmdir", "chmod", "lchmod"),
}
"""Methods of paths, and names of `os`, whatever they are called on; `open` and `replace` are judged by their calls."""

OF_OS = {
    *("open", "remove", "renames", "replace", "link", "symlink", "makedirs", "removedirs"),
    *("chown", "lchown", "truncate", "mkfifo", "mknod"),
}
MODULES = ("shutil", "tempfile", "gzip", "io", "codecs", "bz2", "lzma", "zipfile", "tarfile")
"""Modules of which every function counts."""

OPENED = ("path", "file", "folder", "target", "name", "temporary", "made", "config", "rules", "source", "data")
"""What the receiver of an `.open(` is called that is a path: runs, writers and archives are opened too."""

KERNEL = "a file of the kernel in /proc or /sys, which no user can replace"
SHIPPED = "a file of the program itself"
TERMINAL = "asks the terminal for its width"
NULL = "/dev/null"
SPILL = "the folder of a query, below TMPDIR and its user's own"
UNITS = "a unit file, in a folder of systemd"

EXCEPTIONS = {
    "sysmon/adapters/installation.py": {"installed.read_text": SHIPPED},
    "sysmon/adapters/yaml_nodes.py": {"os.open": "the configuration, which may be a link; what is no file is refused"},
    "sysmon/app/admin/doctor.py": {"Path('/proc/self/mountinfo').read_text": KERNEL, "source.read_text": KERNEL},
    "sysmon/app/admin/init.py": {
        "locations.find_shipped(locations.CONFIG_NAME).read_text": SHIPPED,
        "locations.find_shipped(locations.RULES_NAME).read_text": SHIPPED,
    },
    "sysmon/app/admin/service.py": {"path.read_text": UNITS, "path.unlink": UNITS},
    "sysmon/app/agent/agent.py": {"Path('/proc/sys/kernel/random/boot_id').read_text": KERNEL},
    "sysmon/app/agent/log.py": {"os.open": "the log, which the configuration may send to a pipe or a device"},
    "sysmon/app/agent/run.py": {"os.open": NULL},
    "sysmon/app/export/output_file.py": {"os.open": "a pipe or a device that `-o` names"},
    "sysmon/app/sql/confinement.py": {
        "tempfile.mkdtemp": SPILL,
        "tempfile.gettempdir": SPILL,
        "shutil.rmtree": SPILL,
        "os.open": f"{SPILL}: its lock, and no link is followed",
    },
    "sysmon/app/sql/query.py": {"shutil.disk_usage": "asks how much is free, and opens nothing"},
    "sysmon/cli/__init__.py": {"os.open": NULL},
    "sysmon/cli/_live.py": {"shutil.get_terminal_size": TERMINAL},
    "sysmon/cli/_query.py": {
        "tempfile.SpooledTemporaryFile": "keeps an answer until it is whole, without a name",
        "shutil.copyfileobj": "copies between open files",
    },
    "sysmon/cli/alerts.py": {"shutil.get_terminal_size": TERMINAL},
    "sysmon/cli/query.py": {"shutil.get_terminal_size": TERMINAL},
    "sysmon/cli/report.py": {"shutil.get_terminal_size": TERMINAL},
    "sysmon/config/trust.py": {"Path('/proc/self/uid_map').read_text": KERNEL, "shutil.which": "looks for a program"},
    "sysmon/console/command.py": {"(process / 'environ').read_bytes": KERNEL},
    "sysmon/report/render/formats/html.py": {"(folder / name).read_text": SHIPPED},
    "sysmon/sampling/self_metrics.py": {"os.open": KERNEL},
    "sysmon/storage/lock_holder.py": {
        "(proc / str(pid) / 'status').read_text": KERNEL,
        "(proc / 'locks').read_text": KERNEL,
        "(proc / str(pid) / 'cmdline').read_bytes": KERNEL,
    },
}
"""By file and expression, why it may."""

COLLECTORS, OF_COLLECTORS = "sysmon/collectors/", {"os.open", "read_text", "read_bytes", "write_bytes"}
"""Collectors open files of the kernel and `etc/passwd`, and psutil has numbers with these names; they write nothing."""


def touches(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of every expression that reaches for a file by its name, called or handed on."""
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"os", *MODULES}:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names if alias.name[0].islower())
        if isinstance(node, ast.Name) and node.id == "open" and isinstance(node.ctx, ast.Load) and id(node) in calls:
            yield node.lineno, "open"
        if isinstance(node, ast.Attribute) and _reaches_for_a_file(node, calls.get(id(node))):
            yield node.lineno, ast.unparse(node)


def _reaches_for_a_file(node: ast.Attribute, call: ast.Call | None) -> bool:
    owner = ast.unparse(node.value)
    if owner in MODULES:
        return node.attr[0].islower() or owner == "tempfile"
    if owner == "os":
        return node.attr in METHODS | OF_OS
    if node.attr == "open":
        return (call is not None and owner.rpartition(".")[2].lstrip("_").endswith(OPENED)) or owner.startswith("Path(")
    if node.attr == "replace":  # a path's takes one argument, a text's two and an instant's or a dataclass's names
        return call is not None and len(call.args) == 1 and not call.keywords
    return node.attr in METHODS


def faults(file: str, source: str) -> list[str]:
    """Return what in one file reaches for files and may not."""
    allowed = EXCEPTIONS.get(file, {})
    if file == HELPERS:
        return []
    refused = [(line, text) for line, text in touches(ast.parse(source)) if text not in allowed]
    if file.startswith(COLLECTORS):
        refused = [(line, text) for line, text in refused if {text, text.rpartition(".")[2]}.isdisjoint(OF_COLLECTORS)]
    return [f"{file}:{line}: {text}" for line, text in refused]


def sources() -> dict[str, str]:
    """Return the source of every module of the program by its path."""
    paths = sorted((ROOT / "sysmon").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def test_only_the_helpers_reach_for_files_by_their_names() -> None:
    assert [fault for file, source in sources().items() for fault in faults(file, source)] == []


def test_every_exception_is_needed() -> None:
    program = sources()
    used = {file: {text for _, text in touches(ast.parse(program.get(file, "")))} for file in EXCEPTIONS}

    assert {file: set(texts) - used[file] for file, texts in EXCEPTIONS.items() if set(texts) - used[file]} == {}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        pytest.param("open(path)", "open", id="open"),
        pytest.param("os.open(path, 0)", "os.open", id="os.open"),
        pytest.param("with path.open('rb') as file: ...", "path.open", id="a path's open"),
        pytest.param("self._path.open()", "self._path.open", id="a path that is kept"),
        pytest.param("Path(name).open()", "Path(name).open", id="a path that is made"),
        pytest.param("gzip.open(path)", "gzip.open", id="gzip"),
        pytest.param("path.read_text()", "path.read_text", id="read_text"),
        pytest.param("act(path.unlink)", "path.unlink", id="handed on"),
        pytest.param("made.replace(path)", "made.replace", id="a path's replace"),
        pytest.param("os.replace(made, path)", "os.replace", id="os.replace"),
        pytest.param("shutil.rmtree(path)", "shutil.rmtree", id="shutil"),
        pytest.param("tempfile.mkstemp()", "tempfile.mkstemp", id="tempfile"),
        pytest.param("from shutil import rmtree", "shutil.rmtree", id="shutil under a name"),
        pytest.param("from os import open", "os.open", id="os under a name"),
        pytest.param("target.hardlink_to(path)", "target.hardlink_to", id="hardlink_to"),
        pytest.param("path.chmod(0o600)", "path.chmod", id="chmod"),
        pytest.param("text.replace('a', 'b')", None, id="a text's replace"),
        pytest.param("at.replace(hour=0)", None, id="an instant's replace"),
        pytest.param("dataclasses.replace(row, at=at)", None, id="a dataclass's replace"),
        pytest.param("os.fdopen(descriptor)", None, id="a descriptor"),
        pytest.param("hour.open |= file.open", None, id="a field"),
        pytest.param("Archive.open(data, host)", None, id="an archive"),
        pytest.param("from os import fsync", "os.fsync", id="os is used by its name"),
    ],
)
def test_the_rule_can_be_broken(source: str, fault: str | None) -> None:
    lines = [line.split(": ", 1)[1] for line in faults("sysmon/storage/writer.py", source)]

    assert lines == ([] if fault is None else [fault])
