"""Does TCP have to send things twice, are callers turned away, and how many connections begin?"""

from dataclasses import dataclass
from typing import ClassVar

from sysmon import rates
from sysmon.collectors._options import NoOptions
from sysmon.collectors._source import Source, read_bytes
from sysmon.errors import Unavailable
from sysmon.model import Kind, Metric, Row, Table


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
            Metric("tcp_retransmits_per_second", Kind.RATE, "/s", "Segments sent again because no answer came."),
            Metric(
                "tcp_listen_drops_per_second", Kind.RATE, "/s", "Callers that a listening program lost: queue full."
            ),
            Metric("tcp_active_opens_per_second", Kind.RATE, "/s", "Connections that this machine began."),
            Metric("tcp_passive_opens_per_second", Kind.RATE, "/s", "Connections that others began."),
        ),
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source

    def read(self) -> TcpReading:
        """Read the counters."""
        if not self._source.linux:
            raise Unavailable("only Linux tells these counters")
        network = self._source.proc / "net"
        tcp = _columns(self._source.require(network / "snmp"), b"Tcp:")
        if not tcp:
            raise Unavailable(f"{network / 'snmp'} tells nothing about TCP")
        try:
            extended = _columns(read_bytes(network / "netstat"), b"TcpExt:")
        except FileNotFoundError:  # some containers' /proc has the first file only
            extended = {}
        return TcpReading(
            retransmits=_number(tcp.get(b"RetransSegs")),
            listen_drops=_number(extended.get(b"ListenDrops")),
            active_opens=_number(tcp.get(b"ActiveOpens")),
            passive_opens=_number(tcp.get(b"PassiveOpens")),
        )

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


def _columns(text: bytes, protocol: bytes) -> dict[bytes, bytes]:
    """Return one protocol's counters by name: a line of names, then one of numbers; kernels differ in the columns."""
    lines = [line.split() for line in text.split(b"\n") if line.startswith(protocol)]
    return dict(zip(lines[0][1:], lines[1][1:], strict=False)) if len(lines) > 1 else {}


def _number(digits: bytes | None) -> int | None:
    return None if digits is None else int(digits)
