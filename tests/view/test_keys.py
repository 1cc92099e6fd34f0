import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.view.commands import KEYS, Command
from sysmon.view.keys import split_keys


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        pytest.param("q", ["q"], id="a letter"),
        pytest.param("\x1b[D\x1b[C\x1b[A\x1b[B", ["left", "right", "up", "down"], id="arrows"),
        pytest.param("\x1bOD\x1bOC", ["left", "right"], id="arrows in application mode"),
        pytest.param("\x1b[5~\x1b[6~", ["page-up", "page-down"], id="pages"),
        pytest.param("\x1b[H\x1b[1~\x1b[7~\x1bOH", ["home"] * 4, id="home of four terminals"),
        pytest.param("\x1b[F\x1b[4~\x1b[8~\x1bOF", ["end"] * 4, id="end of four terminals"),
        pytest.param("\x1b[1;2D\x1b[1;5C", ["shift-left", "ctrl-right"], id="with modifiers"),
        pytest.param("\t\x1b[Z \r", ["tab", "back-tab", "space", "enter"], id="blanks"),
        pytest.param("\x1bq", ["escape", "q"], id="escape and a letter"),
        pytest.param("\x1b[200~\x1b[99;99X\x01", [], id="what nobody knows"),
        pytest.param("é", ["é"], id="a letter of its own"),
    ],
)
def test_bytes_become_the_keys_that_were_pressed(typed: str, keys: list[str]) -> None:
    assert split_keys(typed) == (keys, "")


@pytest.mark.parametrize("typed", ["\x1b", "\x1b[", "\x1bO", "\x1b[1;", "\x1b[5"])
def test_the_beginning_of_a_sequence_waits_for_its_end(typed: str) -> None:
    assert split_keys(f"c{typed}") == (["c"], typed)


@given(st.lists(st.sampled_from(["q", "\x1b[D", "\x1b[5~", " ", "\x1b[1;5C", "c"])), st.integers(0, 40))
def test_it_makes_no_difference_where_the_bytes_are_torn(presses: list[str], place: int) -> None:
    typed = "".join(presses)

    early, rest = split_keys(typed[:place])
    late, left = split_keys(rest + typed[place:])

    assert (early + late, left) == (split_keys(typed)[0], "")


def test_every_command_has_a_key() -> None:
    assert set(KEYS.values()) == set(Command)
