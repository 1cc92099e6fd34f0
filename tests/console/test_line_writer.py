import os
import threading
from collections.abc import Iterator

import pytest

from sysmon.console.line_writer import LIMIT, AsyncLineWriter
from sysmon.console.status_area import StatusArea
from tests.integration.processes import until


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def _all_of(reader: int, writer: int) -> str:
    os.close(writer)
    return _drain(reader)


def _drain(reader: int) -> str:
    chunks = []
    while chunk := os.read(reader, 65_536):
        chunks.append(chunk)
    return b"".join(chunks).decode()


def test_lines_come_out_in_order(pipe: tuple[int, int]) -> None:
    line_writer = AsyncLineWriter(pipe[1])
    for number in range(5):
        line_writer.show(str(number))
    line_writer.close(30)

    assert _all_of(*pipe) == "0\n1\n2\n3\n4\n"


def test_a_line_waits_until_what_it_tells_is_stored(pipe: tuple[int, int]) -> None:
    line_writer = AsyncLineWriter(pipe[1])
    stored = threading.Event()
    line_writer.show("alert", stored=stored)
    stored.set()
    line_writer.close(30)

    assert _all_of(*pipe) == "alert\n"


def test_a_line_whose_record_is_late_is_shown_with_a_mark(pipe: tuple[int, int]) -> None:
    line_writer = AsyncLineWriter(pipe[1], stored_within=0.01)
    line_writer.show("alert", stored=threading.Event())
    line_writer.close(30)

    assert _all_of(*pipe) == "alert (not stored)\n"


def test_a_reader_that_stopped_holds_up_nobody_and_is_told_what_it_missed(pipe: tuple[int, int]) -> None:
    line_writer = AsyncLineWriter(pipe[1])
    line = "x" * 4096
    for _ in range(3 * LIMIT):
        line_writer.show(line)
    overview: list[str] = []
    reading = threading.Thread(target=lambda: overview.append(_drain(pipe[0])))
    reading.start()
    line_writer.close(30)
    os.close(pipe[1])
    reading.join(180)

    shown = overview[0].splitlines()
    left_out = sum(int(text[1:].split()[0]) for text in shown if text.startswith("("))
    assert (shown.count(line) + left_out, left_out > 0) == (3 * LIMIT, True)


def test_a_reader_that_left_ends_the_showing_quietly(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    line_writer = AsyncLineWriter(pipe[1])

    line_writer.show("nobody reads this")

    line_writer.close(30)
    assert not line_writer.open


def test_what_an_encoding_lacks_is_shown_by_its_code(pipe: tuple[int, int]) -> None:
    line_writer = AsyncLineWriter(pipe[1], encoding="ascii")
    line_writer.show("café")
    line_writer.close(30)

    assert _all_of(*pipe) == "caf\\xe9\n"


def test_a_full_file_takes_lines_again_when_there_is_room_and_those_between_are_counted(pipe: tuple[int, int]) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    line_writer = AsyncLineWriter(descriptor)
    line_writer.show("lost")
    until(lambda: line_writer._left_out)

    os.dup2(pipe[1], descriptor)
    line_writer.show("back")
    line_writer.close(30)
    os.close(descriptor)

    assert _all_of(*pipe) == "(1 lines left out)\nback\n"


def test_a_drawing_that_fails_costs_the_area_and_no_further_line(pipe: tuple[int, int]) -> None:
    class Broken(StatusArea):
        def __init__(self) -> None:
            """Need nothing."""

        def draw_above(self, text: str) -> str:
            raise ZeroDivisionError(text)

    line_writer = AsyncLineWriter(pipe[1], area=Broken())
    line_writer.show("first")
    until(lambda: line_writer._area is None)
    line_writer.show("second")
    line_writer.close(30)

    loss = "internal error: ZeroDivisionError('first'): the status area is gone"
    assert _all_of(*pipe) == f"{loss}\nsecond\n"
