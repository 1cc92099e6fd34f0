import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.adapters import yaml_nodes
from sysmon.adapters.yaml_nodes import MappingNode, Node, Place, Problems, ScalarNode, SequenceNode
from sysmon.errors import ConfigError
from tests.programs import Program


def told(data: bytes) -> list[str]:
    """Return what is said about a file."""
    with pytest.raises(ConfigError) as refused:
        yaml_nodes.load(data, "f.yaml")
    return str(refused.value).split("\n")


def texts(node: Node) -> Any:
    """Return a node as plain Python, without places."""
    if isinstance(node, MappingNode):
        return {key: texts(value) for key, value in node.entries.items()}
    return [texts(item) for item in node.items] if isinstance(node, SequenceNode) else node.text


def test_every_value_keeps_its_place() -> None:
    top = yaml_nodes.load(b"# why\na:\n  b: [x, 'y']\n", "f.yaml")

    inner = top.entries["a"]
    assert (top.keys["a"], inner) == (
        Place("f.yaml", 2, 1),
        MappingNode(
            Place("f.yaml", 3, 3),
            {
                "b": SequenceNode(
                    Place("f.yaml", 3, 6),
                    (ScalarNode(Place("f.yaml", 3, 7), "x"), ScalarNode(Place("f.yaml", 3, 10), "y", plain=False)),
                )
            },
            {"b": Place("f.yaml", 3, 3)},
        ),
    )


@pytest.mark.parametrize("text", ["on", "10:30", "017", "1e3", "2026-11-20", "0x1F", "yes", "1_000", "<<", "="])
def test_a_value_stays_the_text_that_was_typed(text: str) -> None:
    assert texts(yaml_nodes.load(f"a: {text}\n".encode(), "f.yaml")) == {"a": text}


