"""Available memory: what the kernel says, or an estimate, and what can be given back besides."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sysmon.collectors._kernel_file import KernelFile, line_number
from sysmon.collectors._source import Source, read_bytes

_KIB = 1024
_LOOK_AGAIN_AFTER = 30
"""Readings of a machine without ZFS between two looks for it: a module can be loaded later."""

_ARC = re.compile(rb"^(size|c_min) +[0-9]+ +([0-9]+)$", re.MULTILINE)
_POOL = re.compile(r"hugepages-([0-9]+)kB")


class Reclaimable:
    """Adds to the kernel's number what that leaves out although it can be given back; the sum is never above the total.

    - The ZFS cache (ARC) above its least size, where the file that tells it and meminfo are of one kernel. In a
      container, meminfo may be made up for that (lxcfs), and the cache is the host's.
    - Huge pages that are reserved (nr_hugepages), and that no program has or was promised.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._meminfo = source.proc / "meminfo"
        self._arcstats = source.proc / "spl/kstat/zfs/arcstats"
        self._arc = KernelFile(self._arcstats)
        self._readings_without_arc = 0

    def compute_available(self, info: bytes) -> int | None:
        """Return the available bytes by what meminfo says, whose text begins with a newline; None where it does not."""
        total = line_number(info, b"\nMemTotal:")
        available = line_number(info, b"\nMemAvailable:")
        if available is None:
            available = estimate_available(info, self._least_free())
        if available is None or total is None:
            return None
        more = self._arc_above_least() + self._unused_huge_pages(info)
        return min(max(0, available) * _KIB + more, total * _KIB)

    def _least_free(self) -> int | None:
        """Return the kilobytes that the kernel keeps free for itself."""
        try:
            return int(read_bytes(self._source.proc / "sys/vm/min_free_kbytes"))
        except (OSError, ValueError):
            return None

    def _arc_above_least(self) -> int:
        """Return the bytes of the cache that can be given back; where there is none, look again only now and then."""
        if self._readings_without_arc:
            self._readings_without_arc -= 1
            return 0
        try:
            sizes = dict(_ARC.findall(self._arc.read()))
            if not sizes or self._arcstats.stat().st_dev != self._meminfo.stat().st_dev:
                return 0
        except OSError:  # a machine without ZFS, or not yet with it
            self._readings_without_arc = _LOOK_AGAIN_AFTER
            return 0
        return max(0, int(sizes.get(b"size", 0)) - int(sizes.get(b"c_min", 0)))

    def _unused_huge_pages(self, info: bytes) -> int:
        """Return the bytes of those of the default size, which meminfo tells; of all sizes where there are others."""
        size, count = line_number(info, b"\nHugepagesize:"), line_number(info, b"\nHugePages_Total:") or 0
        in_all = line_number(info, b"\nHugetlb:") or 0
        if size is None or not (count or in_all):
            return 0
        if in_all > count * size and (pools := list(self._pools())):
            return sum(pools) * _KIB
        free, promised = (line_number(info, word) or 0 for word in (b"\nHugePages_Free:", b"\nHugePages_Rsvd:"))
        return max(0, free - promised) * size * _KIB

    def _pools(self) -> Iterator[int]:
        """Yield the unused kilobytes of each size (Documentation/ABI/testing/sysfs-kernel-mm-hugepages)."""
        folder = self._source.sys / "kernel/mm/hugepages"
        with suppress(OSError, ValueError):
            for name in os.listdir(folder):  # noqa: PTH208 - names
                if match := _POOL.fullmatch(name):
                    free, promised = (
                        _read_count(folder / name / file) for file in ("free_hugepages", "resv_hugepages")
                    )
                    yield max(0, free - promised) * int(match[1])


def estimate_available(info: bytes, least_free: int | None) -> int | None:
    """Return the kilobytes that are available where the kernel (before 3.14) does not tell; None without the parts.

    It is the sum that proc_meminfo(5) and the kernel's commit 34e431b0ae39 describe: what is free, the page cache and
    reclaimable slab, less the low watermark, and half of each cache or the watermark, whichever is less.
    """
    parts = [
        line_number(info, word)
        for word in (b"\nMemFree:", b"\nActive(file):", b"\nInactive(file):", b"\nSReclaimable:")
    ]
    free, active, inactive, slab = parts
    if free is None or active is None or inactive is None or slab is None or least_free is None:
        return None
    low = least_free * 5 // 4
    caches = sum(cache - min(cache // 2, low) for cache in (active + inactive, slab))
    return max(0, free - low + caches)


def _read_count(path: Path) -> int:
    return int(read_bytes(path))
