"""Parser of mountinfo: what is mounted where, and which mounts hold data of their own? Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_ESCAPED = re.compile(r"\\([0-7]{3})")
_SHARES = ("9p", "cifs", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs")
_CLUSTERS = ("beegfs", "ceph", "coda", "glusterfs", "gpfs", "lustre", "orangefs")
_WITHOUT_PATH = frozenset({*_SHARES, *_CLUSTERS, "zfs"})
"""File systems with a size of their own whose source is a server, a share or a pool instead of a path."""

_IN_THE_KERNEL = frozenset({"tmpfs", "devtmpfs", "ramfs", "rootfs", "zfs"})

_OPTIONAL = 6
_FENCE = "-"


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount. `number` is the kernel's major:minor of the file system, None where it is not known.

    `settings` are those of the file system itself (the controllers of a cgroup hierarchy, for one).
    """

    mountpoint: str
    device: str
    fstype: str
    root: str = "/"
    number: str | None = None
    settings: frozenset[str] = field(default=frozenset(), compare=False)


def parse_mountinfo(text: str) -> list[Mount]:
    """Read /proc/PID/mountinfo (proc_pid_mountinfo(5)); lines of another form are left out."""
    mounts = []
    for line in text.split("\n"):
        fields = line.split(" ")
        if _FENCE not in fields[_OPTIONAL:-2]:
            continue
        fence = fields.index(_FENCE, _OPTIONAL)  # what stands before it may be called `-` too
        mounts.append(
            Mount(
                mountpoint=_unescape(fields[4]),
                device=_unescape(fields[fence + 2]),
                fstype=_unescape(fields[fence + 1]),
                root=_unescape(fields[3]),
                number=fields[2],
                settings=frozenset(fields[fence + 3].split(",")) if len(fields) > fence + 3 else frozenset(),
            )
        )
    return mounts


def find_visible(mounts: Iterable[Mount]) -> list[Mount]:
    """Return the mounts that can be reached: of several at one mountpoint, the last covers the others."""
    return list({mount.mountpoint: mount for mount in mounts}.values())


def find_duplicates(mounts: Iterable[Mount]) -> set[str]:
    """Return the mountpoints that show a file system again that is mounted elsewhere (bind mounts, subvolumes).

    The one that counts shows the root of its file system; among equals it has the shortest mountpoint.
    """
    first: set[str] = set()
    again = set()
    for mount in sorted(mounts, key=lambda each: (each.root != "/", len(each.mountpoint), each.mountpoint)):
        if mount.number in first:
            again.add(mount.mountpoint)
        elif mount.number is not None:
            first.add(mount.number)
    return again


def holds_data(mount: Mount) -> bool:
    """Say whether a mount has a disk, a server or a FUSE program behind it, and not only the kernel or a file."""
    if mount.device.startswith("/"):
        return not mount.device.startswith("/dev/loop")
    return mount.fstype in _WITHOUT_PATH or mount.fstype.startswith("fuse.") or ":/" in mount.device


def find_hanging(mounts: Iterable[Mount]) -> set[str]:
    """Return the mountpoints where asking may take for ever: a server or a program must answer, there or on the way.

    Nothing is known to hang but network and FUSE mounts; what is neither a disk nor in memory is treated like them.
    """
    listed = list(mounts)
    slow = [mount.mountpoint for mount in listed if not _answers_at_once(mount)]
    return {mount.mountpoint for mount in listed if any(_lies_below(mount.mountpoint, upper) for upper in slow)}


def _answers_at_once(mount: Mount) -> bool:
    if mount.fstype.startswith("fuse"):
        return False
    return mount.device.startswith("/dev/") or mount.fstype in _IN_THE_KERNEL


def _lies_below(mountpoint: str, upper: str) -> bool:
    return mountpoint == upper or mountpoint.startswith(upper.rstrip("/") + "/")


def _unescape(text: str) -> str:
    """Undo the kernel's `\\040` for a space, and likewise for tab, newline and backslash."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
