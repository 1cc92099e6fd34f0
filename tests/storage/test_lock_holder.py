"""Who holds a lock: as the kernel tells, by process and command, and whether it is a sysmon."""

import os
import tempfile
from pathlib import Path

import pytest

from sysmon.errors import BlockedError, LockHeldError
from sysmon.storage.lock import DataDirectory, holder, open_lock, wait_for_lock
from sysmon.storage.lock_holder import LockHolder, find_holders, find_strangers
from tests.storage.strangers import locked


def make_proc(folder: Path, locks: list[str], **processes: str) -> Path:
    """Write a /proc: the lines of its locks, and of some processes the ids in their containers."""
    for pid, inside in processes.items():
        process = folder / pid.removeprefix("p")
        process.mkdir(parents=True)
        (process / "status").write_text(f"Name:\tpython3\nNSpid:\t{inside}\n")
        (process / "cmdline").write_bytes(b"python3\0-m\0sysmon\0run\0")
    folder.mkdir(exist_ok=True)
    (folder / "locks").write_text("\n".join(locks))
    return folder


def line(path: Path, pid: int, *, kind: str = "WRITE", device: str | None = None, waits: bool = False) -> str:
    """Return a line of /proc/locks."""
    about = path.stat()
    place = device or f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}"
    return f"1: {'-> ' if waits else ''}FLOCK  ADVISORY  {kind:<5} {pid} {place}:{about.st_ino} 0 EOF"


def test_a_program_that_holds_a_lock_is_named_with_its_command(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")

    with locked(tmp_path / "lock", "SH") as stranger:
        during = [(str(holder), holder.shared) for holder in find_strangers(tmp_path / "lock")]

    assert (during, find_strangers(tmp_path / "lock")) == ([(stranger, True)], [])


def test_a_sysmon_is_none_because_it_wrote_its_process_into_the_file(tmp_path: Path) -> None:
    descriptor = open_lock(tmp_path / "lock")

    holders = [(holder.pid, holder.is_sysmon) for holder in find_holders(tmp_path / "lock")]

    os.close(descriptor)
    assert holders == [(os.getpid(), True)]


def test_a_sysmon_in_a_container_is_known_by_its_process_in_there(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")
    proc = make_proc(tmp_path / "proc", [line(tmp_path / "lock", 4711)], p4711="4711\t1")

    assert find_holders(tmp_path / "lock", proc=proc) == [LockHolder(4711, "python3 -m sysmon run", False, True)]


def test_who_waits_and_who_holds_another_file_is_no_holder(tmp_path: Path) -> None:
    path, other = tmp_path / "lock", tmp_path / "other"
    path.touch()
    other.touch()
    proc = make_proc(tmp_path / "proc", [line(path, 8, waits=True), line(other, 9), "2: POSIX  ADVISORY  READ 7 x"])

    assert find_holders(path, proc=proc) == []


def test_a_device_of_another_number_is_believed_where_no_other_has_the_inode(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    proc = make_proc(tmp_path / "proc", [line(path, 8, device="ff:fe")])
    alone = [holder.pid for holder in find_holders(path, proc=proc)]
    (proc / "locks").write_text("\n".join([line(path, 8, device="ff:fe"), line(path, 9)]))

    assert (alone, [holder.pid for holder in find_holders(path, proc=proc)]) == ([8], [9])


def test_nothing_is_known_where_the_kernel_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()

    assert (find_holders(tmp_path / "lock", proc=tmp_path), find_holders(tmp_path / "none")) == ([], [])


def test_a_run_names_the_stranger_who_holds_its_lock(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")

    with locked(tmp_path / "lock", "SH") as stranger, pytest.raises(LockHeldError) as refused:
        DataDirectory(tmp_path)

    assert str(refused.value) == (
        f"{tmp_path}/lock is held by {stranger}, which is no sysmon: end it, or name another directory with --data"
    )


def test_a_stranger_is_not_waited_for(tmp_path: Path) -> None:
    with locked(tmp_path / "maintain.lock", "EX"), pytest.raises(BlockedError):
        wait_for_lock(tmp_path / "maintain.lock")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_who_may_not_read_the_lock_file_sees_that_a_run_holds_it() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the test's own folder is closed to others
        held = DataDirectory(Path(folder))
        find_strangers(Path(folder) / "lock")  # loads what another user may not read, such as Python's encodings
        os.seteuid(65534)
        try:
            seen = (holder(Path(folder) / "lock"), find_strangers(Path(folder) / "lock"))
        finally:
            os.seteuid(0)
            held.close()

    assert seen == (os.getpid(), [])
