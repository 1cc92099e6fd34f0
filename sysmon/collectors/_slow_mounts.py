"""Timeout for mounts that may hang (NFS, FUSE): another process asks them, and is waited for a moment at most."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sysmon.collectors._statvfs_process import Channel
from sysmon.model import Notice

WAIT = 0.02
"""Seconds that a reading waits for answers at most; those that come later are used by the next one."""

STUCK_AFTER = 1.0
"""Seconds without an answer after which a mount is called stuck."""

MOST_WAITING = 64
"""Questions that may be open at once; each costs the other process a thread."""

Answer = tuple[int, ...]
"""Unit, blocks, free, free for users, inodes, free inodes, as statvfs(3) names them, and the device (st_dev).

Empty where the mount refused; a recorded answer has no device.
"""


@dataclass(slots=True)
class _Asked:
    """One mountpoint: the open question, when the oldest unanswered one was put, and the answer not yet handed on."""

    number: bytes | None = None
    since: float | None = None
    told: bool = False
    answer: Answer | None = None


class SlowMounts:
    """Keeps at most one process that asks, while there is anything to ask; `start` begins a new one.

    Every mountpoint has at most one question open; `below` is the folder under which they are all mounted.
    """

    def __init__(self, start: Callable[[], Channel], monotonic: Callable[[], float], *, below: str = "") -> None:
        self._start = start
        self._monotonic = monotonic
        self._below = below
        self._channel: Channel | None = None
        self._ended: list[Channel] = []
        self._mounts: dict[str, _Asked] = {}
        self._open: dict[bytes, str] = {}
        self._count = 0
        self._trouble: str | None = None
        self._notices: list[Notice] = []

    def ask(self, mountpoints: Iterable[str]) -> dict[str, Answer]:
        """Return the answers that have come since the last time, or come now; a mount without one is left out."""
        self._forget_all_but(set(mountpoints))
        if self._mounts:
            try:
                self._exchange()
                self._trouble = None
            except OSError as error:
                self._broke(error)
        else:
            self.close()
        self._ended = [channel for channel in self._ended if not channel.reap()]
        self._tell_stuck()
        answers = {name: mount.answer for name, mount in self._mounts.items() if mount.answer is not None}
        for name in answers:
            self._mounts[name].answer = None
        return answers

    def take_notices(self) -> tuple[Notice, ...]:
        """Return what has happened to the mounts since the last time."""
        notices, self._notices = tuple(self._notices), []
        return notices

    def close(self) -> None:
        """Let the process end, without waiting for it."""
        if self._channel is not None:
            self._channel.close()
            self._ended.append(self._channel)
            self._channel = None
        self._open = {}
        for mount in self._mounts.values():
            mount.number = None

    def _exchange(self) -> None:
        if self._channel is None:
            self._channel = self._start()
        began = self._monotonic()
        self._take(self._channel.receive(0))
        fresh = [name for name, mount in self._mounts.items() if mount.number is None]
        for name in fresh[: max(0, MOST_WAITING - len(self._open))]:
            self._put(self._channel, name, began)
        while any(self._mounts[name].number for name in fresh) and (left := began + WAIT - self._monotonic()) > 0:
            self._take(self._channel.receive(left))

    def _put(self, channel: Channel, name: str, at: float) -> None:
        self._count += 1
        number = b"%d" % self._count
        channel.send(b"%s %s\n" % (number, (self._below + name).encode("utf-8", "surrogateescape").hex().encode()))
        self._open[number] = name
        mount = self._mounts[name]
        mount.number = number
        if mount.since is None:
            mount.since = at

    def _take(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            number, *values = line.split()
            name = self._open.pop(number, "")
            mount = self._mounts.get(name)
            if mount is None or mount.number != number or mount.since is None:
                continue  # unmounted meanwhile
            if mount.told:
                self._tell("mount_back", name, self._monotonic() - mount.since)
            mount.number, mount.since, mount.told = None, None, False
            mount.answer = tuple(map(int, values))

    def _tell_stuck(self) -> None:
        now = self._monotonic()
        for name, mount in self._mounts.items():
            if mount.since is not None and not mount.told and now - mount.since >= STUCK_AFTER:
                mount.told = True
                self._tell("mount_stuck", name, now - mount.since)

    def _forget_all_but(self, mountpoints: set[str]) -> None:
        for name in [name for name in self._mounts if name not in mountpoints]:
            mount = self._mounts.pop(name)
            if mount.told and mount.since is not None:
                self._tell("mount_gone", name, self._monotonic() - mount.since)
        for name in mountpoints - self._mounts.keys():
            self._mounts[name] = _Asked()

    def _broke(self, error: OSError) -> None:
        """Begin anew at the next reading. Whoever was asked is still waited for, so that its age stays right."""
        self.close()
        reason = error.strerror or str(error)
        if self._trouble is None:
            self._notices.append(Notice("mounts_not_asked", {"error": reason}))
        self._trouble = reason

    def _tell(self, kind: str, mountpoint: str, seconds: float) -> None:
        self._notices.append(Notice(kind, {"mountpoint": mountpoint, "seconds": round(seconds, 3)}))
