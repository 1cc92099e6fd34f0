"""TCP retransmits, listen queue overflows and new connections."""

from dataclasses import dataclass
from typing import ClassVar

from sysmon.collectors._kernel_file import parse_count
from sysmon.collectors.api import KernelFile, Kind, Metric, NoOptions, Row, Source, Table, Unavailable, Unit, rates


@dataclass(frozen=True, slots=True)
class TcpReading:
    """What TCP has counted since the machine started; None where the kernel does not tell."""

    retransmits: int | None = None
    listen_drops: int | None = None
    active_opens: int | None = None
    passive_opens: int | None = None


class TcpCollector:
    """Reads /proc/net/snmp and /proc/net/netstat (proc_net(5), RFC 4022) of sysmon's own network namespace."""

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "tcp",
        "The health of TCP, over IPv4 and IPv6 together.",
        (
            Metric(
                "tcp_retransmits_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "TCP retransmits: segments sent again because no acknowledgement came.",
            ),
            Metric(
                "tcp_listen_drops_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "Listen queue overflows: connections that a listening program lost.",
            ),
            Metric(
                "tcp_active_opens_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "Active opens: connections that this machine began.",
            ),
            Metric(
                "tcp_passive_opens_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "Passive opens: connections that others began.",
            ),
        ),
        order=80,
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source
        self._snmp = KernelFile(source.network / "snmp")
        self._netstat = KernelFile(source.network / "netstat")
        self._basic = _Columns(b"\nTcp:", (b"RetransSegs", b"ActiveOpens", b"PassiveOpens"))
        self._extended = _Columns(b"\nTcpExt:", (b"ListenDrops",))

    def read(self) -> TcpReading:
        """Read the counters."""
        if not self._source.linux:
            raise Unavailable("only Linux tells these counters")
        counted = self._basic.numbers(self._snmp.require())
        if counted is None:
            raise Unavailable(f"{self._source.network / 'snmp'} tells nothing about TCP")
        retransmits, active_opens, passive_opens = counted
        try:
            (listen_drops,) = self._extended.numbers(self._netstat.read()) or (None,)
        except (FileNotFoundError, PermissionError):  # some containers' /proc has the first file only
            listen_drops = None
        return TcpReading(retransmits, listen_drops, active_opens, passive_opens)

    def rows(self, before: TcpReading | None, after: TcpReading, seconds: float) -> list[Row]:
        """Return the one row: each counter as a rate."""
        then = before or TcpReading()
        return [
            (
                rates.per_second(then.retransmits, after.retransmits, seconds),
                rates.per_second(then.listen_drops, after.listen_drops, seconds),
                rates.per_second(then.active_opens, after.active_opens, seconds),
                rates.per_second(then.passive_opens, after.passive_opens, seconds),
            )
        ]


class _Columns:
    """Some of a protocol's counters: a line of names, then one of numbers; kernels differ in the columns.

    Where the names stand is looked up when they are first seen, and again only when they are others.
    """

    def __init__(self, protocol: bytes, names: tuple[bytes, ...]) -> None:
        self._protocol = protocol
        self._names = names
        self._heading = b""
        self._places: list[int | None] = []

    def numbers(self, text: bytes) -> list[int | None] | None:
        """Return the numbers in the order of the names, None for a name that is not there; None without two lines."""
        _, header, rest = (b"\n" + text).partition(self._protocol)
        heading, again, rest = rest.partition(self._protocol)
        if not (header and again):
            return None
        if heading != self._heading:
            columns = heading.split()
            self._places = [columns.index(name) if name in columns else None for name in self._names]
            self._heading = heading
        words = rest.partition(b"\n")[0].split()
        return [None if place is None or place >= len(words) else parse_count(words[place]) for place in self._places]
