"""Small file systems in memory, for those who may mount them."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

MIB = 2**20


@contextlib.contextmanager
def small_disk(folder: Path, size: int, inodes: int = 0) -> Iterator[None]:
    """Mount a small file system in memory on a folder, where this system lets us; 0 inodes are no bound."""
    folder.mkdir()
    done = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes={inodes}", "sysmon", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"nothing can be mounted: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)


def used(folder: Path) -> int:
    """Return how many bytes of a file system are taken (statvfs(3)): what `du` would add up, and nothing missed."""
    room = os.statvfs(folder)
    return (room.f_blocks - room.f_bfree) * room.f_frsize
