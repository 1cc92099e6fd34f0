import pytest

from sysmon.text.spans import Look, Span, detect_look, paint_line


def test_a_line_ends_without_blanks_and_without_colour() -> None:
    line = paint_line([Span("hot", "critical"), Span("  "), Span("x  ", "dim"), Span("   ")], color=True)

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
    assert detect_look(color=False, encoding=encoding, term=term).blocks is blocks


def test_a_name_is_shown_by_its_codes_where_the_encoding_lacks_it() -> None:
    assert Look(False, "ascii").sanitize("caf\u00e9\x1b") == r"caf\xe9\x1b"
