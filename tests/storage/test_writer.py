import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from sysmon.datadir.segments import Form
from sysmon.model import AlertEvent, Event, Kind, Level, Metric, Origin, Row, Sample, Table, Transition, Unit
from sysmon.storage.host_writer import HostWriter
from sysmon.storage.layout import StorageLayout
from sysmon.storage.queue import LOG_LIMIT, QUEUE_LIMIT, LogEntry, TickRows, WriteQueue
from sysmon.storage.segment_writer import SyncError
from sysmon.storage.writer import Writer

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DEFAULT = StorageLayout()
LOAD = Table("load", "Load.", (Metric("load_average_1m", Kind.GAUGE, Unit.NONE, "Load."),))
BUSY = AlertEvent(
    at=NOON,
    transition=Transition.FIRED,
    rule="busy",
    id="0badcafe",
    metric="load_average_1m",
    labels={"hostname": "h"},
    level=Level.WARNING,
    value=9.0,
    peak=9.0,
    threshold=5.0,
    condition="> 5",
    since=NOON,
    duration=0.0,
    reason="breach",
)


class Refusing(HostWriter):
    """Files on a disk that refuses rows while `error` is set, and holds up the writer while `gate` is closed."""

    error: OSError | None = None
    gate = threading.Event()

    def append_rows(self, table: str, at: datetime, rows: Sequence[Row]) -> None:
        self.gate.wait(180)
        if self.error is not None:
            raise self.error
        super().append_rows(table, at, rows)


class Writing:
    """A writer with everything that it told."""

    def __init__(self, folder: Path, layout: StorageLayout, disk: type[Refusing] = Refusing) -> None:
        self.messages: list[str] = []
        self.spoke = threading.Event()
        self.files = disk(
            folder,
            Origin("h"),
            [LOAD],
            layout=layout,
            opening=lambda at: Event(at, "running", {"run": "r1"}),
            tell=self._tell,
        )
        self.files.gate = threading.Event()
        self.files.gate.set()
        self.writer = Writer(self.files, sync_seconds=layout.sync_interval.total_seconds(), tell=self._tell)
        self.writer.start()

    def put(self, seconds: int, **more: Sequence[AlertEvent] | Sequence[Event]) -> threading.Event:
        sample = Sample(NOON + timedelta(seconds=seconds), {"load": [(float(seconds),)]})
        return self.writer.put(sample, **more)  # type: ignore[arg-type]  # keyword by keyword they fit

    def _tell(self, text: str) -> None:
        self.messages.append(text)
        self.spoke.set()


@contextmanager
def _writing(folder: Path, layout: StorageLayout = DEFAULT) -> Iterator[Writing]:
    writing = Writing(folder, layout)
    try:
        yield writing
    finally:
        writing.files.gate.set()
        assert writing.writer.close(30)


