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
_FIELDS = 16
_BELIEVABLE = 120.0
"""Percent of a link's speed above which the speed is not the link's: drivers make one up for what has none."""

_LEAST_PACKETS, _LEAST_PACKETS_PER_SECOND = 100, 10
"""Packets of an interval below which the share of the dropped ones says nothing."""


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Which interfaces are watched."""

    include: tuple[str, ...] = option((), "interfaces to watch whatever `exclude` says")
    exclude: tuple[str, ...] = option(("lo",), "interfaces to leave out")
    summed: tuple[str, ...] = option(
        ("veth*", "docker*", "cali*", "flannel*"), "patterns whose interfaces share a row, unless `include` names them"
    )


@dataclass(frozen=True, slots=True)
class InterfaceCounters:
    """What one interface has carried since it appeared, each pair received and sent, and its speed in bits a second.

    `dropped_out` is None where the system does not count it. `row` is the pattern of those that it shares a row with.
    """

    bytes: tuple[int, int]
    packets: tuple[int, int]
    errors: tuple[int, int]
    dropped_in: int
    dropped_out: int | None
    speed: int | None
    row: str | None = None

    @property
    def counters(self) -> tuple[int | None, ...]:
        """Return all that only grows while the interface lives."""
        return (*self.bytes, *self.packets, *self.errors, self.dropped_in, self.dropped_out)


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
                "Dropped packets of all packets; empty where there were too few for a share.",
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
        self._summed = [(pattern, Filter((pattern,), ())) for pattern in options.summed]
        self._rows: dict[str, tuple[bool, str | None]] = {}
        self._monotonic = monotonic
        self._dev = KernelFile(source.network / "dev")
        self._speeds: dict[str, tuple[float, int | None]] = {}

    def read(self) -> NetworkReading:
        """Read the counters and the speed of every watched interface."""
        return NetworkReading(self._kernel_interfaces() if self._source.linux else self._psutil_interfaces())

    def rows(self, before: NetworkReading | None, after: NetworkReading, seconds: float) -> list[Row]:
        """Turn counters into rates; an interface that was reset or is new has none yet, and adds nothing to a sum."""
        earlier: Mapping[str, InterfaceCounters] = before.interfaces if before else {}
        growths = [(name, now, _growth(earlier.get(name), now)) for name, now in after.interfaces.items()]
        single = [_row(name, growth, now.speed, seconds) for name, now, growth in growths if now.row is None]
        summed: dict[str, list[Growth]] = {}
        for _, now, growth in growths:
            if now.row is not None:
                summed.setdefault(now.row, []).append(growth)
        return [*single, *(_row(pattern, _add(parts), None, seconds) for pattern, parts in summed.items())]

    def _kernel_interfaces(self) -> dict[str, InterfaceCounters]:
        """Read /proc/net/dev: after two lines of headings, 8 counters of receiving and 8 of sending each."""
        interfaces: dict[str, InterfaceCounters] = {}
        places: dict[str, tuple[bool, str | None]] = {}
        for line in self._dev.require().split(b"\n")[_HEADINGS:]:
            name, colon, numbers = line.rpartition(b":")
            if not colon:
                continue
            interface = name.strip().decode("utf-8", "surrogateescape")
            watched, row = places[interface] = self._rows.get(interface) or self._place(interface)
            if watched and (counted := _parse_counters(numbers)) is not None:
                interfaces[interface] = InterfaceCounters(
                    bytes=(counted[0], counted[8]),
                    packets=(counted[1], counted[9]),
                    errors=(counted[2], counted[10]),
                    dropped_in=counted[3],
                    dropped_out=counted[11],
                    speed=self._kernel_speed(interface) if row is None else None,
                    row=row,
                )
        self._rows = places
        self._speeds = {name: speed for name, speed in self._speeds.items() if name in interfaces}
        return interfaces

    def _place(self, name: str) -> tuple[bool, str | None]:
        """Decide, once for as long as an interface is there, whether it is watched, and with which it shares a row."""
        if self._filter.includes(name) or not self._filter.allows(name):
            return self._filter.includes(name), None
        return True, next((pattern for pattern, members in self._summed if members.includes(name)), None)

    def _kernel_speed(self, name: str) -> int | None:
        """Return the speed as of the last minute: cables are changed rarely, and some drivers ask the hardware."""
        now = self._monotonic()
        cached = self._speeds.get(name)
        if cached is None or now - cached[0] >= _SPEED_HOLDS:
            cached = self._speeds[name] = (now, self._read_speed(name))
        return cached[1]

    def _read_speed(self, name: str) -> int | None:
        """Return bits a second; tun and tap devices have a nominal 10 Mbit/s that means nothing."""
        folder = self._source.sys / "class/net" / name
        try:
            megabits = int(read_bytes(folder / "speed"))
        except (OSError, ValueError):  # the kernel answers EINVAL while the link is down or has no speed
            return None
        return None if megabits in _UNKNOWN or (folder / "tun_flags").exists() else megabits * _MEGABIT

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
                row=self._place(name)[1],
            )
            for name, nic in counted.items()
            if self._filter.allows(name)
        }


Growth = tuple[int | None, ...]
"""By how much each of the counters grew; None where it fell, or is not counted."""

_UNSEEN: Growth = (None,) * 8


def _parse_counters(numbers: bytes) -> list[int] | None:
    """Return the counters of one line; None for a line of another form, which must not hide the others."""
    try:
        counted = list(map(int, numbers.split()))
    except ValueError:
        return None
    return counted if len(counted) >= _FIELDS else None


def _growth(before: InterfaceCounters | None, after: InterfaceCounters) -> Growth:
    """Return the growth of each counter: unknown for one that fell alone, and for all where several did, a reset."""
    if before is None:
        return _UNSEEN
    pairs = list(zip(before.counters, after.counters, strict=True))
    fallen = sum([then is not None and now is not None and now < then for then, now in pairs])
    return _UNSEEN if fallen > 1 else tuple([rates.increase(then, now) for then, now in pairs])


def _add(growths: list[Growth]) -> Growth:
    """Return the sum of each counter over all interfaces of which it is known."""
    columns = [[growth for growth in column if growth is not None] for column in zip(*growths, strict=True)]
    return tuple([sum(column) if column else None for column in columns])


def _row(name: str, growth: Growth, speed: int | None, seconds: float) -> Row:
    if seconds <= 0:
        return (name, *[None] * 10)
    received, sent, *_ = growth
    busier = None if received is None or sent is None or speed is None else max(received, sent) * 8
    usage = rates.percent(busier, None if speed is None else speed * seconds)
    return (
        name,
        *[rates.mean(grown, seconds) for grown in growth],
        _drop_percent(growth, seconds),
        None if usage is None or usage > _BELIEVABLE else usage,
    )


def _drop_percent(growth: Growth, seconds: float) -> float | None:
    """Return the share of the dropped packets; where a system does not count those it sends, of the received alone."""
    _, _, packets_in, packets_out, _, _, drops_in, drops_out = growth
    if packets_in is None or packets_out is None or drops_in is None:
        return None
    drops = drops_in + (drops_out or 0)
    packets = packets_in + packets_out + drops
    return (
        rates.percent(drops, packets) if packets >= max(_LEAST_PACKETS, _LEAST_PACKETS_PER_SECOND * seconds) else None
    )
