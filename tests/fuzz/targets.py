"""Fuzz targets: one for each reader. Bytes and an empty folder in; only the errors that the reader documents come out.

tests/scripts/fuzz.py looks for inputs that break one, tests/fuzz/corpus keeps those that did.
"""

import gzip
from collections.abc import Callable
from datetime import UTC, timedelta
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, cast

from sysmon import config
from sysmon.adapters import yaml_nodes
from sysmon.alerts.mute_times import MuteClock, MuteTime, parse_cron
from sysmon.alerts.rules.loader import load_rules
from sysmon.alerts.rules.trial_file import load_trials
from sysmon.app.agent import restore
from sysmon.app.catalog import tables
from sysmon.app.export.cursor import CursorFile
from sysmon.app.reports.alerts import AlertList, render_json, render_plugin_line, render_silences, render_text
from sysmon.app.silence_store import SilenceStore
from sysmon.datadir import names, rollups, segments
from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import LONGEST_LINE, read_lines, read_whole
from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.errors import ConfigError, StorageError, UsageError
from sysmon.formats import HEAD
from sysmon.formats import decode as small
from sysmon.model import Table
from sysmon.reading import decode as fast
from sysmon.reading import rollup_file, rollup_minutes
from sysmon.reading.aggregate import AggregateMerger, TableAggregate, aggregate
from sysmon.reading.alerts import active_alerts, past_alerts
from sysmon.reading.catalog import Host
from sysmon.reading.logs import read_alerts, read_events
from sysmon.reading.rows import RowReader
from sysmon.text import instants, units
from tests.reading.stored import CPU, DAY, HOUR, PROCESS, START

Target = Callable[[bytes, Path], None]

_ROWS = "cpu-20261120T120000Z-1h"
_LOG = "20261120T000000Z-1d.jsonl"
_MOST_TICKS = 100_000
"""A roll-up that says more of itself is read, and not counted through."""


def yaml(data: bytes, folder: Path) -> None:
    """YAML with positions."""
    try:
        yaml_nodes.load(data, "file.yaml")
    except ConfigError as error:
        _check_message(error)


def settings(data: bytes, folder: Path) -> None:
    """A configuration file."""
    (folder / "sysmon.yaml").write_bytes(data)
    try:
        config.load(config=folder / "sysmon.yaml", environ={})
    except ConfigError as error:
        _check_message(error)


def rules(data: bytes, folder: Path) -> None:
    """A rule file, with its quiet times."""
    (folder / "rules.yaml").write_bytes(data)
    try:
        load_rules(folder / "rules.yaml", tables(), {})
    except ConfigError as error:
        _check_message(error)


def rule_tests(data: bytes, folder: Path) -> None:
    """A file of tests of rules."""
    (folder / "tests.yaml").write_bytes(data)
    try:
        load_trials(folder / "tests.yaml", tables())
    except ConfigError as error:
        _check_message(error)


def json_rows(data: bytes, folder: Path) -> None:
    """A line of JSON: the quick decoder and the small one."""
    for table in (CPU, PROCESS):
        _compare(fast.json_decoder(table), small.json_decoder(table), data, table)


def csv_rows(data: bytes, folder: Path) -> None:
    """A header and lines of CSV: the quick decoder and the small one."""
    header, *lines = data.split(b"\n")
    try:
        quick = fast.csv_decoder(CPU, header)
    except fast.Unreadable:
        return
    for line in lines:
        _compare(quick, small.csv_decoder(CPU, header), line, CPU)


def lines(data: bytes, folder: Path) -> None:
    """Lines of text; packed ones where the first byte is 128 or more."""
    packed, content = data[:1] > b"\x7f", data[1:]
    damage = Damage()
    file = cast(Any, BytesIO(content))
    read = list(read_lines(file, folder / "file", damage, packed=packed))
    every = list(chain.from_iterable(batch for _, batch in read))
    assert all(b"\n" not in line and len(line) <= LONGEST_LINE for line in every)
    if packed:
        whole = read_whole(cast(Any, BytesIO(content)))
        assert whole is None or whole == every or damage.count or whole[0] != every[0]
    else:
        assert len(every) + damage.count == content.count(b"\n") + (b"\0" in content.rpartition(b"\n")[2])


def rows(data: bytes, folder: Path) -> None:
    """A segment, of JSON Lines and of CSV, packed or not."""
    table = folder / "web-01" / "cpu"
    table.mkdir(parents=True)
    for ending, content in (("jsonl", data), ("csv", data), ("csv.gz", data), ("jsonl.gz", gzip.compress(data, 1))):
        path = table / f"{_ROWS}.{ending}"
        path.write_bytes(content)
        damage = Damage()
        list(RowReader(table, CPU, damage).rows(START, START + HOUR))
        _add_up([aggregate(RowReader(table, CPU, damage).history(START + HOUR / 4, START + HOUR / 2))], CPU)
        path.unlink()


def hours(data: bytes, folder: Path) -> None:
    """A roll-up of an hour or a day: its lines, and the sum of it and itself."""
    for resolution in (Resolution.HOUR, Resolution.DAY):
        file = RollupFile(CPU.name, resolution, resolution.floor(START))
        damage = Damage()
        total = rollup_file.read(_packed(folder, data), file, damage)
        if total is not None:
            _add_up([total, total], CPU)
            _add_up([total], PROCESS)


