import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sysmon.collectors._kernel_file import KernelFile, line_number
from sysmon.collectors._listing import Listing
from sysmon.collectors._procfs import Scanner
from sysmon.errors import Unavailable
from tests.programs import Program

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

PROC = Path("/proc")
CAT = ["/bin/cat"]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that waits for its standard input to end."""
    with Program[bytes](CAT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        yield process


def ended(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def test_a_kernel_file_is_opened_once_and_says_what_holds_now(child: "subprocess.Popen[bytes]") -> None:
    adjusted = Path(f"/proc/{child.pid}/oom_score_adj")
    file = KernelFile(adjusted)
    said = [file.read()]
    before = open_files()
    adjusted.write_text("500")
    said.append(file.read())

    assert (said, open_files() - before) == ([b"0\n", b"500\n"], 0)


def test_a_kernel_file_is_closed_when_nobody_holds_it() -> None:
    before = open_files()
    file = KernelFile("/proc/loadavg")
    file.read()
    during = open_files()
    del file

    assert (during, open_files()) == (before + 1, before)


def test_a_file_on_a_disk_is_looked_for_each_time(tmp_path: Path) -> None:
    path, file = tmp_path / "stat", KernelFile(tmp_path / "stat")
    path.write_bytes(b"one")
    said = [file.read()]
    path.rename(tmp_path / "old")
    path.write_bytes(b"two")

    assert [*said, file.read()] == [b"one", b"two"]


def test_a_file_of_many_pieces_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "stat").write_bytes(b"0123456789" * 10_000)

    assert KernelFile(tmp_path / "stat").read() == b"0123456789" * 10_000


def test_after_a_failure_the_file_is_opened_anew(child: "subprocess.Popen[bytes]") -> None:
    file = KernelFile(f"/proc/{child.pid}/stat")
    file.read()
    before = open_files()
    ended(child)
    with pytest.raises(ProcessLookupError):
        file.read()

    with pytest.raises(Unavailable, match=f"there is no /proc/{child.pid}/stat"):
        file.require()
    assert open_files() < before


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param(b"\nSwapCached: 1 kB\nCached:      22 kB\n", 22, id="with a unit"),
        pytest.param(b"\nCached: 7", 7, id="at the end"),
        pytest.param(b"\nSwapCached: 1 kB\n", None, id="part of another word"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_number_is_found_behind_its_word(text: bytes, number: int | None) -> None:
    assert line_number(text, b"\nCached:") == number


def scanner(*children: "subprocess.Popen[bytes]", most_kept: int = 9) -> Scanner:
    return Scanner(PROC, lambda: [str(child.pid) for child in children], kernel_threads=True, most_kept=most_kept)


def test_the_files_of_processes_stay_open_from_the_second_look_until_they_end(
    child: "subprocess.Popen[bytes]",
) -> None:
    before = open_files()
    here = scanner(child)
    opened, seen = [], []
    for _ in range(3):
        seen.append(list(here.scan()))
        opened.append(open_files() - before)
    pipe = open_files()
    ended(child)
    pipe -= open_files()
    seen.append(list(here.scan()))
    opened.append(open_files() + pipe - before)

    assert (opened, seen) == ([0, 1, 1, 0], [[child.pid], [child.pid], [child.pid], []])


def test_no_more_files_of_processes_stay_open_than_were_allowed(child: "subprocess.Popen[bytes]") -> None:
    with Program[bytes](CAT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as other:
        here = scanner(child, other, most_kept=1)
        before = open_files()
        seen = [sorted(here.scan()) for _ in range(3)]

        assert (open_files() - before, seen) == (1, [sorted([child.pid, other.pid])] * 3)


def test_a_pid_that_another_process_has_now_is_read_anew(child: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    (tmp_path / "7").symlink_to(f"/proc/{child.pid}")
    here = Scanner(tmp_path, lambda: ["7"], kernel_threads=True)
    seen = [here.scan()[7].name for _ in range(2)]
    ended(child)
    (tmp_path / "7").unlink()
    (tmp_path / "7").symlink_to("/proc/self")
    own = Path("/proc/self/comm").read_bytes().strip()

    assert [*seen, here.scan()[7].name] == [b"cat", b"cat", own]


def test_what_one_has_just_listed_serves_the_other_once() -> None:
    now = [0.0]
    listing = Listing(PROC, lambda: now[0])
    first = listing.names()
    second, third = listing.take(), listing.take()

    assert second is first
    assert third is not first


def test_a_list_of_an_earlier_tick_is_not_taken() -> None:
    now = [0.0]
    listing = Listing(PROC, lambda: now[0])
    first = listing.names()
    now[0] = 1.0

    assert listing.take() is not first
    assert str(os.getpid()) in first
