"""TCP connections by state."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sysmon.collectors._kernel_file import parse_count
from sysmon.collectors._sockdiag import ESTABLISHED, STATES, TIME_WAIT, RareSockets, SockDiag
from sysmon.collectors._source import read_bytes
from sysmon.collectors.api import KernelFile, Kind, Metric, NoOptions, Resource, Row, Source, Table, Unavailable, Unit

_RUNNING_NETWORK = Path("/proc/net")


@dataclass(frozen=True, slots=True)
class ConnectionsReading:
    """The number of sockets in each state that can be told here."""

    states: Mapping[str, int]


class ConnectionsCollector:
    """Counts the TCP sockets of sysmon's own network namespace, IPv4 and IPv6 together.

    On Linux from netlink (sock_diag(7)) and the counters of /proc/net; where that is refused, from /proc/net/tcp and
    tcp6; where these are hidden, from the counters alone, which know two states. Elsewhere from psutil.
    """

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "connections",
        "TCP connections, state by state.",
        (Metric("network_connections", Kind.GAUGE, Unit.NONE, "TCP sockets in this state."),),
        labels=("state",),
        compact=True,
        order=90,
        resource=Resource.SOCKETS,
    )

    def __init__(self, source: Source, options: NoOptions, *, ask: Callable[[], RareSockets] | None = None) -> None:
        self._source = source
        self._ask = (ask or SockDiag().ask) if source.linux and source.network == _RUNNING_NETWORK else None
        self._files = {name: KernelFile(source.network / name) for name in ("sockstat", "sockstat6", "snmp")}

    def read(self) -> ConnectionsReading:
        """Count the sockets in each state."""
        if not self._source.linux:
            return ConnectionsReading(self._from_psutil())
        counted = self._from_kernel()
        if counted is None:
            counted = self._from_lists()
        return ConnectionsReading(self._from_counters() if counted is None else counted)

    def rows(self, before: ConnectionsReading | None, after: ConnectionsReading, seconds: float) -> list[Row]:
        """Return a row for each state."""
        return list(after.states.items())

    def _from_kernel(self) -> dict[str, int] | None:
        """Count the rare states one by one, and take the two others from what the kernel counts in all.

        `inuse` is every socket but those in TIME_WAIT, `tw` these and the shrunk ones. (CurrEstab would need no
        subtraction, but holds CLOSE_WAIT in some kernels and not in others: 6.10 changed it, and so did updates.)
        """
        if self._ask is None:
            return None
        try:
            rare = self._ask()
        except OSError:  # built without it, or forbidden by a sandbox: the lists know as much, and only cost more
            self._ask = None  # a missing module would be looked for by modprobe at each tick
            return None
        ipv4, ipv6 = self._counters("sockstat", b"TCP:"), self._counters("sockstat6", b"TCP6:")
        if b"inuse" not in ipv4 or b"tw" not in ipv4:
            return None
        full = rare.states.total() - rare.shrunk
        established = ipv4[b"inuse"] + ipv6.get(b"inuse", 0) - full
        common = {ESTABLISHED: max(0, established), TIME_WAIT: max(0, ipv4[b"tw"] - rare.shrunk)}
        return _by_name({**rare.states, **common})

    def _from_lists(self) -> dict[str, int] | None:
        """Count the lines of /proc/net/tcp and tcp6; their fourth column is the state."""
        try:
            text = read_bytes(self._source.network / "tcp")
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        try:
            text += read_bytes(self._source.network / "tcp6")
        except FileNotFoundError:  # a machine without IPv6
            pass
        except PermissionError:  # half of the sockets would be no count
            return None
        fields = (line.split(None, 4) for line in text.split(b"\n"))
        return _by_name(Counter(int(field[3], 16) for field in fields if len(field) > 4 and field[0] != b"sl"))

    def _from_counters(self) -> dict[str, int]:
        """Return the states that counters tell; in most kernels CurrEstab holds CLOSE_WAIT too."""
        established = self._counters("snmp", b"Tcp:").get(b"CurrEstab")
        waiting = self._counters("sockstat", b"TCP:").get(b"tw")
        counts = {STATES[ESTABLISHED]: established, STATES[TIME_WAIT]: waiting}
        present = {state: count for state, count in counts.items() if count is not None}
        if not present:
            raise Unavailable(f"{self._source.network} tells nothing about TCP sockets")
        return present

    def _counters(self, name: str, protocol: bytes) -> dict[bytes, int]:
        """Return one protocol's numbers: on one line with their names between, or below a line of names."""
        try:
            lines = self._files[name].read().split(b"\n")
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return {}
        matching = [line.split()[1:] for line in lines if line.startswith(protocol)]
        if len(matching) > 1:
            pairs = list(zip(matching[0], matching[1], strict=False))
        else:
            pairs = [pair for words in matching for pair in zip(words[::2], words[1::2], strict=False)]
        counted = {key: parse_count(number) for key, number in pairs}
        return {key: number for key, number in counted.items() if number is not None}

    def _from_psutil(self) -> dict[str, int]:
        psutil = self._source.psutil
        try:
            statuses = Counter(connection.status for connection in psutil.net_connections(kind="tcp"))
        except psutil.AccessDenied as error:
            raise Unavailable("this system tells the connections of others to the administrator only") from error
        # macOS knows the sockets of processes, and none has one in TIME_WAIT.
        states = [state for state in STATES.values() if self._source.platform != "darwin" or state != STATES[TIME_WAIT]]
        return {state: statuses[state] for state in states}


def _by_name(counted: Mapping[int, int]) -> dict[str, int]:
    return {name: counted.get(state, 0) for state, name in STATES.items()}
