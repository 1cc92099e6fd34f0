"""Memory and swap usage, page faults and OOM kills."""

import os
from dataclasses import dataclass
from typing import ClassVar

from sysmon.collectors import _available
from sysmon.collectors._kernel_file import line_number
from sysmon.collectors.api import (
    Headline,
    KernelFile,
    Kind,
    Metric,
    NoOptions,
    Resource,
    Row,
    Source,
    Table,
    Unavailable,
    Unit,
    rates,
)


@dataclass(frozen=True, slots=True)
class MemoryReading:
    """Bytes now, and events since the machine started; None where the system does not tell."""

    total: int | None = None
    free: int | None = None
    available: int | None = None
    cached: int | None = None
    buffers: int | None = None
    shared: int | None = None
    slab: int | None = None
    dirty: int | None = None
    committed: int | None = None
    swap_total: int | None = None
    swap_free: int | None = None
    major_faults: int | None = None
    swapped_in: int | None = None
    swapped_out: int | None = None
    oom_kills: int | None = None


class MemoryCollector:
    """Reads /proc/meminfo and /proc/vmstat (proc_meminfo(5), proc_vmstat(5)); psutil on other systems.

    What is available includes what the kernel does not count so: the ZFS cache and unused reserved huge pages.
    """

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "memory",
        "Memory and swap of the whole machine.",
        (
            Metric("memory_total_bytes", Kind.GAUGE, Unit.BYTES, "Memory that the kernel manages."),
            Metric("memory_used_bytes", Kind.GAUGE, Unit.BYTES, "Used memory: total - available."),
            Metric(
                "memory_free_bytes",
                Kind.GAUGE,
                Unit.BYTES,
                "MemFree: memory that holds nothing at all.",
                remainder=True,
            ),
            Metric(
                "memory_available_bytes",
                Kind.GAUGE,
                Unit.BYTES,
                "MemAvailable: memory that programs could have without swapping; ZFS cache and free huge pages too.",
                remainder=True,
            ),
            Metric("memory_cached_bytes", Kind.GAUGE, Unit.BYTES, "Page cache: contents of files kept in memory."),
            Metric("memory_buffers_bytes", Kind.GAUGE, Unit.BYTES, "Buffers: raw disk blocks kept in memory."),
            Metric("memory_shared_bytes", Kind.GAUGE, Unit.BYTES, "Memory shared by programs, tmpfs included."),
            Metric(
                "memory_slab_bytes", Kind.GAUGE, Unit.BYTES, "Slab: memory that the kernel uses for its own objects."
            ),
            Metric(
                "memory_dirty_bytes",
                Kind.GAUGE,
                Unit.BYTES,
                "Dirty pages: changed file contents that are not on disk yet.",
            ),
            Metric("memory_committed_bytes", Kind.GAUGE, Unit.BYTES, "Committed_AS: memory promised to programs."),
            Metric(
                "memory_usage_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Used memory of all memory.",
                headline=Headline("memory", 30),
            ),
            Metric(
                "memory_major_faults_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "Major page faults: those that had to wait for a disk.",
            ),
            Metric("swap_total_bytes", Kind.GAUGE, Unit.BYTES, "Size of the swap space."),
            Metric("swap_used_bytes", Kind.GAUGE, Unit.BYTES, "Swap space in use."),
            Metric("swap_free_bytes", Kind.GAUGE, Unit.BYTES, "Swap space left.", remainder=True),
            Metric(
                "swap_usage_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Used swap of all swap; empty where there is none.",
                headline=Headline("swap", 40, rare=True),
            ),
            Metric(
                "swap_in_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "Swap-in: memory brought back from swap."
            ),
            Metric(
                "swap_out_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "Swap-out: memory moved out to swap."
            ),
            Metric(
                "oom_kills",
                Kind.COUNT,
                Unit.NONE,
                "Processes killed by the OOM killer since the previous sample.",
                headline=Headline("OOM kills", 50, rare=True),
            ),
        ),
        order=40,
        resource=Resource.MEMORY,
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source
        self._meminfo, self._vmstat = KernelFile(source.proc / "meminfo"), KernelFile(source.proc / "vmstat")
        self._reclaimable = _available.Reclaimable(source)

    def read(self) -> MemoryReading:
        """Read how memory is used now, and the event counters."""
        return self._read_kernel() if self._source.linux else self._read_psutil()

    def rows(self, before: MemoryReading | None, after: MemoryReading, seconds: float) -> list[Row]:
        """Return the one row: gauges as read, counters as rates."""
        then = before or MemoryReading()
        used = _subtract(after.total, after.available)
        swap_used = _subtract(after.swap_total, after.swap_free)
        return [
            (
                after.total,
                used,
                after.free,
                after.available,
                after.cached,
                after.buffers,
                after.shared,
                after.slab,
                after.dirty,
                after.committed,
                rates.percent(used, after.total),
                rates.per_second(then.major_faults, after.major_faults, seconds),
                after.swap_total,
                swap_used,
                after.swap_free,
                rates.percent(swap_used, after.swap_total),
                rates.per_second(then.swapped_in, after.swapped_in, seconds),
                rates.per_second(then.swapped_out, after.swapped_out, seconds),
                rates.increase(then.oom_kills, after.oom_kills),
            )
        ]

    def _read_kernel(self) -> MemoryReading:
        page = os.sysconf("SC_PAGE_SIZE")
        info, events = b"\n" + self._meminfo.require(), self._events()
        if b"\nMemTotal:" not in info:
            raise Unavailable(f"{self._source.proc / 'meminfo'} does not tell how much memory there is")
        return MemoryReading(
            total=_read_size(info, b"\nMemTotal:", 1024),
            free=_read_size(info, b"\nMemFree:", 1024),
            available=self._reclaimable.compute_available(info),
            cached=_read_size(info, b"\nCached:", 1024),
            buffers=_read_size(info, b"\nBuffers:", 1024),
            shared=_read_size(info, b"\nShmem:", 1024),
            slab=_read_size(info, b"\nSlab:", 1024),
            dirty=_read_size(info, b"\nDirty:", 1024),
            committed=_read_size(info, b"\nCommitted_AS:", 1024),
            swap_total=_read_size(info, b"\nSwapTotal:", 1024),
            swap_free=_read_size(info, b"\nSwapFree:", 1024),
            major_faults=_read_size(events, b"\npgmajfault ", 1),
            swapped_in=_read_size(events, b"\npswpin ", page),
            swapped_out=_read_size(events, b"\npswpout ", page),
            oom_kills=_read_size(events, b"\noom_kill ", 1),
        )

    def _events(self) -> bytes:
        try:
            return b"\n" + self._vmstat.read()
        except (FileNotFoundError, PermissionError):  # a kernel without event counters, or one that hides them
            return b""

    def _read_psutil(self) -> MemoryReading:
        psutil = self._source.psutil
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        counts_swapping = self._source.platform != "win32"  # psutil fills these fields with 0 there
        return MemoryReading(
            total=memory.total,
            free=memory.free,
            available=memory.available,
            cached=getattr(memory, "cached", None),
            buffers=getattr(memory, "buffers", None),
            shared=getattr(memory, "shared", None),
            swap_total=swap.total,
            swap_free=swap.free,
            swapped_in=swap.sin if counts_swapping else None,
            swapped_out=swap.sout if counts_swapping else None,
        )


def _read_size(text: bytes, word: bytes, size: int) -> int | None:
    number = line_number(text, word)
    return None if number is None else number * size


def _subtract(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else max(0, whole - part)
