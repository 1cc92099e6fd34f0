import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.text import names

anything = st.text(st.characters(exclude_categories=[]), max_size=30)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        pytest.param("sda", "sda", id="harmless"),
        pytest.param("Ünïcode 名前", "Ünïcode 名前", id="letters of any script"),
        pytest.param("a\nb", "a\\x0ab", id="a line break"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="a terminal sequence"),
        pytest.param("C:\\", "C:\\x5c", id="a backslash"),
        pytest.param("\udcff", "\\xff", id="a byte that is not UTF-8"),
        pytest.param("\u202egpj.exe", "\\xe2\\x80\\xaegpj.exe", id="a bidi override"),
        pytest.param(
            "\u115f\u1160\u3164\uffa0", "\\xe1\\x85\\x9f\\xe1\\x85\\xa0\\xe3\\x85\\xa4\\xef\\xbe\\xa0", id="fillers"
        ),
        pytest.param(
            "a\ufe0f\u034f\U000e0100", "a\\xef\\xb8\\x8f\\xcd\\x8f\\xf3\\xa0\\x84\\x80", id="selectors and joiners"
        ),
        pytest.param("\u2800", "\\xe2\\xa0\\x80", id="a blank that is no space"),
        pytest.param("\ud800", "\\xed\\xa0\\x80", id="a lone surrogate"),
        pytest.param("", "-", id="nothing"),
    ],
)
def test_a_stored_name_shows_what_cannot_be_shown_as_bytes(name: str, stored: str) -> None:
    assert names.escape(name) == stored


@given(st.binary(min_size=1, max_size=30))
def test_the_bytes_of_a_stored_name_can_be_had_back(raw: bytes) -> None:
    stored = names.escape(raw.decode("utf-8", "surrogateescape"))

    back = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), stored.encode())
    assert back == raw


@given(anything)
def test_a_stored_name_is_printable_and_never_empty(name: str) -> None:
    stored = names.escape(name)

    assert (stored.isprintable(), names.is_visible(stored), bool(stored)) == (True, True, True)


@given(anything)
def test_shown_text_cannot_move_the_cursor(text: str) -> None:
    assert names.printable(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"]).filter(names.is_visible)))
def test_text_that_is_printable_is_shown_as_it_is(text: str) -> None:
    assert names.printable(text) == text


@pytest.mark.parametrize(
    ("name", "component"),
    [
        pytest.param("web-01.example.org", "web-01.example.org", id="a host name"),
        pytest.param("..", "host-5ec1f7e7", id="the folder above"),
        pytest.param("a/b", "host-c14cddc0", id="a slash"),
        pytest.param("alerts", "host-deb3e366", id="a reserved name"),
        pytest.param("web\n", "host-4ded89b3", id="a line break at the end"),
    ],
)
def test_a_name_becomes_one_harmless_component_of_a_path(name: str, component: str) -> None:
    assert names.path_name(name, reserved=lambda name: name == "alerts") == component


@given(anything)
def test_no_name_leaves_its_folder(name: str) -> None:
    component = names.path_name(name)

    assert (re.fullmatch(r"[A-Za-z0-9._-]{1,64}", component) is not None, component in {".", ".."}) == (True, False)
