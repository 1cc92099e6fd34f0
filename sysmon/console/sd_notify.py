"""Service manager protocol, sd_notify(3): a run says that it is ready, alive, reloading, stopping."""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping

from sysmon.text.names import printable

VARIABLES = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
"""What a service manager gives the process that it started, and nobody else."""

STATUS_EVERY = 60.0
"""Seconds after which the state is told in words again although nothing happened."""

PULSE_EVERY = 1.0
"""Seconds between two signs of life at least: a run of a hundred ticks a second is alive all the same."""

_LONGEST_STATUS = 300
_SLACK = 60.0
_MICRO = 1_000_000


class Supervisor:
    """Speaks to a service manager; it neither waits for it nor fails with it.

    A message that finds its socket full goes out with the next one. `watchdog` is the number of seconds after which
    a silent run is taken for stuck, None where nobody watches. Safe to use from several threads: a message is one
    datagram.
    """

    def __init__(self, address: str, *, watchdog: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog = watchdog
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._lock = threading.Lock()  # guards what is owed
        self._owed = ""
        self._ready = False
        self._pulse_at = self._status_at = time.monotonic()

    @property
    def watchdog(self) -> float | None:
        """Return the seconds without a sign of life after which a run is ended; None where nobody watches."""
        return self._watchdog

    def starting(self, seconds: float) -> None:
        """Say that it will be that long until the run is ready, so that nobody gives it up before."""
        self._send(f"EXTEND_TIMEOUT_USEC={round((seconds + _SLACK) * _MICRO)}\nSTATUS=waiting for the first sample\n")

    def ready(self) -> None:
        """Say that the run does what it is for; told once."""
        if not self._ready:
            self._ready = True
            self._send("READY=1\n")

    def alive(self, words: Callable[[], str] | None = None, *, news: bool = False) -> None:
        """Give a sign of life, and now and then, or when there is news, the state in words."""
        now = time.monotonic()
        message = ""
        if self._watchdog is not None and now - self._pulse_at >= min(PULSE_EVERY, self._watchdog / 4):
            self._pulse_at = now
            message = "WATCHDOG=1\n"
        if words is not None and (news or now - self._status_at >= STATUS_EVERY):
            self._status_at = now
            message += f"STATUS={printable(words())[:_LONGEST_STATUS]}\n"
        if message or self._owed:
            self._send(message)

    def reloading(self) -> None:
        """Say that the configuration is being read again, and by which clock since when."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\n")

    def reloaded(self) -> None:
        """Say that this is done, whatever came of it."""
        self._send("READY=1\n")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1\nSTATUS=stopping\n")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, message: str) -> None:
        with self._lock:
            message, self._owed = self._owed + message, ""
            try:
                self._socket.sendto(message.encode("utf-8", "replace"), self._address)
            except BlockingIOError:
                self._owed = message if len(message) < 10 * _LONGEST_STATUS else ""
            except OSError:  # nobody listens any more, and nobody is there to be told of it
                self._owed = ""


def find_supervisor(environ: Mapping[str, str]) -> Supervisor | None:
    """Return who started this process as a service and wants to hear of it; None where nobody does."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):  # vsock: is for whole machines
        return None
    meant = environ.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
    usec = environ.get("WATCHDOG_USEC", "")
    watched = meant and usec.isdecimal() and int(usec) > 0
    return Supervisor(address, watchdog=int(usec) / _MICRO if watched else None)
