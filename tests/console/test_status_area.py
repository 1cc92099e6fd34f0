import os
import threading
from collections.abc import Callable
from dataclasses import replace

import pyte

from sysmon.console.line_writer import AsyncLineWriter
from sysmon.console.status_area import StatusArea
from sysmon.text.spans import Look
from tests.console.statuses import BUSY

FIELDS = ["CRITICAL", "cpu", "memory", "disk", "space", "network", "top", "samples", "files"]
BELOW = [*FIELDS, "CRITICAL", "WARNING", "WARNING", "+2"]


def _area(columns: int = 80, rows: int = 24) -> StatusArea:
    area = StatusArea(-1, Look(color=True), lambda: (columns, rows))
    area.status = BUSY
    return area


def _screen(*texts: str, columns: int = 80, rows: int = 24) -> pyte.HistoryScreen:
    screen = pyte.HistoryScreen(columns, rows, history=1000)
    screen.set_mode(pyte.modes.LNM)  # a line feed returns too, as the kernel's terminals have it
    stream = pyte.Stream(screen)
    for text in texts:
        stream.feed(text)
    return screen


def _words(screen: pyte.HistoryScreen) -> list[str]:
    """Return the first word of each line, from what scrolled off to the last line with something on it."""
    past = ["".join(row[column].data for column in sorted(row)) for row in screen.history.top]
    words = [(line.split() or [""])[0] for line in (*past, *screen.display)]
    while words and not words[-1]:
        words.pop()
    return words


def test_drawing_again_changes_nothing() -> None:
    area = _area()

    once, often = _screen(area.draw()), _screen(*[area.draw()] * 5)

    assert (often.display, (often.cursor.x, often.cursor.y)) == (once.display, (0, 0))


def test_at_the_end_of_the_screen_it_makes_room_for_itself() -> None:
    earlier = [f"line{number}\n" for number in range(30)]

    screen = _screen(*earlier, *[_area().draw()] * 3)

    assert _words(screen) == [*(line.strip() for line in earlier), "", *BELOW]


def test_lines_go_above_it_and_stay() -> None:
    area = _area()
    texts = [part for number in range(30) for part in (area.draw_above(f"alert{number}"), area.draw())]

    screen = _screen(*texts)

    assert _words(screen) == [*(f"alert{number}" for number in range(30)), "", *BELOW]


def test_when_it_gets_shorter_nothing_of_it_is_left() -> None:
    area = _area()
    tall = area.draw()
    area.status = replace(BUSY, alerts=())

    assert _words(_screen(tall, area.draw())) == ["", "OK", *FIELDS[1:]]


def test_the_end_leaves_it_and_the_cursor_below_it() -> None:
    area = _area()

    screen = _screen(area.draw(), area.draw_last(), "stopped\n")

    shown = (_words(screen), screen.cursor.x, screen.cursor.hidden, screen.cursor.attrs == screen.default_char)
    assert shown == (["", *BELOW, "stopped"], 0, False, True)


def test_cleared_it_leaves_no_trace() -> None:
    area = _area()

    assert _words(_screen("before\n", area.draw(), area.clear())) == ["before"]


def test_it_rests_on_an_empty_line_which_takes_what_is_typed() -> None:
    area = _area()

    screen = _screen(area.draw(), "typed^C", area.draw(), "\n", area.draw())

    assert _words(screen)[-14:] == ["", *BELOW]


def test_before_the_first_status_only_lines_are_shown() -> None:
    area = _area()
    area.status = None

    assert (_words(_screen(area.draw_above("hello"), area.draw())), area.draw()) == (["hello"], "")


class _Pipe:
    """What an line_writer wrote, read as it comes."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def rest(self) -> str:
        os.close(self.writer)
        with os.fdopen(self.reader, "rb") as stream:
            return stream.read().decode()


def _shown(act: Callable[[AsyncLineWriter], None], area: StatusArea) -> str:
    pipe = _Pipe()
    line_writer = AsyncLineWriter(pipe.writer, area=area)
    act(line_writer)
    line_writer.close(30, last="stopped")
    return pipe.rest()


def test_an_outlet_keeps_the_area_below_its_lines() -> None:
    def act(line_writer: AsyncLineWriter) -> None:
        line_writer.refresh()
        for number in range(3):
            line_writer.show(f"alert{number}")

    screen = _screen(_shown(act, _area()))

    assert _words(screen) == ["alert0", "alert1", "alert2", "", *BELOW, "stopped"]


def test_while_it_is_away_nothing_is_drawn() -> None:
    def act(line_writer: AsyncLineWriter) -> None:
        line_writer.refresh()
        line_writer.leave(30)
        line_writer.refresh()
        line_writer.show("alert")
        stored = threading.Event()
        line_writer.show("later", stored=stored)
        stored.set()
        line_writer.leave(30)

    shown = _shown(act, _area())

    assert _words(_screen(shown.partition("later")[0])) == ["alert"]


def test_once_it_is_back_it_is_drawn_where_the_cursor_is() -> None:
    def act(line_writer: AsyncLineWriter) -> None:
        line_writer.refresh()
        line_writer.leave(30)
        line_writer.show("shell")
        line_writer.resume()

    assert _words(_screen(_shown(act, _area()))) == ["shell", "", *BELOW, "stopped"]


def test_a_terminal_that_takes_nothing_gets_the_newest_state_and_no_older_one() -> None:
    pipe = _Pipe()
    area = _area(columns=200)
    line_writer = AsyncLineWriter(pipe.writer, area=area)
    for number in range(5000):
        area.status = replace(BUSY, ticks=1_000_000 + number)
        line_writer.refresh()
    overview: list[str] = []
    reading = threading.Thread(target=lambda: overview.append(_drain(pipe.reader)))
    reading.start()
    line_writer.close(30)
    os.close(pipe.writer)
    reading.join(180)
    os.close(pipe.reader)

    assert (overview[0].count("files") < 100, overview[0].count("1004999") >= 1) == (True, True)


def _drain(reader: int) -> str:
    chunks = []
    while chunk := os.read(reader, 65_536):
        chunks.append(chunk)
    return b"".join(chunks).decode()
