import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.text.cells import cut, cut_front, flow, join_fitting, pad, pad_left, width_of


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


@pytest.mark.parametrize(
    ("width", "more", "lines"),
    [
        pytest.param(9, None, ["ab  cd", "  efghijkl"], id="what does not fit goes on below"),
        pytest.param(6, "~", ["ab  cd", "  efg~"], id="a part is cut that is too long for a line"),
        pytest.param(3, None, ["ab", "  cd", "  efghijkl"], id="a part is kept whole where no cut is wanted"),
    ],
)
def test_parts_flow_over_lines(width: int, more: str | None, lines: list[str]) -> None:
    assert flow(["ab", "cd", "efghijkl"], width, more=more) == lines


def test_padding_goes_by_what_a_terminal_shows() -> None:
    assert (pad("世", 4), pad_left("世", 4), pad("long", 2)) == ("世  ", "  世", "long")


@pytest.mark.parametrize(("width", "line"), [(8, "ab, 世界"), (7, "ab"), (1, "")])
def test_as_many_parts_are_joined_as_fit(width: int, line: str) -> None:
    assert join_fitting(["ab", "世界"], width) == line
