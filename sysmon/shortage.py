"""Resource shortages of this process: no descriptors, processes, threads or memory left. What is tried again?"""

import errno
import threading

from sysmon.errors import SysmonError

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})
"""What the kernel answers while something is used up, and not wrong (open(2), pipe(2), fork(2))."""


def is_shortage(error: BaseException) -> bool:
    """Say whether an error, or what caused it, is that something is used up."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in SHORTAGES:
            return True
        cause = cause.__cause__
    return False


class ThreadLimitError(SysmonError):
    """No further thread can be started."""


def start_thread(thread: threading.Thread) -> None:
    """Start a thread; raise ThreadLimitError where the system allows no more of them."""
    try:
        thread.start()
    except RuntimeError as error:  # "can't start new thread": all that Python says of pthread_create(3)
        raise ThreadLimitError(
            "no further thread can be started: raise the limit of processes (`ulimit -u`, TasksMax) or free memory"
        ) from error