def _records(folder: Path, table: str) -> list[dict[str, object]]:
    paths = sorted((folder / table).glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def _events(folder: Path) -> list[tuple[object, ...]]:
    hidden = {"timestamp", "hostname", "event"}
    return [
        (record["event"], {key: value for key, value in record.items() if key not in hidden})
        for record in _records(folder, "events")
    ]


def test_what_is_put_is_stored_in_order_and_in_both_forms(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        for seconds in range(5):
            writing.put(seconds)

    (csv,) = (tmp_path / "load").glob("*.csv")
    assert ([record["load_average_1m"] for record in _records(tmp_path, "load")], csv.read_text().splitlines()[1:]) == (
        [0.0, 1.0, 2.0, 3.0, 4.0],
        [f"2026-11-20T12:00:0{seconds}.000Z,h,{seconds}.0" for seconds in range(5)],
    )


@pytest.mark.parametrize("form", list(Form))
def test_one_form_alone_can_be_chosen(tmp_path: Path, form: Form) -> None:
    with _writing(tmp_path, StorageLayout(formats=(form,))) as writing:
        writing.put(1)

    assert [path.suffix for path in (tmp_path / "load").iterdir()] == [f".{form}"]


def test_alerts_are_on_the_disk_when_their_ticket_says_so(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        stored = writing.put(1, alerts=[BUSY], active=[BUSY]).wait(180)
        seen = [(record["event"], record.get("rule")) for record in _records(tmp_path, "alerts")]

    assert (stored, seen) == (True, [("active", None), ("fired", "busy")])


def test_alerts_do_not_wait_for_rows_that_the_disk_refuses(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.files.error = OSError(28, "No space left on device")
        stored = writing.put(1, alerts=[BUSY]).wait(180)
        writing.files.error = None

    assert stored


def test_a_new_segment_of_the_alert_log_begins_with_what_is_firing(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.put(1, alerts=[BUSY], active=[BUSY])
        writing.put(86_400, active=[BUSY])

    alerts = _records(tmp_path, "alerts")
    assert [(record["event"], len(record.get("alerts", ()))) for record in alerts] == [  # type: ignore[arg-type]
        ("active", 0),
        ("fired", 0),
        ("active", 1),
    ]


def test_every_segment_of_the_event_log_says_who_runs(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.put(1, events=[Event(NOON, "started", {"run": "r1"})])
        writing.put(86_400)

    assert _events(tmp_path) == [("running", {"run": "r1"}), ("started", {"run": "r1"}), ("running", {"run": "r1"})]


def test_a_clock_step_ends_every_segment(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.put(1)
        writing.put(2, events=[Event(NOON, "clock_step", {"seconds": 1.0})])

    assert len(list((tmp_path / "load").glob("*.jsonl"))) == 2


def test_samples_wait_in_memory_while_the_disk_refuses_and_none_is_lost_or_doubled(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.put(0)
        writing.files.error = OSError(28, "No space left on device")
        for seconds in range(1, 50):
            writing.put(seconds)
        assert writing.spoke.wait(180)
        writing.files.error = None
        writing.put(50)

    stored = [record["load_average_1m"] for record in _records(tmp_path, "load")]
    assert (stored, writing.messages, writing.writer.dropped()) == (
        [float(seconds) for seconds in range(51)],
        [
            "cannot write (No space left on device): samples wait in memory, the newest 120 of them",
            "writing again; it was: No space left on device",
        ],
        0,
    )


def test_a_disk_that_hangs_costs_the_oldest_samples_each_of_them_counted_and_told(tmp_path: Path) -> None:
    over = 30
    with _writing(tmp_path) as writing:
        writing.files.gate.clear()
        writing.put(0)
        for seconds in range(1, QUEUE_LIMIT + over):
            writing.put(seconds)
        lost = writing.writer.dropped()
        writing.files.gate.set()

    stored = [record["load_average_1m"] for record in _records(tmp_path, "load")]
    (gap,) = [fields for kind, fields in _events(tmp_path) if kind == "gap"]
    assert isinstance(gap, dict)
    assert (lost, len(stored), gap["count"], gap["reason"]) == (over, QUEUE_LIMIT, over, "the disk is too slow")


def test_the_gap_names_the_first_and_the_last_sample_that_is_missing(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.files.gate.clear()
        for seconds in range(QUEUE_LIMIT + 10):
            writing.put(seconds)
        writing.files.gate.set()

    stored = {record["timestamp"] for record in _records(tmp_path, "load")}
    (gap,) = [fields for kind, fields in _events(tmp_path) if kind == "gap"]
    assert isinstance(gap, dict)
    every = [f"2026-11-20T12:{seconds // 60:02d}:{seconds % 60:02d}.000Z" for seconds in range(QUEUE_LIMIT + 10)]
    missing = [instant for instant in every if instant not in stored]
    assert (gap["from"], gap["to"], gap["count"]) == (missing[0], missing[-1], len(missing))


class Unsynced(Refusing):
    """Files whose syncs fail as long as `fails` says so."""

    fails = True

    def sync(self) -> None:
        if self.fails:
            self._counting(self._fail)
        else:
            super().sync()

    def _fail(self) -> None:
        raise SyncError([NOON, NOON + timedelta(seconds=1)], OSError(5, "Input/output error"))


def test_a_failed_sync_is_counted_as_a_loss_and_told_as_a_gap(tmp_path: Path) -> None:
    messages: list[str] = []
    spoke = threading.Event()

    def tell(text: str) -> None:
        messages.append(text)
        spoke.set()

    layout = StorageLayout(sync_interval=timedelta(0))
    opening: Callable[[datetime], Event] = lambda at: Event(at, "running", {})  # noqa: E731 - it is an argument
    files = Unsynced(tmp_path, Origin("h"), [LOAD], layout=layout, opening=opening, tell=tell)
    files.gate.set()
    writer = Writer(files, sync_seconds=0, tell=tell)
    writer.start()
    writer.put(Sample(NOON, {"load": [(1.0,)]}))
    assert spoke.wait(180)
    files.fails = False
    writer.put(Sample(NOON + timedelta(seconds=2), {"load": [(3.0,)]}))
    writer.close(30)

    gaps = [fields for kind, fields in _events(tmp_path) if kind == "gap"]
    assert (writer.dropped(), messages, gaps) == (
        2,
        ["a sync failed (Input/output error): what was written since the last one may be lost"],
        [{"from": "2026-11-20T12:00:00.000Z", "to": "2026-11-20T12:00:01.000Z", "count": 2, "reason": "a sync failed"}],
    )


def test_the_alerts_of_later_ticks_are_stored_while_rows_wait(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.files.error = OSError(28, "No space left on device")
        writing.put(1)
        stored = [writing.put(seconds, alerts=[BUSY]).wait(180) for seconds in (2, 3)]
        writing.files.error = None

    assert stored == [True, True]


def test_nobody_is_left_less_than_was_promised_and_what_is_lost_meanwhile_is_told(tmp_path: Path) -> None:
    over = 7
    with _writing(tmp_path, StorageLayout(min_free=2**62)) as writing:
        writing.put(0)
        assert writing.spoke.wait(180)
        stored = [writing.put(seconds, alerts=[BUSY]) for seconds in range(1, QUEUE_LIMIT + over)][-1].wait(180)
        rows = _records(tmp_path, "load")
        writing.files._min_free = 1
        writing.put(QUEUE_LIMIT + over)

    events = _events(tmp_path)
    (gap,) = [fields for kind, fields in events if kind == "gap"]
    assert isinstance(gap, dict)
    seconds = [record["load_average_1m"] for record in _records(tmp_path, "load")]
    lost = gap["count"]
    assert isinstance(lost, int)
    assert (stored, rows, seconds[0], len(seconds)) == (True, [], float(lost), QUEUE_LIMIT + over + 1 - lost)
    assert (gap["from"], "min_free" in str(gap["reason"])) == ("2026-11-20T12:00:00.000Z", True)


def test_what_the_disk_refuses_up_to_the_end_is_told_to_people_and_to_readers(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.files.error = OSError(28, "No space left on device")
        for seconds in (1, 2, 3):
            writing.put(seconds)

    gap = {"from": "2026-11-20T12:00:01.000Z", "to": "2026-11-20T12:00:03.000Z", "count": 3}
    assert (writing.messages[-1], _events(tmp_path)[-1]) == (
        "3 samples could not be written before the end: No space left on device",
        ("gap", {**gap, "reason": "No space left on device"}),
    )


def test_what_is_settled_is_counted_and_what_comes_after_is_stored(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.files.error = OSError(28, "No space left on device")
        for seconds in (1, 2, 3):
            writing.put(seconds)
        settled = writing.writer.settle(30)
        lost = writing.writer.dropped()
        end = NOON + timedelta(seconds=4)
        stored = writing.writer.put(Sample(end, {}), events=[Event(end, "stopped", {"dropped": lost})]).wait(180)

    kinds = [kind for kind, _ in _events(tmp_path)]
    assert (settled, lost, stored, kinds) == (True, 3, True, ["running", "gap", "stopped"])
    assert writing.messages[1:] == ["3 samples could not be written before the end: No space left on device"]


def test_what_a_disk_that_hangs_holds_at_the_end_counts_as_lost(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.files.gate.clear()
        for seconds in (1, 2, 3):
            writing.put(seconds)

        assert (writing.writer.settle(0), writing.writer.dropped()) == (False, 3)


def test_a_disk_that_is_slow_and_not_stuck_has_time_at_the_end(tmp_path: Path) -> None:
    class Slow(Refusing):
        def append_rows(self, table: str, at: datetime, rows: Sequence[Row]) -> None:
            super().append_rows(table, at, rows)
            threading.Event().wait(0.4)

    writing = Writing(tmp_path, DEFAULT, Slow)
    for seconds in range(5):
        writing.put(seconds)

    assert (writing.writer.settle(1.5), writing.writer.dropped(), writing.writer.close(30)) == (True, 0, True)


def test_an_internal_error_costs_what_it_met_and_nothing_else(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.put(1)
        writing.writer.put(Sample(NOON, {"load": [("no number", "too many")], "unheard_of": [(1.0,)]}))
        writing.put(3)

    assert [record["load_average_1m"] for record in _records(tmp_path, "load")][-1] == 3.0
    assert (len(writing.messages), writing.writer.dropped()) == (1, 1), writing.messages


def test_what_the_disk_refuses_at_the_end_is_tried_once_more(tmp_path: Path) -> None:
    class Hesitant(Refusing):
        errors: ClassVar = [OSError(5, "Input/output error"), OSError(5, "Input/output error")]

        def append_rows(self, table: str, at: datetime, rows: Sequence[Row]) -> None:
            if self.errors:
                raise self.errors.pop()
            super().append_rows(table, at, rows)

    writing = Writing(tmp_path, DEFAULT, Hesitant)
    writing.put(1)
    assert writing.spoke.wait(180)
    writing.writer.close(30)

    assert [record["load_average_1m"] for record in _records(tmp_path, "load")] == [1.0]


def test_what_happened_to_the_disk_is_an_event_when_it_is_over(tmp_path: Path) -> None:
    with _writing(tmp_path) as writing:
        writing.put(0)
        writing.files.error = OSError(28, "No space left on device")
        for seconds in (1, 2, 3):
            writing.put(seconds)
        assert writing.spoke.wait(180)
        writing.files.error = None
        writing.put(4)

    trouble = [fields for kind, fields in _events(tmp_path) if kind == "storage_trouble"]
    assert len(trouble) == 1
    assert isinstance(trouble[0], dict)
    assert (trouble[0]["reason"], trouble[0]["entries_lost"]) == ("No space left on device", 0)


def test_alerts_that_wait_are_bounded_too_and_what_is_forgotten_is_counted() -> None:
    waiting = WriteQueue()
    for seconds in range(LOG_LIMIT + 5):
        at = NOON + timedelta(seconds=seconds)
        waiting.put(TickRows(at, {}), LogEntry(at, [BUSY], [], []), trouble="full")

    assert (waiting.forgotten(), waiting.forgotten()) == (5, 0)


def test_ticks_without_news_do_not_pile_up() -> None:
    waiting = WriteQueue()
    tickets = [
        waiting.put(TickRows(NOON, {}), LogEntry(NOON + timedelta(seconds=seconds), [], [], []), trouble=None)
        for seconds in range(1000)
    ]
    entry = waiting.next_entry()
    waiting.done()

    assert entry is not None
    assert (entry.at, entry.stored is tickets[0], waiting.any()) == (NOON + timedelta(seconds=999), True, False)
