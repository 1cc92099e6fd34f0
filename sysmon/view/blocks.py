"""Blocks: small tables side by side, of disks, interfaces, file systems, cores, connections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sysmon.model import Row, Unit
from sysmon.text.cells import cut, cut_front, flow, pad, width_of
from sysmon.text.spans import Line, Look, Span, draw_gauge, draw_sparkline, fit, level_style, load_style
from sysmon.text.units import short
from sysmon.view.alert_marks import level_of
from sysmon.view.snapshot import NamedRow, Snapshot, ValuePicker, number, text

LEAST = 2
"""Lines below which a block says nothing: its title and one row."""

_CELL = 7
_LEAST_NAME = 8
_WIDEST_NAME = 26
_LEAST_TREND = 10
_LEAST_BAR = 6
_MOST_CORES = 8
"""Lines of cores with a bar each; more than that get a character each."""


@dataclass(frozen=True, slots=True)
class Block:
    """A title and rows. Where there is no room for all, `small` tells them in fewer lines, or those with most weight
    are shown."""

    title: Line
    rows: Sequence[Line]
    weights: Sequence[float]
    small: Sequence[Line] = ()

    @property
    def height(self) -> int:
        """Return how many lines it would like to have."""
        return 1 + len(self.rows)

    def fit(self, lines: int) -> list[Line]:
        """Return it in so many lines: the rows that count most, in their order, and how many others there are."""
        if lines >= self.height:
            return [self.title, *self.rows]
        if lines < LEAST:
            return []
        if self.small and len(self.small) < lines:
            return [self.title, *self.small]
        room = lines - 2 if lines > LEAST else 1
        places = sorted(range(len(self.rows)), key=lambda place: -self.weights[place])[:room]
        left = len(self.rows) - len(places)
        others = [[Span(f"+{left} more", "dim")]] if lines > LEAST else []
        return [self.title, *(self.rows[place] for place in sorted(places)), *others]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of numbers: its heading, the metric and its unit."""

    heading: str
    metric: str
    unit: Unit

    @property
    def width(self) -> int:
        """Return how many cells it takes, with a blank before it."""
        return max(_CELL, len(self.heading) + 1)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a table becomes a block: what names a row, its columns, the metrics that are charted and count, and how a
    name is cut that is too long."""

    title: str
    table: str
    label: str
    columns: tuple[_Column, ...]
    counts: tuple[str, ...]
    highest: float | None = None
    cut: Callable[[str, int, str], str] = cut


DISKS = _Kind(
    "disk",
    "disk_io",
    "device",
    (
        _Column("busy %", "disk_io_util_percent", Unit.PERCENT),
        _Column("read/s", "disk_read_bytes_per_second", Unit.BYTES_PER_SECOND),
        _Column("write/s", "disk_write_bytes_per_second", Unit.BYTES_PER_SECOND),
        _Column("wait ms", "disk_await_ms", Unit.MILLISECONDS),
        _Column("queue", "disk_queue_length", Unit.NONE),
        _Column("reads/s", "disk_read_ops_per_second", Unit.PER_SECOND),
        _Column("writes/s", "disk_write_ops_per_second", Unit.PER_SECOND),
    ),
    ("disk_io_util_percent",),
    100.0,
)
NETWORK = _Kind(
    "network",
    "network",
    "interface",
    (
        _Column("in/s", "network_receive_bytes_per_second", Unit.BYTES_PER_SECOND),
        _Column("out/s", "network_transmit_bytes_per_second", Unit.BYTES_PER_SECOND),
        _Column("drop %", "network_drop_percent", Unit.PERCENT),
        _Column("used %", "network_bandwidth_usage_percent", Unit.PERCENT),
        _Column("packets in", "network_receive_packets_per_second", Unit.PER_SECOND),
        _Column("packets out", "network_transmit_packets_per_second", Unit.PER_SECOND),
        _Column("errors in", "network_receive_errors_per_second", Unit.PER_SECOND),
    ),
    ("network_receive_bytes_per_second", "network_transmit_bytes_per_second"),
)
MOUNTS = _Kind(
    "mount",
    "disk_usage",
    "mountpoint",
    (
        _Column("used %", "disk_usage_percent", Unit.PERCENT),
        _Column("free", "disk_free_bytes", Unit.BYTES),
        _Column("inode %", "inode_usage_percent", Unit.PERCENT),
        _Column("size", "disk_total_bytes", Unit.BYTES),
    ),
    ("disk_usage_percent",),
    100.0,
    cut_front,
)


def build_block(kind: _Kind, snapshot: Snapshot, width: int, look: Look) -> Block | None:
    """Return a row for each disk, interface or file system; None where there is none."""
    records = snapshot.records(kind.table)
    if not records:
        return None
    names = [look.sanitize(text(record, kind.label)) for record in records]
    longest = min(_WIDEST_NAME, width // 2, max(_LEAST_NAME, *(width_of(name) for name in names)))
    columns = [
        column for place, column in enumerate(kind.columns) if _taken(kind.columns[: place + 1]) <= width - longest
    ]
    columns = columns or [*kind.columns[:1]]
    trend = width - longest - _taken(columns) - 2
    trend = trend if trend >= _LEAST_TREND and snapshot.tables[kind.table].recent else 0
    name_width = longest if trend else max(1, width - _taken(columns))
    highest = kind.highest or _highest(kind, snapshot, trend)
    rows = []
    for record, name in zip(records, names, strict=True):
        level = level_of(snapshot, kind.table, record)
        shown = kind.cut(name, name_width, look.more)
        line = [Span(pad(shown, name_width), level_style(level) if level else "")]
        line.append(
            Span("".join(f"{short(number(record, column.metric), column.unit):>{column.width}}" for column in columns))
        )
        if trend:
            history = snapshot.history(kind.table, _pick_row(kind, snapshot, record), trend)
            line += [Span("  "), Span(draw_sparkline(history, trend, highest, look.bars))]
        rows.append(line)
    heading = "".join(f"{column.heading:>{column.width}}" for column in columns)
    title = [*fit(_title(kind.title, snapshot, kind.table, name_width), name_width, look.more), Span(heading, "dim")]
    return Block(title, rows, [sum(number(record, name) or 0.0 for name in kind.counts) for record in records])


def _taken(columns: Sequence[_Column]) -> int:
    return sum(column.width for column in columns)


def draw_cores(snapshot: Snapshot, width: int, look: Look) -> Block | None:
    """Return how busy each core is: a small bar each, or a character each where they are many."""
    records = [record for record in snapshot.records("cpu") if record.get("core") != "all"]
    values = [(text(record, "core"), number(record, "cpu_usage_percent")) for record in records]
    if not values:
        return None
    title = _title("cores", snapshot, "cpu")
    strip = "".join(draw_sparkline([value], 1, 100.0, look.bars) for _, value in values)
    small = [[Span(strip[start : start + width])] for start in range(0, len(strip), width)]
    label = max(width_of(look.sanitize(name)) for name, _ in values)
    cell = label + 1 + _LEAST_BAR + 5 + 2
    across = max(1, (width + 2) // cell)
    if len(values) > across * _MOST_CORES:
        return Block([*title, Span(f"  {len(values)}, a character each", "dim")], small, [1.0] * len(small))
    bar = _LEAST_BAR + min(24, (width + 2) // across - cell)
    lines = []
    for start in range(0, len(values), across):
        line: Line = []
        for place in range(start, min(start + across, len(values))):
            name, value = values[place]
            level = level_of(snapshot, "cpu", records[place])
            line += [
                Span(f"{'  ' if line else ''}{look.sanitize(name):>{label}} ", "dim"),
                *draw_gauge(value or 0.0, bar, look, load_style(value or 0.0, level)),
                Span(f"{short(value, Unit.PERCENT):>5}"),
            ]
        lines.append(line)
    return Block(title, lines, [1.0] * len(lines), small)


def draw_connections(snapshot: Snapshot, width: int, look: Look) -> Block | None:
    """Return how many TCP connections there are in which state, and what is lost."""
    tcp = snapshot.record("tcp")
    parts = [
        f"{look.sanitize(text(record, 'state'))} {short(count, Unit.NONE)}"
        for record in snapshot.records("connections")
        if (count := number(record, "network_connections"))
    ]
    parts += [
        f"{label} {short(value, Unit.PER_SECOND)}/s"
        for label, name in (
            ("retransmits", "tcp_retransmits_per_second"),
            ("listen drops", "tcp_listen_drops_per_second"),
            ("opened", "tcp_active_opens_per_second"),
            ("accepted", "tcp_passive_opens_per_second"),
        )
        if (value := number(tcp, name)) is not None
    ]
    if not parts:
        return None
    lines = [[Span(line)] for line in flow(parts, width, indent=0, more=look.more)]
    return Block(_title("connections", snapshot, "connections"), lines, range(len(lines), 0, -1))


def draw_cgroup(snapshot: Snapshot, width: int, look: Look) -> Block | None:
    """Return how near the limits of its control group the machine is; None where no limit applies."""
    record = snapshot.record("cgroup")
    parts = [
        f"{label} {short(value, unit)}"
        for label, name, unit in (
            ("memory used", "cgroup_memory_used_bytes", Unit.BYTES),
            ("of", "cgroup_memory_limit_bytes", Unit.BYTES),
            ("cores", "cgroup_cpu_limit_cores", Unit.NONE),
            ("throttled %", "cgroup_throttled_percent", Unit.PERCENT),
        )
        if (value := number(record, name)) is not None
    ]
    if not parts:
        return None
    lines = [[Span(line)] for line in flow(parts, width, indent=0, more=look.more)]
    return Block(_title("control group", snapshot, "cgroup"), lines, range(len(lines), 0, -1))


def _title(title: str, snapshot: Snapshot, table: str, width: int = 0) -> Line:
    """Return the title of a block, and how old rows are that should be newer than they are."""
    shown = snapshot.tables.get(table)
    age = (snapshot.at - shown.at).total_seconds() if shown else 0.0
    late = shown is not None and age >= max(shown.seconds, snapshot.seconds)
    said = f" {age:.0f}s old" if late else ""
    return [Span(title, "bold"), Span(said, "warning"), Span(" " * (width - len(title) - len(said)))]


def _pick_row(kind: _Kind, snapshot: Snapshot, record: NamedRow) -> ValuePicker:
    labels = [text(record, name) for name in snapshot.tables[kind.table].table.labels]
    picks = [snapshot.pick_metric(kind.table, metric, *labels) for metric in kind.counts]

    def pick(rows: Sequence[Row]) -> float | None:
        values = [value for value in (pick_value(rows) for pick_value in picks) if value is not None]
        return sum(values) if values else None

    return pick


def _highest(kind: _Kind, snapshot: Snapshot, count: int) -> float:
    """Return the largest value of any row in the courses that are drawn, so that all have one scale."""
    values = [0.0]
    for record in snapshot.records(kind.table):
        values += [value for value in snapshot.history(kind.table, _pick_row(kind, snapshot, record), count) if value]
    return max(values)
