"""Confinement of a query: a child process with bounded memory, and a spill folder that is removed however it ends."""

import fcntl
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sysmon.errors import UsageError

PROCESS_MEMORY = 1280 * 2**20
"""What the process of a query may allocate: what DuckDB may (512 MB), single values, and the rows of the answer."""

_PREFIX = "sysmon-query-"
_PR_SET_PDEATHSIG = 1
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_OUT_OF_MEMORY = frozenset({signal.SIGABRT, signal.SIGBUS, signal.SIGKILL, signal.SIGSEGV})
TOO_MUCH = "SQL: that takes more memory than it may: ask for less with --since and --until, or for shorter values"


@dataclass(frozen=True, slots=True)
class Confinement:
    """Where a query may spill; in the process that only waited for it, `exit_code` is how it ended."""

    spill: Path
    exit_code: int | None = None


@contextmanager
def confine() -> Iterator[Confinement]:
    """Go on in a child process whose memory is bounded, while this one waits and has nothing else to do.

    DuckDB looks at signals only now and then, and one value may be of any size. So the one that waits takes SIGINT,
    SIGTERM and the like, ends the child and removes its spill folder; it ends as it would have without a child.
    """
    _remove_leftovers()
    waited_for = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*waited_for, signal.SIGCHLD})
    try:
        with _folder() as spill:
            parent = os.getpid()
            _flush()
            child = os.fork()
            if child:
                ended_by, status = _wait(child, waited_for)
            else:
                _enter_child(parent)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if child:
        yield Confinement(spill, _find_exit_code(ended_by, status))
        return
    try:
        yield Confinement(spill)
    except MemoryError as error:
        raise UsageError(TOO_MUCH) from error


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder that is gone when the process that made it leaves; both hold its lock as long as they live."""
    owner = os.getpid()
    spill, lock = _make_folder()
    try:
        yield spill
    finally:
        if os.getpid() == owner:
            shutil.rmtree(spill, ignore_errors=True)
            os.close(lock)


def _wait(child: int, waited_for: list[signal.Signals]) -> tuple[signal.Signals | None, int]:
    """Return the signal that ended the waiting, None where the child ended before; and the child's status."""
    while True:
        number = signal.sigwait({*waited_for, signal.SIGCHLD})
        if number in waited_for:
            os.kill(child, signal.SIGKILL)
            return signal.Signals(number), os.waitpid(child, 0)[1]
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return None, status


def _find_exit_code(ended_by: signal.Signals | None, status: int) -> int:
    """Return the exit code, or end as a signal demands."""
    if ended_by is signal.SIGINT:
        raise KeyboardInterrupt
    if ended_by is None and os.WIFEXITED(status):
        return os.WEXITSTATUS(status)
    number = ended_by or signal.Signals(os.WTERMSIG(status))
    if ended_by is None and number in _OUT_OF_MEMORY:
        raise UsageError(TOO_MUCH)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


def _enter_child(parent: int) -> None:
    """Bound the memory, leave Ctrl-C to the parent, and end with it."""
    import resource  # not on every system

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = PROCESS_MEMORY if hard == resource.RLIM_INFINITY else min(hard, PROCESS_MEMORY)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it has ended meanwhile
            os.kill(os.getpid(), signal.SIGKILL)


def _flush() -> None:
    """Leave nothing in buffers that both processes would write."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _make_folder() -> tuple[Path, int]:
    """Return a new folder and a descriptor that holds its lock for as long as either process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with suppress(OSError):  # another query took it for a left-over
            lock = _lock(folder)
            if lock is not None:
                return folder, lock


def _remove_leftovers() -> None:
    """Remove the folders of queries that were killed, as nobody holds their locks any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else's, or gone
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return a descriptor with the lock of one's own folder; None where another holds it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        opened = os.fstat(descriptor)
        if opened.st_uid == os.geteuid() and os.path.samestat(opened, folder.lstat()):
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:  # whatever ends it, Ctrl-C too: the descriptor does not stay open
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
