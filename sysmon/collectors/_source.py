"""Source of readings: the roots of /proc and /sys, and psutil. The seam for recorded trees and other systems."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from sys import platform as this_platform
from types import ModuleType
from typing import Any

from sysmon.collectors._listing import Listing
from sysmon.errors import Unavailable

_CHUNK = 32 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """The machine to read.

    `root` is where its file systems are mounted, as those of a container's host are below a folder of the container;
    `view` is the process below `proc` whose mounts and network are the machine's: the reader, or the host's first one.
    `platform` is a value of `sys.platform`; `fake_psutil` stands in for psutil (tests give what it returns on systems
    that are not here).
    """

    proc: Path = Path("/proc")
    sys: Path = Path("/sys")
    platform: str = this_platform
    fake_psutil: Any = field(default=None, repr=False)
    root: Path = Path("/")
    view: str = "self"
    listing: Listing = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "listing", Listing(self.proc))

    @property
    def linux(self) -> bool:
        """Say whether /proc and /sys have Linux's form."""
        return self.platform.startswith("linux")

    @property
    def network(self) -> Path:
        """Return the folder in which the kernel tells of the machine's network."""
        return self.proc / "net" if self.view == "self" else self.proc / self.view / "net"

    @property
    def mountinfo(self) -> Path:
        """Return the file that lists the machine's mounts."""
        return self.proc / self.view / "mountinfo"

    @property
    def psutil(self) -> Any:
        """Return psutil, reading below this source's /proc.

        psutil keeps that root in a module global, so it is set at each use. It is imported at the first use: commands
        that only need what collectors declare never load it.
        """
        if self.fake_psutil is not None:
            return self.fake_psutil
        module = _import_psutil()
        module.PROCFS_PATH = str(self.proc)  # type: ignore[attr-defined]
        return module

    def require(self, path: Path) -> bytes:
        """Return a kernel file that a collector cannot do without; raise Unavailable where it is missing."""
        try:
            return read_bytes(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Unavailable(f"there is no {path}") from error

    def read_text(self, path: Path) -> str:
        """Return a small kernel file; undecodable bytes become lone surrogates."""
        return read_bytes(path).decode("utf-8", "surrogateescape")


def read_bytes(path: Path | str) -> bytes:
    """Return a kernel file whole. A file object would take twice the time, at every tick for dozens of files."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        whole = chunk = os.read(descriptor, _CHUNK)
        while chunk:
            chunk = os.read(descriptor, _CHUNK)
            whole += chunk
        return whole
    finally:
        os.close(descriptor)


def _import_psutil() -> ModuleType:
    import psutil

    return psutil
