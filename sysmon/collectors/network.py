"""Network throughput, errors and drops, interface by interface."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from sysmon.collectors._source import read_bytes
from sysmon.collectors.api import Filter, Headline, KernelFile, Kind, Metric, Row, Source, Table, Unit, option, rates

_MEGABIT = 1_000_000
_HEADINGS = 2
_SPEED_HOLDS = 60.0
_UNKNOWN = (-1, 0, 2**16 - 1, 2**32 - 1)  # what drivers and kernels of different ages write for -1


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Which interfaces are watched."""

    include: tuple[str, ...] = option((), "interfaces to watch whatever `exclude` says")
    exclude: tuple[str, ...] = option(("lo",), "interfaces to leave out")


@dataclass(frozen=True, slots=True)
class InterfaceCounters:
    """What one interface has carried since it appeared, each pair received and sent, and its speed in bits a second.

    `dropped_out` is None where the system does not count it.
    """

    bytes: tuple[int, int]
    packets: tuple[int, int]
    errors: tuple[int, int]
    dropped_in: int
    dropped_out: int | None
    speed: int | None

    @property
    def counters(self) -> tuple[int, ...]:
        """Return all that only grows while the interface lives."""
        return (*self.bytes, *self.packets, *self.errors, self.dropped_in, self.dropped_out or 0)


@dataclass(frozen=True, slots=True)
class NetworkReading:
    """The counters of each interface."""

    interfaces: Mapping[str, InterfaceCounters]


class NetworkCollector:
    """Reads /proc/net/dev, and the speed from /sys/class/net (Documentation/ABI/testing/sysfs-class-net).

    Other systems are read through psutil. On Linux psutil.net_if_stats fails for all when one name is no UTF-8.
    """

    Options = NetworkOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "network",
        "Traffic, errors and losses, interface by interface.",
        (
            Metric(
                "network_receive_bytes_per_second",
                Kind.RATE,
                Unit.BYTES_PER_SECOND,
                "Bytes received.",
                headline=Headline("network in", 80),
            ),
            Metric(
                "network_transmit_bytes_per_second",
                Kind.RATE,
                Unit.BYTES_PER_SECOND,
                "Bytes sent.",
                headline=Headline("network out", 90),
            ),
            Metric("network_receive_packets_per_second", Kind.RATE, Unit.PER_SECOND, "Packets received."),
            Metric("network_transmit_packets_per_second", Kind.RATE, Unit.PER_SECOND, "Packets sent."),
            Metric("network_receive_errors_per_second", Kind.RATE, Unit.PER_SECOND, "Packets that arrived damaged."),
            Metric("network_transmit_errors_per_second", Kind.RATE, Unit.PER_SECOND, "Packets that could not be sent."),
            Metric(
                "network_receive_drops_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "Received packets that were dropped.",
            ),
            Metric(
                "network_transmit_drops_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "Packets dropped before they were sent.",
            ),
            Metric(
                "network_drop_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Dropped packets of all packets; empty when there was none.",
            ),
            Metric(
                "network_bandwidth_usage_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Traffic of the busier direction of the link's speed; empty where the speed is unknown.",
            ),
        ),
        labels=("interface",),
        order=70,
    )

    def __init__(
        self, source: Source, options: NetworkOptions, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._filter = Filter(options.include, options.exclude)
        self._monotonic = monotonic
        self._dev = KernelFile(source.network / "dev")
        self._speeds: dict[str, tuple[float, int | None]] = {}

    def read(self) -> NetworkReading:
        """Read the counters and the speed of every watched interface."""
        return NetworkReading(self._kernel_interfaces() if self._source.linux else self._psutil_interfaces())

    def rows(self, before: NetworkReading | None, after: NetworkReading, seconds: float) -> list[Row]:
        """Turn counters into rates; an interface that was reset or is new has none yet."""
        earlier: Mapping[str, InterfaceCounters] = before.interfaces if before else {}
        return [_row(name, earlier.get(name), now, seconds) for name, now in after.interfaces.items()]

    def _kernel_interfaces(self) -> dict[str, InterfaceCounters]:
        """Read /proc/net/dev: after two lines of headings, 8 counters of receiving and 8 of sending each."""
        interfaces = {}
        for line in self._dev.require().split(b"\n")[_HEADINGS:]:
            name, colon, numbers = line.rpartition(b":")
            interface = name.strip().decode("utf-8", "surrogateescape")
            if colon and self._filter.allows(interface):
                counted = list(map(int, numbers.split()))
                interfaces[interface] = InterfaceCounters(
                    bytes=(counted[0], counted[8]),
                    packets=(counted[1], counted[9]),
                    errors=(counted[2], counted[10]),
                    dropped_in=counted[3],
                    dropped_out=counted[11],
                    speed=self._kernel_speed(interface),
                )
        self._speeds = {name: speed for name, speed in self._speeds.items() if name in interfaces}
        return interfaces

    def _kernel_speed(self, name: str) -> int | None:
        """Return the speed as of the last minute: cables are changed rarely, and some drivers ask the hardware."""
        now = self._monotonic()
        cached = self._speeds.get(name)
        if cached is None or now - cached[0] >= _SPEED_HOLDS:
            cached = self._speeds[name] = (now, self._read_speed(name))
        return cached[1]

    def _read_speed(self, name: str) -> int | None:
        try:
            megabits = int(read_bytes(self._source.sys / "class/net" / name / "speed"))
        except (OSError, ValueError):  # the kernel answers EINVAL while the link is down or has no speed
            return None
        return None if megabits in _UNKNOWN else megabits * _MEGABIT

    def _psutil_interfaces(self) -> dict[str, InterfaceCounters]:
        psutil = self._source.psutil
        counted = psutil.net_io_counters(pernic=True, nowrap=False)
        speeds = {name: nic.speed * _MEGABIT for name, nic in psutil.net_if_stats().items() if nic.speed > 0}
        counts_sent_drops = self._source.platform != "darwin"  # psutil fills that field with 0 there
        return {
            name: InterfaceCounters(
                bytes=(nic.bytes_recv, nic.bytes_sent),
                packets=(nic.packets_recv, nic.packets_sent),
                errors=(nic.errin, nic.errout),
                dropped_in=nic.dropin,
                dropped_out=nic.dropout if counts_sent_drops else None,
                speed=speeds.get(name),
            )
            for name, nic in counted.items()
            if self._filter.allows(name)
        }


def _row(name: str, before: InterfaceCounters | None, after: InterfaceCounters, seconds: float) -> Row:
    if before is None or seconds <= 0 or not rates.continuous(before.counters, after.counters):
        return (name, *[None] * 10)
    grown = [now - then for then, now in zip(before.counters, after.counters, strict=True)]
    received, sent, packets_in, packets_out, _, _, drops_in, drops_out = grown
    per_second: list[float | None] = [round(growth / seconds, 3) for growth in grown]
    if after.dropped_out is None:
        per_second[-1] = None
    drops = drops_in + drops_out
    speed = None if after.speed is None else after.speed * seconds
    return (
        name,
        *per_second,
        rates.percent(drops, packets_in + packets_out + drops),
        rates.percent(max(received, sent) * 8, speed),
    )
