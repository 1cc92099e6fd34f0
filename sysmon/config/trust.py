"""Trust in configuration: may a stranger change what root runs? Looks at owners and modes, and changes nothing.

A configuration names programs, and rules decide when they are run. So whoever may write these files, the folders above
them or the programs is as good as the user who runs sysmon.
"""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sysmon.config import Config, locations
from sysmon.errors import ConfigError
from sysmon.text.names import printable

SERVICE_USER = "sysmon"
"""The user that `sysmon service install` makes."""

_ALL_USERS = ["0", "0", "4294967295"]
_EVERYBODY = "everybody"
_ACL = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class Exposure:
    """A file that others may change: at which place on the way to it, who they are, and what to do about it."""

    path: Path
    place: Path
    writers: str
    advice: str

    def __str__(self) -> str:
        """Return it in a line, without the advice."""
        path, place = printable(str(self.path)), printable(str(self.place))
        way = "" if self.path == self.place else f" by way of {place}"
        return f"{path}: {self.writers} may change it{way}"


def require_trusted(config: Config, environ: Mapping[str, str]) -> None:
    """Raise ConfigError where we are root and somebody else may change what is configured."""
    if not is_machine_root():
        return
    exposure = next(find_exposures(config, environ), None)
    if exposure is not None:
        raise ConfigError(f"{exposure}, and root would run what it says: {exposure.advice}")


def find_exposures(config: Config, environ: Mapping[str, str]) -> Iterator[Exposure]:
    """Yield the first weakness of each file that root and the user of the service are not alone in writing."""
    trusted = _trusted_users()
    for path, flag in _files_of(config, environ):
        for place in _places_of(path):
            if (writers := _find_writers(place, trusted)) is not None:
                yield Exposure(path, place, writers, _advise(place, writers, flag))
                break


def find_open_to_all(config: Config, environ: Mapping[str, str]) -> Iterator[Exposure]:
    """Yield each file that everybody on this machine may change."""
    for path, flag in _files_of(config, environ):
        for place in _places_of(path):
            if _is_open_to_all(place.stat().st_mode):
                yield Exposure(path, place, _EVERYBODY, _advise(place, _EVERYBODY, flag))
                break


def is_machine_root() -> bool:
    """Say whether we are root, and of the whole machine: in a user namespace other users are not what they seem."""
    if os.geteuid() != 0:
        return False
    try:
        return Path("/proc/self/uid_map").read_text("ascii").split() == _ALL_USERS
    except OSError:
        return True


def _files_of(config: Config, environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Yield what is configured by files, with what names another one; the rules that came with the program are its."""
    if config.file is not None:
        yield config.file, "--config"
    if config.rules != locations.find_shipped(locations.RULES_NAME):
        yield config.rules, "--rules"
    if config.notify.command:
        import shutil  # only where a program is named

        program = shutil.which(config.notify.command[0], path=environ.get("PATH"))
        if program is not None:
            yield Path(program), "notify.command"


def _places_of(path: Path) -> list[Path]:
    """Return what decides what a path leads to: the file, the folder that it is looked for in, and all above."""
    real, folder = path.resolve(), path.parent.resolve()
    return [place for place in dict.fromkeys([real, *real.parents, folder, *folder.parents]) if locations.exists(place)]


def _find_writers(place: Path, trusted: Collection[int]) -> str | None:
    """Return who may change a file, or what is in a folder, besides users that are trusted; None where nobody may."""
    about = place.stat()
    if about.st_uid not in trusted:
        return f"user {_user_name(about.st_uid)}"
    if stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX:  # there each may change only what is theirs
        return None
    if about.st_mode & stat.S_IWOTH:
        return _EVERYBODY
    if about.st_mode & stat.S_IWGRP:
        if _has_acl(place):
            return "who is in its access list"
        if _has_strangers(about.st_gid, trusted):
            return f"group {_group_name(about.st_gid)}"
    return None


def _is_open_to_all(mode: int) -> bool:
    return bool(mode & stat.S_IWOTH) and not (stat.S_ISDIR(mode) and mode & stat.S_ISVTX)


def _advise(place: Path, writers: str, flag: str) -> str:
    shown = printable(str(place))
    if writers.startswith("user "):
        user = writers.removeprefix("user ")
        return f"run sysmon as {user}, or name one with {flag} that only root may write, in a folder of root's"
    if writers == _EVERYBODY:
        return f"chmod o-w {shown}"
    return f"chmod g-w {shown}" if writers.startswith("group ") else f"setfacl -b {shown}"


def _trusted_users() -> set[int]:
    import pwd  # not on every system

    try:
        return {0, pwd.getpwnam(SERVICE_USER).pw_uid}
    except KeyError:
        return {0}


def _has_strangers(gid: int, trusted: Collection[int]) -> bool:
    """Say whether anybody is in a group who is not trusted."""
    import grp
    import pwd

    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        members = set()
    return any(
        user.pw_uid not in trusted and (user.pw_gid == gid or user.pw_name in members) for user in pwd.getpwall()
    )


def _has_acl(place: Path) -> bool:
    try:
        return bool(os.getxattr(place, _ACL))
    except OSError:  # none, or the file system knows of none
        return False


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
