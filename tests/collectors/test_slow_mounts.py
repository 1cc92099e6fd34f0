import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from sysmon.collectors._slow_mounts import MOST_WAITING, STUCK_AFTER, WAIT, SlowMounts
from sysmon.collectors._statvfs_process import StatvfsProcess
from sysmon.model import Notice

FULL = (4096, 1000, 400, 350, 100, 75)


@dataclass
class FakeChannel:
    """Answers at once for the mounts that are well; `moves` is what a wait without an answer takes."""

    mounts: "FakeMounts"
    waiting: list[tuple[bytes, str]] = field(default_factory=list)
    closed: bool = False

    def send(self, line: bytes) -> None:
        if self.mounts.breaks:
            raise BrokenPipeError(32, "Broken pipe")
        number, path = line.split()
        self.waiting.append((number, bytes.fromhex(path.decode()).decode()))

    def receive(self, seconds: float) -> list[bytes]:
        answered = [(number, path) for number, path in self.waiting if path not in self.mounts.hanging]
        self.waiting = [line for line in self.waiting if line not in answered]
        if not answered:
            self.mounts.seconds += seconds
        return [
            number if path in self.mounts.refusing else b" ".join([number, *(b"%d" % value for value in FULL)])
            for number, path in answered
        ]

    def close(self) -> None:
        self.closed = True

    def reap(self) -> bool:
        return True


@dataclass
class FakeMounts:
    """A clock, the state of every mount, and the processes that were started to ask them."""

    seconds: float = 100.0
    hanging: set[str] = field(default_factory=set)
    refusing: set[str] = field(default_factory=set)
    breaks: bool = False
    channels: list[FakeChannel] = field(default_factory=list)

    def start(self) -> FakeChannel:
        self.channels.append(FakeChannel(self))
        return self.channels[-1]

    def asker(self) -> SlowMounts:
        return SlowMounts(self.start, lambda: self.seconds)


def told(notices: Iterable[Notice]) -> list[tuple[str, object, object]]:
    return [(notice.kind, notice.fields.get("mountpoint"), notice.fields.get("seconds")) for notice in notices]


def test_mounts_that_answer_are_answered_in_the_same_reading() -> None:
    mounts = FakeMounts(refusing={"/b"})
    slow = mounts.asker()

    assert (slow.ask(["/a", "/b"]), slow.take_notices(), mounts.seconds) == ({"/a": FULL, "/b": ()}, (), 100.0)


def test_a_mount_that_hangs_is_waited_for_once_and_delays_no_other() -> None:
    mounts = FakeMounts(hanging={"/nfs"})
    slow = mounts.asker()

    answers = [slow.ask(["/nfs", "/a"]) for _ in range(3)]

    assert (answers, mounts.seconds, len(mounts.channels)) == ([{"/a": FULL}] * 3, 100.0 + WAIT, 1)


def test_a_mount_that_hangs_is_told_once_with_its_age_and_again_when_it_is_back() -> None:
    mounts = FakeMounts(hanging={"/nfs"})
    slow = mounts.asker()
    notices: list[Notice] = []
    for second in range(5):
        mounts.seconds = 100.0 + second
        mounts.hanging = {"/nfs"} if second < 4 else set()
        slow.ask(["/nfs"])
        notices += slow.take_notices()

    assert told(notices) == [("mount_stuck", "/nfs", 1.0), ("mount_back", "/nfs", 4.0)]


def test_a_slow_answer_is_used_by_the_next_reading() -> None:
    mounts = FakeMounts(hanging={"/nfs"})
    slow = mounts.asker()
    first = slow.ask(["/nfs"])
    mounts.hanging = set()

    assert (first, slow.ask(["/nfs"]), slow.take_notices()) == ({}, {"/nfs": FULL}, ())


def test_a_mount_that_is_unmounted_while_it_hangs_is_told_to_be_gone() -> None:
    mounts = FakeMounts(hanging={"/nfs"})
    slow = mounts.asker()
    slow.ask(["/nfs"])
    mounts.seconds += STUCK_AFTER
    slow.ask(["/nfs"])
    slow.ask([])

    assert [notice.kind for notice in slow.take_notices()] == ["mount_stuck", "mount_gone"]


def test_without_such_mounts_no_process_is_kept() -> None:
    mounts = FakeMounts()
    slow = mounts.asker()
    slow.ask([])
    before = len(mounts.channels)
    slow.ask(["/a"])
    slow.ask([])

    assert (before, [channel.closed for channel in mounts.channels]) == (0, [True])


def test_a_process_that_ends_is_replaced_and_told_once() -> None:
    mounts = FakeMounts(breaks=True)
    slow = mounts.asker()
    broken = [slow.ask(["/a"]), slow.ask(["/a"])]
    mounts.breaks = False

    assert (broken, slow.ask(["/a"]), slow.take_notices()) == (
        [{}, {}],
        {"/a": FULL},
        (Notice("mounts_not_asked", {"error": "Broken pipe"}),),
    )


def test_the_age_of_a_stuck_mount_survives_the_process_that_waited() -> None:
    mounts = FakeMounts(hanging={"/nfs"})
    slow = mounts.asker()
    slow.ask(["/nfs"])
    slow.close()
    mounts.seconds = 130.0
    slow.ask(["/nfs"])

    assert told(slow.take_notices()) == [("mount_stuck", "/nfs", 30.0 + WAIT)]


def test_hanging_mounts_that_come_and_go_do_not_pile_up() -> None:
    mounts = FakeMounts(hanging={f"/nfs{number}" for number in range(200)})
    slow = mounts.asker()
    for number in range(200):
        slow.ask([f"/nfs{number}"])

    assert len(mounts.channels[0].waiting) == MOST_WAITING


def test_the_real_process_answers_as_the_kernel_does_and_ends_with_its_pipe() -> None:
    process = StatvfsProcess()
    process.send(b"1 %s\n" % b"/".hex().encode())
    process.send(b"2 %s\n" % b"/not/there".hex().encode())
    lines: list[bytes] = []
    while len(lines) < 2:
        lines += process.receive(10)
    process.close()
    while not process.reap():
        pass

    assert [(line.split()[0], len(line.split())) for line in sorted(lines)] == [(b"1", 8), (b"2", 1)]


@pytest.mark.parametrize("number", [pytest.param(9, id="killed"), pytest.param(15, id="asked to end")])
def test_the_end_of_the_real_process_is_noticed(number: int) -> None:
    process = StatvfsProcess()
    os.kill(process.pid, number)

    with pytest.raises(BrokenPipeError):
        process.receive(10)
    process.close()
