"""SQL sees the rows that the reader gives, of the files that a query needs, and nothing of files that are damaged."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from sysmon.app.selection import Selection
from sysmon.app.sql.query import SqlSession
from sysmon.datadir.segments import Form
from sysmon.errors import DamagedError, UsageError
from sysmon.model import AlertEvent, Culprit, Level, Origin, Transition
from tests.reading.stored import (
    CPU,
    HOUR,
    LOAD,
    PROCESS,
    START,
    TABLES,
    alert_lines,
    at,
    event_lines,
    started,
    write_log,
    write_table,
)

FIRED = AlertEvent(
    at=at(100),
    transition=Transition.FIRED,
    rule="cpu-hot",
    id="aabbccdd",
    metric="cpu_usage_percent",
    labels={"hostname": "web-01", "core": "all"},
    level=Level.WARNING,
    value=91.0,
    peak=92.5,
    threshold=80.0,
    condition=">= 80 for 1m",
    since=at(40),
    duration=60.0,
    reason="breach",
    notified=False,
    muted_by="silenced",
    top=(Culprit("7", 'ja"va', "root", "-", 90.0, None),),
)


def open_session(data: Path, *hosts: str, until: datetime = START + 2 * HOUR, strict: bool = False) -> SqlSession:
    selection = Selection(data, since=START, until=until, now=START + 2 * HOUR, strict=strict)
    return SqlSession(selection, hosts, TABLES)


def ask(session: SqlSession, statement: str) -> list[tuple[Any, ...]]:
    with TemporaryDirectory() as spill, session.execute(statement, Path(spill)) as result:
        return list(result.rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    samples = [(at(600 * number), [("all", float(number), None), ("0", 2.0, number)]) for number in range(12)]
    write_table(tmp_path, CPU, samples, packed=True)
    write_table(tmp_path, LOAD, [(at(600 * number), [(number, 0.5)]) for number in range(12)], form=Form.CSV)
    return tmp_path


def test_rows_of_packed_and_plain_files_are_joined_by_their_instants(data: Path) -> None:
    result = ask(
        open_session(data),
        "select c.core, sum(c.cpu_usage_percent), sum(l.load_average_1m), count(c.cpu_steal_percent), "
        "any_value(region) from cpu c join load l using (timestamp, hostname, region) group by all order by all",
    )

    assert result == [("0", 24.0, 66.0, 12, "eu"), ("all", 66.0, 66.0, 0, "eu")]


def test_the_range_decides_which_rows_there_are(data: Path) -> None:
    assert ask(open_session(data, until=at(1201)), "select count(*), max(timestamp) from load") == [(3, at(1200))]


def test_only_the_files_that_are_needed_are_opened(data: Path) -> None:
    (data / "web-01" / "cpu" / "cpu-20261120T120000Z-1h.jsonl.gz").write_bytes(b"no gzip")
    write_table(data, LOAD, [(at(-7200), [(1, 1)])])[0].write_bytes(b"damaged\n")
    session = open_session(data)

    ask(session, "from load")

    assert session.damage.count == 0


def test_damaged_lines_are_no_rows_of_nulls(data: Path) -> None:
    path = next(data.glob("web-01/load/*T120000Z*"))
    path.write_bytes(path.read_bytes() + b"\0\0\0\n2026-11-20T12:55:00.000Z,torn")
    session = open_session(data)

    result = ask(session, "select count(*), count(load_average_1m) from load")

    assert (result, session.damage.count, len(session.damage.unfinished)) == ([(12, 12)], 1, 1)


def test_strict_answers_nothing_beside_damage(data: Path) -> None:
    next(data.glob("web-01/load/*T120000Z*")).write_bytes(b"damaged\n")

    with pytest.raises(DamagedError):
        ask(open_session(data, strict=True), "from load")


def test_hostile_names_are_only_text(data: Path) -> None:
    evil = "'; drop table cpu; --\"\\,"
    write_table(data, PROCESS, [(at(0), [("1", "-", evil, "root", "-", 1.5, 2)])])

    assert ask(open_session(data), "select name, process_cpu_percent from process") == [(evil, 1.5)]


def test_alerts_have_typed_columns(data: Path) -> None:
    lines = alert_lines(START, [FIRED], [FIRED, replace(FIRED, at=at(9000), transition=Transition.RESOLVED)])
    write_log(data, "alerts", lines)

    result = ask(
        open_session(data),
        "select timestamp, hostname, event, level, labels->>'core', peak, epoch(timestamp - since), told, "
        "top->0->>'name' from alerts",
    )

    assert result == [(at(100), "web-01", "fired", "warning", "all", 92.5, 60.0, "silenced", 'ja"va')]


def test_events_keep_what_is_special_about_them_as_json(data: Path) -> None:
    write_log(data, "events", event_lines([started(-60, "older", {}), started(5, "0badcafe", {"cpu": 10.0})]))

    result = ask(
        open_session(data), "select timestamp, hostname, event, fields->>'run', fields->'intervals'->'cpu' from events"
    )

    assert result == [(at(5), "web-01", "started", "0badcafe", "10.0")]


def test_several_hosts_are_told_apart_by_their_names(data: Path) -> None:
    write_table(data, LOAD, [(at(0), [(7, 7)])], origin=Origin("db-01"))

    result = {
        hosts: ask(open_session(data, *hosts), "select hostname, count(*) from load group by 1 order by 1")
        for hosts in (("all",), ("db-01",))
    }

    assert result == {("all",): [("db-01", 1), ("web-01", 12)], ("db-01",): [("db-01", 1)]}


def test_a_table_of_another_program_has_the_columns_of_its_files(data: Path) -> None:
    folder = data / "web-01" / "ups"
    folder.mkdir()
    (folder / "ups-20261120T120000Z.csv").write_text('timestamp,"my unit",charge\n2026-11-20T12:00:00Z,a,99.5\n')

    assert ask(open_session(data), 'select "my unit", charge from ups') == [("a", 99.5)]


def test_a_table_without_rows_is_there_and_told(data: Path) -> None:
    with TemporaryDirectory() as spill, open_session(data).execute("from process, load", Path(spill)) as result:
        assert (list(result.rows), result.silent) == ([], ("process",))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("from cpux", "no table 'cpux': did you mean 'cpu'?"),
        ("from Evnts", "no table 'Evnts': did you mean 'events'?"),
        ("from zzz", "no table 'zzz': there are agent, alerts, cpu, disk_usage, events, load, process"),
        ("select corse from cpu", 'SQL: referenced column "corse" not found'),
        ("delete from cpu", "read-only: only one SELECT statement is allowed"),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_line(data: Path, statement: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        ask(open_session(data), statement)


def test_names_of_tables_may_be_written_in_any_case(data: Path) -> None:
    assert ask(open_session(data), "SELECT COUNT(*) FROM CPU") == [(24,)]
