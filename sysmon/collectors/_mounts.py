"""Parser of mountinfo: what is mounted where, and which mounts hold data of their own? Pure."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

_ESCAPED = re.compile(r"\\([0-7]{3})")
_SHARES = ("9p", "cifs", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs")
_CLUSTERS = ("beegfs", "ceph", "coda", "glusterfs", "gpfs", "lustre", "orangefs")
_WITHOUT_PATH = frozenset({*_SHARES, *_CLUSTERS, "zfs"})
"""File systems with a size of their own whose source is a server, a share or a pool instead of a path."""

_IN_MEMORY = ("tmpfs", "devtmpfs", "ramfs", "rootfs", "hugetlbfs")
_LAYERED = ("overlay", "aufs")
_INTERFACES = (
    *(
        "proc",
        "sysfs",
        "devpts",
        "cgroup",
        "cgroup2",
        "cpuset",
        "securityfs",
        "selinuxfs",
        "smackfs",
        "debugfs",
        "tracefs",
    ),
    *("bpf", "mqueue", "fusectl", "configfs", "pstore", "nsfs", "binfmt_misc", "rpc_pipefs", "nfsd", "efivarfs"),
    *("resctrl", "binder", "functionfs", "usbfs", "devfs", "openpromfs", "xenfs", "autofs"),
)
_WITHOUT_DATA = frozenset({*_IN_MEMORY, *_LAYERED, *_INTERFACES})
"""File systems that show what is kept elsewhere, or that the kernel makes up: none of them is ever full of its own."""

_LOCAL = frozenset({*_IN_MEMORY, "zfs", "ubifs", "jffs2", "yaffs2", "lxfs", "wslfs"})
_DRIVES = frozenset({"9p", "drvfs"})
"""File systems of which each mount is a view of its own of the drive that its source names (WSL)."""

_TEMPORARY = ("/run/", "/tmp/", "/var/run/", "/var/tmp/")  # noqa: S108 - compared with, never written to

_OPTIONAL = 6
_FENCE = "-"


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount. `number` is the kernel's major:minor of the file system, None where it is not known.

    `ident` tells the mount from others, `parent` is that of the mount on which it lies. `options` are the mount's own,
    `settings` those of the file system itself (the controllers of a cgroup hierarchy, for one).
    """

    mountpoint: str
    device: str
    fstype: str
    root: str = "/"
    number: str | None = None
    settings: frozenset[str] = field(default=frozenset(), compare=False)
    options: frozenset[str] = field(default=frozenset(), compare=False)
    ident: str = field(default="", compare=False)
    parent: str = field(default="", compare=False)


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
                options=frozenset(fields[5].split(",")),
                ident=fields[0],
                parent=fields[1],
            )
        )
    return mounts


def find_visible(mounts: Iterable[Mount]) -> list[Mount]:
    """Return the mounts that can be reached.

    One is covered by a mount on its own top, and so is one that lies below a folder of the same parent on which another
    is mounted, with all that lies on it. Of several at one mountpoint, the last covers the others.
    """
    listed = list(mounts)
    by_ident = {mount.ident: mount for mount in listed if mount.ident}
    folders: dict[str, set[str]] = {}
    for mount in listed:
        folders.setdefault(mount.parent, set()).add(mount.mountpoint)
    lost: dict[str, bool] = {}
    reached = [mount for mount in listed if not _is_lost(mount, by_ident, folders, lost)]
    return list({mount.mountpoint: mount for mount in reached}.values())


def _is_lost(mount: Mount, by_ident: dict[str, Mount], folders: dict[str, set[str]], lost: dict[str, bool]) -> bool:
    """Say whether a mount, or one that it lies on, is below a folder that is covered; `lost` remembers the answers."""
    way = []
    each: Mount | None = mount
    answer = False
    while each is not None and each.ident not in way:
        if each.ident in lost:
            answer = lost[each.ident]
            break
        if each.ident:
            way.append(each.ident)
        if any(upper in folders[each.parent] for upper in _upper_folders(each.mountpoint) if each.parent):
            answer = True
            break
        each = by_ident.get(each.parent)
    lost.update(dict.fromkeys(way, answer))
    return answer


def _upper_folders(mountpoint: str) -> list[str]:
    """Return the folders that a folder lies in, `/` among them."""
    parts = mountpoint.split("/")[1:-1]
    return [] if mountpoint == "/" else ["/", *("/" + "/".join(parts[: end + 1]) for end in range(len(parts)))]


def find_enclosing(mount: Mount, mounts: Iterable[Mount]) -> Mount | None:
    """Return the mount in whose file system a mountpoint lies."""
    by_mountpoint = {each.mountpoint: each for each in mounts}
    upper = [by_mountpoint[folder] for folder in _upper_folders(mount.mountpoint) if folder in by_mountpoint]
    return upper[-1] if upper else None


def find_duplicates(mounts: Iterable[Mount], named: Collection[tuple[str, str]] = ()) -> set[str]:
    """Return the mountpoints that show a file system again that is mounted elsewhere (bind mounts, subvolumes).

    `named` are the file systems that have a name already, with the mountpoint that it is: they keep it while it lasts.
    Else the one that counts is `/`, lies in no folder for what is temporary, shows the root of its file system, has the
    shortest mountpoint: the first of these that tells two apart.
    """
    first: set[str] = set()
    again = set()

    def rank(mount: Mount) -> tuple[bool | int | str, ...]:
        return (
            (identify(mount), mount.mountpoint) not in named,
            mount.mountpoint != "/",
            mount.mountpoint.startswith(_TEMPORARY),
            mount.root != "/",
            len(mount.mountpoint),
            mount.mountpoint,
        )

    for mount in sorted(mounts, key=rank):
        identity = identify(mount)
        if identity in first:
            again.add(mount.mountpoint)
        elif identity:
            first.add(identity)
    return again


def identify(mount: Mount) -> str:
    """Return what tells a file system from others: the kernel's number, or the drive; nothing where it is unknown."""
    if mount.fstype in _DRIVES and mount.device:
        tree = next((setting for setting in mount.settings if setting.startswith("aname=")), "")
        return f"{mount.fstype} {mount.device} {mount.root} {tree}"
    return mount.number or ""


def holds_data(mount: Mount) -> bool:
    """Say whether a mount can be full: it can be written to, and is neither made up by the kernel nor a view of others.

    A read-only image is always full. A file system that the kernel made read-only after an error still counts: then the
    mount itself says `rw`.
    """
    if "ro" in mount.options and "ro" in mount.settings:
        return False
    return mount.fstype not in _WITHOUT_DATA


def is_known_to_hold_data(mount: Mount) -> bool:
    """Say whether a disk, a server or a program is behind a mount for sure; any other has to show a size first."""
    if mount.device.startswith("/") or _has_device(mount) or mount.fstype in {*_WITHOUT_PATH, *_LOCAL}:
        return True
    return mount.fstype.startswith("fuse.") or ":/" in mount.device


def _has_device(mount: Mount) -> bool:
    """Say whether the kernel has a device of that number; 0 is the major number of all that have none."""
    return mount.number is not None and not mount.number.startswith("0:")


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
    return mount.device.startswith("/dev/") or _has_device(mount) or mount.fstype in _LOCAL


def _lies_below(mountpoint: str, upper: str) -> bool:
    return mountpoint == upper or mountpoint.startswith(upper.rstrip("/") + "/")


def _unescape(text: str) -> str:
    """Undo the kernel's `\\040` for a space, and likewise for tab, newline and backslash."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
