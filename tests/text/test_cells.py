import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.text.cells import Look, Span, cut, cut_front, look, painted, width_of


@pytest.mark.parametrize(
    ("text", "width"),
    [
        pytest.param("sda", 3, id="ASCII"),
        pytest.param("café", 4, id="an accent"),
        pytest.param("cafe\u0301", 4, id="a combining accent takes no cell"),
        pytest.param("世界", 4, id="East Asian characters take two"),
        pytest.param("▁█░…", 4, id="the blocks of bars"),
    ],
)
def test_a_text_takes_the_cells_that_a_terminal_gives_it(text: str, width: int) -> None:
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("width", "shown"), [(6, "世界ab"), (5, "世界…"), (4, "世…"), (3, "世…"), (2, "…"), (1, "…"), (0, "")]
)
def test_what_does_not_fit_is_cut_between_characters(width: int, shown: str) -> None:
    assert cut("世界ab", width, "…") == shown


@pytest.mark.parametrize(("width", "shown"), [(6, "ab世界"), (5, "…世界"), (4, "…界"), (3, "…界"), (1, "…"), (0, "")])
def test_of_a_path_the_end_is_kept(width: int, shown: str) -> None:
    assert cut_front("ab世界", width, "…") == shown


@given(st.text(st.sampled_from("ab世\u0301é"), max_size=30), st.integers(0, 30))
def test_a_cut_text_fits_and_begins_as_the_whole(text: str, width: int) -> None:
    shown = cut(text, width, "~")

    assert (width_of(shown) <= width, shown == text or text.startswith(shown.removesuffix("~"))) == (True, True)


def test_a_line_ends_without_blanks_and_without_colour() -> None:
    line = painted([Span("hot", "critical"), Span("  "), Span("x  ", "dim"), Span("   ")], color=True)

    assert line == "\x1b[1m\x1b[31mhot\x1b[0m  \x1b[2mx\x1b[0m"


@pytest.mark.parametrize(
    ("encoding", "term", "blocks"),
    [
        pytest.param("utf-8", "xterm", True, id="a terminal of today"),
        pytest.param("latin-1", "xterm", False, id="an encoding without blocks"),
        pytest.param("utf-8", "linux", False, id="a console whose font lacks them"),
        pytest.param("no-such-encoding", "xterm", False, id="an encoding that nobody knows"),
    ],
)
def test_bars_are_drawn_with_what_the_terminal_has(encoding: str, term: str, blocks: bool) -> None:
    assert look(color=False, encoding=encoding, term=term).blocks is blocks


def test_a_name_is_shown_by_its_codes_where_the_encoding_lacks_it() -> None:
    assert Look(False, "ascii").shown("caf\u00e9\x1b") == r"caf\xe9\x1b"