@pytest.mark.parametrize(
    ("text", "is_null"),
    [("", True), ("~", True), ("null", True), ("''", False), ("'null'", False), ("none", False), ("0", False)],
)
def test_null_is_what_is_left_empty(text: str, is_null: bool) -> None:
    value = yaml_nodes.load(f"a: {text}\n".encode(), "f.yaml").entries["a"]

    assert isinstance(value, ScalarNode)
    assert value.is_null is is_null


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="no byte"),
        pytest.param(b"# only a comment\n", id="a comment"),
        pytest.param(b"---\n", id="an empty document"),
        pytest.param(b"\xef\xbb\xbf", id="a byte order mark"),
        pytest.param(b"~\n", id="null"),
    ],
)
def test_an_empty_file_holds_nothing(data: bytes) -> None:
    assert yaml_nodes.load(data, "f.yaml").entries == {}


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm() -> None:
    assert texts(yaml_nodes.load(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f.yaml")) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param(b"a: \xff\n", "f.yaml:1:4: byte 0xff is not UTF-8: save the file as UTF-8", id="bad bytes"),
        pytest.param(b"a: 1\nb: \x07\n", "f.yaml:2:4: character U+0007 may not stand in YAML: remove it", id="a bell"),
        pytest.param(b"a:\n\t b: 1\n", "f.yaml:2:1: a tab indents this line: use spaces", id="a tab"),
        pytest.param(b"a: 1\na: 2\n", "f.yaml:2:1: key 'a' again (first in line 1): keep one", id="a key twice"),
        pytest.param(b"a: &x 1\n", "f.yaml:1:4: anchor &x: remove it, aliases are not taken", id="an anchor"),
        pytest.param(b"a: *x\n", "f.yaml:1:4: alias *x: write the values out, or quote a pattern: '*x'", id="an alias"),
        pytest.param(b"a: [*]\n", "f.yaml:1:6: an unquoted * starts an alias: quote a pattern, as in '*'", id="a star"),
        pytest.param(
            b"a: !!python/object/apply:os.system [id]\n",
            "f.yaml:1:4: tag tag:yaml.org,2002:python/object/apply:os.system: remove it, values are read by what they "
            "stand for",
            id="a tag",
        ),
        pytest.param(b"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document: write one file each", id="two documents"),
        pytest.param(b"- a\n", "f.yaml:1:1: a list at the top: write `key: value` lines", id="a list"),
        pytest.param(b"a\n", "f.yaml:1:1: a single value at the top: write `key: value` lines", id="a word"),
        pytest.param(b"? [a]\n: 1\n", "f.yaml:1:3: a list as a key: write a word", id="a list as a key"),
        pytest.param(b"a: " + b"[" * 30, "f.yaml:1:23: nested more than 20 deep: flatten it", id="nested too deep"),
        pytest.param(b"[" * 100_000, "f.yaml:1:21: nested more than 20 deep: flatten it", id="nested much too deep"),
        pytest.param(b"#" * 1_048_577, "f.yaml:1:1: more than 1024 KiB: split the file", id="too large"),
        pytest.param(
            b"a: 'b\n",
            "f.yaml:2:1: not YAML (found unexpected end of stream): look for a missing quote, colon or indentation",
            id="an open quote",
        ),
        pytest.param(
            b"a: 1\n b: 2\n",
            "f.yaml:2:3: not YAML (mapping values are not allowed here): "
            "look for a missing quote, colon or indentation",
            id="bad indentation",
        ),
        pytest.param(
            b'a: "\\UFFFFFFFF"\n',
            "f.yaml:1:1: not YAML (a number in it is out of range): look for a wrong escape or directive",
            id="an escape beyond Unicode",
        ),
        pytest.param(
            b"%YAML 1." + b"9" * 5000 + b"\n---\na: 1\n",
            "f.yaml:1:1: not YAML (a number in it is out of range): look for a wrong escape or directive",
            id="a version of thousands of digits",
        ),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line_with_its_place(data: bytes, line: str) -> None:
    assert told(data) == [line]


def test_a_file_with_several_faults_tells_them_all_in_its_order() -> None:
    assert told(b"a: 1\na: 2\nb: &x 1\nc: !t 1\n") == [
        "f.yaml:2:1: key 'a' again (first in line 1): keep one",
        "f.yaml:3:4: anchor &x: remove it, aliases are not taken",
        "f.yaml:4:4: tag !t: remove it, values are read by what they stand for",
    ]


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_in_printable_lines(data: bytes) -> None:
    try:
        yaml_nodes.load(data, "f.yaml")
    except ConfigError as error:
        lines = str(error).split("\n")
    else:
        lines = []

    assert [line for line in lines if not (line.isprintable() and line.startswith("f.yaml:"))] == []


@given(st.text("ab:-[]{}\"'\\&*!%#|> \n\t?x0U", max_size=40))
def test_any_punctuation_is_read_or_refused_in_printable_lines(text: str) -> None:
    try:
        yaml_nodes.load(text.encode(), "f.yaml")
    except ConfigError as error:
        lines = str(error).split("\n")
    else:
        lines = []

    assert [line for line in lines if not (line.isprintable() and line.startswith("f.yaml:"))] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("missing.yaml", "No such file or directory", id="not there"),
        pytest.param(".", "Is a directory", id="a folder"),
        pytest.param("file/below.yaml", "Not a directory", id="below a file"),
        pytest.param("n" * 300, "File name too long", id="a name beyond the limit"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError) as refused:
        yaml_nodes.load_file(tmp_path / name)

    assert str(refused.value) == f"{tmp_path / name}: cannot be read ({said}): name another file or mend it"


def test_a_name_with_a_line_break_is_still_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        yaml_nodes.load_file(tmp_path / "a\nb")

    assert "\n" not in str(refused.value)


def test_a_pipe_is_read_to_its_end() -> None:
    # As in `--config <(generate)`: the first bytes come only after the pipe was opened.
    script = "print('a: 1', flush=True); print('b: 2')"
    with Program[bytes]([sys.executable, "-c", script], stdout=subprocess.PIPE) as generator:
        assert generator.stdout is not None

        top = yaml_nodes.load_file(f"/dev/fd/{generator.stdout.fileno()}")

    assert texts(top) == {"a": "1", "b": "2"}


def test_unknown_keys_come_with_what_was_perhaps_meant() -> None:
    problems = Problems()
    top = yaml_nodes.load(b"rotation: 1h\nrotatoin: 1h\nzzz: 1\n", "f.yaml")

    allowed = dict(yaml_nodes.known_keys(top, ["rotation", "formats"], problems, "storage"))

    with pytest.raises(ConfigError) as refused:
        problems.raise_if_any()
    assert (list(allowed), str(refused.value).split("\n")) == (
        ["rotation"],
        [
            "f.yaml:2:1: unknown key 'rotatoin' in storage: did you mean 'rotation'?",
            "f.yaml:3:1: unknown key 'zzz' in storage: known are formats, rotation",
        ],
    )


@pytest.mark.parametrize(
    ("data", "values"),
    [
        pytest.param(b"a: [x, y]\n", ("x", "y"), id="a list"),
        pytest.param(b"a: x\n", ("x",), id="one value for a list of one"),
        pytest.param(b"a: []\n", (), id="an empty list"),
        pytest.param(b"a: ['']\n", None, id="an empty item"),
        pytest.param(b"a: [[x]]\n", None, id="a list in a list"),
        pytest.param(b"a: {x: y}\n", None, id="a mapping"),
    ],
)
def test_lists_hold_single_values(data: bytes, values: tuple[str, ...] | None) -> None:
    problems = Problems()

    read = yaml_nodes.read_list(yaml_nodes.load(data, "f.yaml").entries["a"], yaml_nodes.words, problems, "a")

    assert (read, bool(problems)) == (values, values is None)


@pytest.mark.parametrize(
    ("place", "shown"),
    [(Place("f.yaml", 3, 7), "f.yaml:3:7"), (Place("LOG_LEVEL", 0, 0), "LOG_LEVEL")],
)
def test_a_variable_has_no_line(place: Place, shown: str) -> None:
    assert str(place) == shown