def minutes(data: bytes, folder: Path) -> None:
    """A roll-up by minute: its lines, and the sum of its minutes."""
    file = RollupFile(CPU.name, Resolution.MINUTE, START)
    totals = rollup_minutes.read(_packed(folder, data), file, Damage())
    if totals is not None:
        _add_up(totals, CPU)
        _add_up(totals, PROCESS)


def cursor(data: bytes, folder: Path) -> None:
    """The cursor of an incremental export, and its way back to the disk."""
    (folder / names.Cursors.EXPORT.state("lake")).write_bytes(data)
    file = CursorFile(folder, "lake")
    try:
        state = file.read(since=START)
    except StorageError:
        return
    file.write(state)
    assert file.read(since=START) == state


def silences(data: bytes, folder: Path) -> None:
    """What people have said about alerts, and how it is listed."""
    (folder / names.DataEntry.REPLIES).write_bytes(data)
    try:
        state = SilenceStore(folder).read()
    except StorageError:
        return
    list(render_silences(state.active(START), START, UTC))


def alert_log(data: bytes, folder: Path) -> None:
    """A segment of the alert log: as it is listed, and as a run goes on from it."""
    log = folder / "web-01" / names.HostEntry.ALERTS
    log.mkdir(parents=True)
    (log / f"alerts-{_LOG}").write_bytes(data)
    damage = Damage()
    entries = read_alerts(log.parent, START - DAY, START + DAY, damage)
    active_alerts(entries)
    past = tuple(past_alerts(entries, START - DAY, START + DAY))
    listed = AlertList(Host(log.parent), past, SilenceStore(folder).read(), True, damage, START)
    list(render_text(listed, UTC))
    render_json(listed)
    render_plugin_line(listed)
    restore.read_log(log, START, Damage())


def event_log(data: bytes, folder: Path) -> None:
    """A segment of the event log."""
    log = folder / "web-01" / names.HostEntry.EVENTS
    log.mkdir(parents=True)
    (log / f"events-{_LOG}").write_bytes(data)
    read_events(log.parent, START - DAY, START + DAY, Damage())


def cron(data: bytes, folder: Path) -> None:
    """The five fields of a quiet time, and whether it is on."""
    try:
        fields = parse_cron(_text(data))
    except UsageError:
        return
    clock = MuteClock(MuteTime("quiet", fields, timedelta(minutes=45)), UTC)
    for at in (START, START + HOUR, START - DAY):
        clock.is_on(at)


def times(data: bytes, folder: Path) -> None:
    """A time as people write it, and one as it is stored."""
    text = _text(data)
    try:
        at = instants.parse_when(text, now=START)
        assert at.utcoffset() == timedelta(0)
    except UsageError:
        pass
    try:
        at = instants.parse_instant(text)
        assert instants.to_ms(instants.parse_instant(instants.format_instant(at))) == instants.to_ms(at)
    except ValueError:
        pass


def amounts(data: bytes, folder: Path) -> None:
    """Durations and sizes: what was read is written, and read again."""
    text = _text(data)
    try:
        span = units.parse_duration(text)
        assert units.parse_duration(units.format_duration(span)) == span
    except UsageError:
        pass
    try:
        size = units.parse_size(text)
        assert units.parse_size(units.format_size(size)) == size
    except UsageError:
        pass


def file_names(data: bytes, folder: Path) -> None:
    """Names of segments and roll-ups: one that is taken would be written again in the same way."""
    name = _text(data)
    segment = segments.parse(name)
    if segment is not None:
        assert segment.name == name
        segments.select([name], START, START + HOUR)
        segments.stems_by_hour([name], START, START + HOUR)
    for resolution in Resolution:
        rollup = rollups.parse(name, resolution)
        assert rollup is None or rollup.name == name


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        yaml,
        settings,
        rules,
        rule_tests,
        json_rows,
        csv_rows,
        lines,
        rows,
        hours,
        minutes,
        cursor,
        silences,
        alert_log,
        event_log,
        cron,
        times,
        amounts,
        file_names,
    )
}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _check_message(error: Exception) -> None:
    """A message is there, and has nothing in it that a terminal would take as an order."""
    text = str(error)
    assert text
    assert all(character >= " " or character == "\n" for character in text), text


def _packed(folder: Path, data: bytes) -> Path:
    path = folder / "rollup.jsonl.gz"
    path.write_bytes(gzip.compress(data, 1))
    return path


def _add_up(parts: list[TableAggregate], table: Table) -> None:
    merger = AggregateMerger(table)
    for part in parts:
        merger.add(part)
    merged = merger.result(())
    if len(merged.ticks) < _MOST_TICKS:
        list(merged.ticks)
    for series in merged.series:
        for digest in series.digests:
            if digest is not None:
                digest.percentiles([0, 50, 99, 100])
                digest.share_above(digest.mean)


def _compare(quick: fast.Decode, careful: small.Decode, line: bytes, table: Table) -> None:
    """A line that both take is the same row to both."""
    try:
        fast.refuse_debris(line)
        record = fast.refuse_large(quick(line))
    except fast.Unreadable:
        return
    try:
        at, row = careful(line)
    except small.UNREADABLE:
        return
    labels, numbers = record[len(HEAD) :][: len(table.labels)], record[len(HEAD) + len(table.labels) :]
    rounded = tuple(float(number) if abs(number or 0) > 2**53 else number for number in numbers)
    careful_rounded = tuple(float(cell) if isinstance(cell, int) and abs(cell) > 2**53 else cell for cell in row)
    assert (record[0] or "", (*(label or "-" for label in labels), *rounded)) == (at, careful_rounded)
