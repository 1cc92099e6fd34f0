import contextlib
import os
import select
import termios
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sysmon.app.terminal.full_screen import FullScreen, TerminalGoneError


@dataclass
class _Pair:
    """A pseudo-terminal: what a person has before them, and the end that a program holds."""

    person: int
    program: int

    def seen(self, ending: bytes) -> bytes:
        """Return what was written since the last look, up to an ending."""
        written = b""
        while not written.endswith(ending):
            assert select.select([self.person], [], [], 120)[0], written
            written += os.read(self.person, 65_536)
        return written


@pytest.fixture
def pair() -> Iterator[_Pair]:
    person, program = os.openpty()
    termios.tcsetwinsize(program, (24, 80))
    yield _Pair(person, program)
    for end in (person, program):
        try:
            os.close(end)
        except OSError:  # the test closed it
            continue


def _screen(pair: _Pair) -> FullScreen:
    return FullScreen(pair.program, pair.program, encoding="utf-8")


def test_an_error_gives_the_terminal_back_as_it_was(pair: _Pair) -> None:
    before = termios.tcgetattr(pair.program)

    with contextlib.suppress(ZeroDivisionError), _screen(pair).acquired():
        taken = termios.tcgetattr(pair.program)
        _ = 1 / 0

    written = pair.seen(b"\x1b[?1049l")
    assert (taken == before, termios.tcgetattr(pair.program)) == (False, before)
    assert written.startswith(b"\x1b[?1049h")


def test_a_terminal_that_a_shell_took_meanwhile_is_taken_again(pair: _Pair) -> None:
    before = termios.tcgetattr(pair.program)
    screen = _screen(pair)
    with screen.acquired():
        taken = termios.tcgetattr(pair.program)
        termios.tcsetattr(pair.program, termios.TCSANOW, before)
        screen.resume()
        again = termios.tcgetattr(pair.program)

    assert (taken != before, again == taken, termios.tcgetattr(pair.program) == before) == (True, True, True)


def test_only_lines_that_have_changed_are_written(pair: _Pair) -> None:
    screen = _screen(pair)
    with screen.acquired():
        screen.draw(["one", "two", "three"])
        pair.seen(b"three\x1b[K")
        screen.draw(["one", "zwei", "three"])
        written = pair.seen(b"\x1b[K")

    assert written == b"\x1b[2;1Hzwei\x1b[K"


def test_after_a_change_of_size_everything_is_written(pair: _Pair) -> None:
    screen = _screen(pair)
    with screen.acquired():
        screen.draw(["one", "two"])
        pair.seen(b"two\x1b[K")
        screen.refresh()
        wanted = screen.stale
        screen.draw(["one", "two"])
        written = pair.seen(b"two\x1b[K")

    assert (wanted, written) == (True, b"\x1b[H\x1b[2J\x1b[1;1Hone\x1b[K\x1b[2;1Htwo\x1b[K")


def test_what_an_encoding_lacks_is_shown_by_its_code(pair: _Pair) -> None:
    screen = FullScreen(pair.program, pair.program, encoding="ascii")
    with screen.acquired():
        screen.draw(["é"])
        written = pair.seen(b"\x1b[K")

    assert b"\\xe9" in written


def test_keys_come_one_by_one_and_are_not_echoed(pair: _Pair) -> None:
    screen = _screen(pair)
    with screen.acquired():
        os.write(pair.person, b"q")
        typed = screen.read()
        screen.draw(["x"])
        written = pair.seen(b"\x1b[K")

    assert (typed, b"q" in written) == ("q", False)


def test_taking_a_terminal_that_has_gone_away_is_told_by_the_next_drawing(pair: _Pair) -> None:
    screen = _screen(pair)
    with screen.acquired():
        os.close(pair.person)
        screen.resume()
        with pytest.raises(TerminalGoneError):
            screen.draw(["x"])


def test_a_terminal_that_has_gone_away_is_told_apart(pair: _Pair) -> None:
    screen = _screen(pair)
    with screen.acquired():
        os.close(pair.person)
        with pytest.raises(TerminalGoneError):
            screen.read()
        with pytest.raises(TerminalGoneError):
            screen.draw(["x"])
