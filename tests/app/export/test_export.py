import csv
import json
import os
import stat
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from sysmon.app.export.export import Exporter
from sysmon.app.export.output_file import make_folder, replace_output
from sysmon.app.export.rows import ExportFormat, ExportOptions
from sysmon.app.selection import Selection
from sysmon.datadir.segments import Form
from sysmon.errors import NothingFoundError, UsageError
from sysmon.formats import CONFIGURED_LABELS, HEAD
from sysmon.formats.csv import safe_text
from sysmon.model import Origin
from tests.reading.stored import CPU, DISK_USAGE, HOUR, LOAD, START, TABLES, at, write_table

STRANGER = 65534
EVIL = '=cmd|"/c calc"!A1'


def write(data: Path, form: Form = Form.JSONL) -> list[Path]:
    """Write two hours of two tables; return the files of the first."""
    disks = [(at(1000 * n), [("/", "/dev/sda1", "ext4", n, None), (EVIL, "-", "ext4", -n, 0.5)]) for n in range(7)]
    write_table(data, LOAD, [(at(1000 * n), [(n, 0.25)]) for n in range(7)], form=form)
    return write_table(data, DISK_USAGE, disks, form=form)


def exporter(
    data: Path, form: ExportFormat, *tables: str, raw: bool = False, until: timedelta = 2 * HOUR, **options: Any
) -> Exporter:
    """Ask for the rows of some tables from START on."""
    selection = Selection(data, since=START, until=START + until, now=START + 2 * HOUR, tables=tables)
    return Exporter(selection, TABLES, ExportOptions(form, raw=raw, **options))


def text_of(data: Path, form: ExportFormat, table: str, *, raw: bool = False, **options: Any) -> str:
    """Export one table to memory."""
    stream = BytesIO()
    exporter(data, form, table, raw=raw, **options).to_stream(stream, lambda _part: None)
    return stream.getvalue().decode()


def names(folder: Path) -> list[str]:
    """Return what a folder holds."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("form", list(Form))
def test_exported_json_lines_are_the_stored_ones_whatever_form_they_have(tmp_path: Path, form: Form) -> None:
    paths = write(tmp_path / "json")
    write(tmp_path / form, form)

    text = text_of(tmp_path / form, ExportFormat.JSONL, "disk_usage")

    assert text == "".join(path.read_text() for path in paths)


def test_exported_csv_has_the_same_columns_for_every_host(tmp_path: Path) -> None:
    write(tmp_path)

    header, first, second, *_ = csv.reader(text_of(tmp_path, ExportFormat.CSV, "disk_usage").splitlines())

    assert (header, first[1:], second[1:]) == (
        ["timestamp", "hostname", *CONFIGURED_LABELS, *DISK_USAGE.columns],
        ["web-01", "prod", "eu", "", "", "/", "/dev/sda1", "ext4", "0", ""],
        ["web-01", "prod", "eu", "", "", f"'{EVIL}", "-", "ext4", "0", "0.5"],
    )


def test_raw_csv_keeps_text_as_it_is(tmp_path: Path) -> None:
    write(tmp_path)

    rows = list(csv.reader(text_of(tmp_path, ExportFormat.CSV, "disk_usage", raw=True).splitlines()))

    assert rows[2][6] == EVIL


def test_raw_csv_holds_the_values_of_the_json_lines(tmp_path: Path) -> None:
    write(tmp_path)

    header, *rows = csv.reader(text_of(tmp_path, ExportFormat.CSV, "disk_usage", raw=True).splitlines())

    records = [json.loads(line) for line in text_of(tmp_path, ExportFormat.JSONL, "disk_usage").splitlines()]
    assert [dict(zip(header, row, strict=True)) for row in rows] == [
        {name: "" if record.get(name) is None else str(record[name]) for name in header} for record in records
    ]


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        *(pytest.param(mark + "x", f"'{mark}x", id=f"begins with {mark!r}") for mark in "=+-@\t\r\0＝＋－＠"),
        pytest.param("-", "-", id="nothing"),
        pytest.param("-1", "-1", id="a number"),
        pytest.param("-1+2", "'-1+2", id="a sum"),
        pytest.param("", "", id="empty"),
        pytest.param("a=b", "a=b", id="an equals sign inside"),
        pytest.param("'=1", "'=1", id="safe already"),
    ],
)
def test_what_a_spreadsheet_would_run_is_made_safe(cell: str, safe: str) -> None:
    assert safe_text(cell) == safe


def test_a_host_name_is_made_safe_as_well(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, [(at(0), [("all", 1, 2)])], origin=Origin("@web"))

    assert ",'@web," in text_of(tmp_path, ExportFormat.CSV, "cpu")


def test_a_folder_gets_a_file_for_each_table_that_has_rows(tmp_path: Path) -> None:
    write(tmp_path / "data")
    write_table(tmp_path / "data", CPU, [(at(20_000), [("all", 1, 2)])])

    exporter(tmp_path / "data", ExportFormat.CSV).to_folder(tmp_path / "out", lambda _part: None)

    assert names(tmp_path / "out") == [
        "disk_usage-20261120T120000Z-20261120T140000Z.csv",
        "load-20261120T120000Z-20261120T140000Z.csv",
    ]


def test_several_tables_need_a_folder(tmp_path: Path) -> None:
    write(tmp_path)

    with pytest.raises(UsageError, match=r"name one with --table \(load, disk_usage\)"):
        exporter(tmp_path, ExportFormat.CSV).to_file(tmp_path / "all.csv", lambda _part: None)


def test_a_table_that_has_no_files_has_no_rows(tmp_path: Path) -> None:
    write(tmp_path)

    with pytest.raises(NothingFoundError, match="web-01: no samples in process"):
        text_of(tmp_path, ExportFormat.CSV, "process")


def test_nothing_in_the_range_leaves_the_old_file_alone(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, [(at(20_000), [("all", 1, 2)])])
    target = tmp_path / "cpu.csv"
    target.write_text("old")

    with pytest.raises(NothingFoundError, match="there are some from 2026-11-20T17:33:20"):
        exporter(tmp_path, ExportFormat.CSV, "cpu").to_file(target, lambda _part: None)

    assert (target.read_text(), names(tmp_path)) == ("old", ["cpu.csv", "web-01"])


def test_a_file_is_replaced_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"
    target.write_text("old")

    with pytest.raises(ZeroDivisionError), replace_output(target) as file:
        file.write(b"%d" % (1 // (len(b"half") - 4)))

    assert (target.read_text(), names(tmp_path)) == ("old", ["report.txt"])


def test_a_link_stays_and_what_it_names_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")

    with replace_output(tmp_path / "link") as file:
        file.write(b"new")

    assert ((tmp_path / "real").read_text(), (tmp_path / "link").is_symlink()) == ("new", True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make links of others")
@pytest.mark.parametrize(
    ("target", "link"),
    [
        pytest.param("open/out.csv", "open/out.csv", id="a file in a folder of all"),
        pytest.param("open/sub/out.csv", "open/sub", id="a folder in a folder of all"),
        pytest.param("theirs/out.csv", "theirs/out.csv", id="a file in a folder of theirs"),
        pytest.param("ours/out.csv", "open/out.csv", id="a link of ours to a link of theirs"),
    ],
)
def test_a_strangers_link_is_not_followed(tmp_path: Path, target: str, link: str) -> None:
    for folder in ("open", "theirs", "ours", "victim"):
        (tmp_path / folder).mkdir()
    (tmp_path / "open").chmod(0o1777)
    os.chown(tmp_path / "theirs", STRANGER, STRANGER)
    (tmp_path / "victim" / "out.csv").write_text("precious")
    (tmp_path / "ours" / "out.csv").symlink_to(tmp_path / "open" / "out.csv")
    (tmp_path / link).symlink_to(tmp_path / ("victim" if link.endswith("sub") else "victim/out.csv"))
    os.lchown(tmp_path / link, STRANGER, STRANGER)

    with pytest.raises(UsageError) as refused, replace_output(tmp_path / target) as file:
        file.write(b"new")

    assert (str(refused.value), (tmp_path / "victim" / "out.csv").read_text()) == (
        f"{tmp_path / target}: {tmp_path / link} is a symbolic link of somebody else: name another place with -o",
        "precious",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make links of others")
def test_a_folder_that_an_admin_has_linked_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    os.lchown(tmp_path / "link", STRANGER, STRANGER)

    with replace_output(tmp_path / "link" / ".." / "link" / "out.csv") as file:
        file.write(b"new")

    assert (tmp_path / "real" / "out.csv").read_text() == "new"


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(UsageError, match="lead in a circle"), replace_output(tmp_path / "a"):
        pass


@pytest.mark.parametrize(
    ("mask", "modes"),
    [
        pytest.param(0o000, (0o664, 0o775, 0o775), id="open"),
        pytest.param(0o027, (0o640, 0o750, 0o750), id="group"),
        pytest.param(0o077, (0o600, 0o700, 0o700), id="private"),
    ],
)
def test_the_umask_says_who_reads_and_never_lets_all_write(
    tmp_path: Path, mask: int, modes: tuple[int, int, int]
) -> None:
    before = os.umask(mask)
    try:
        folder = make_folder(tmp_path / "a" / "b")
        with replace_output(folder / "out.csv") as file:
            file.write(b"new")
    finally:
        os.umask(before)

    assert tuple(stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a/b/out.csv", "a/b", "a")) == modes


def test_a_device_is_written_to_and_not_replaced() -> None:
    with replace_output(Path(os.devnull)) as file:
        file.write(b"gone")

    assert not Path(os.devnull).is_file()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing/x: cannot be written"), replace_output(tmp_path / "missing" / "x"):
        pass


def test_some_columns_in_either_form(tmp_path: Path) -> None:
    write(tmp_path)
    columns = ("mountpoint", "role", "inode_used")

    heads = [
        text_of(tmp_path, output, "disk_usage", columns=columns).splitlines()[:2]
        for output in (ExportFormat.CSV, ExportFormat.JSONL)
    ]

    assert heads == [
        ["mountpoint,role,inode_used", "/,,"],
        [
            '{"mountpoint":"/","role":null,"inode_used":null}',
            f'{{"mountpoint":{json.dumps(EVIL)},"role":null,"inode_used":0.5}}',
        ],
    ]


@pytest.mark.parametrize("raw", [False, True])
def test_naming_all_columns_changes_nothing(tmp_path: Path, raw: bool) -> None:
    write(tmp_path)
    write_table(tmp_path, DISK_USAGE, [(at(7200), [(EVIL, "a,b", 'q"', 1e300, 2)])], origin=Origin("db-01"))
    (tmp_path / "db-01" / "disk_usage" / "disk_usage-20261120T140000Z-1h.jsonl").rename(
        tmp_path / "web-01" / "disk_usage" / "disk_usage-20261120T130000Z-1h.jsonl"
    )
    everything: dict[str, Any] = {"raw": raw, "until": 3 * HOUR}

    whole, named = BytesIO(), BytesIO()
    exporter(tmp_path, ExportFormat.CSV, "disk_usage", **everything).to_stream(whole, lambda _part: None)
    columns = (*HEAD, *DISK_USAGE.columns)
    exporter(tmp_path, ExportFormat.CSV, "disk_usage", columns=columns, **everything).to_stream(
        named, lambda _part: None
    )

    assert (whole.getvalue(), whole.getvalue().count(b"\n")) == (named.getvalue(), 16)


def test_reduced_rows_are_exported_in_either_form(tmp_path: Path) -> None:
    write(tmp_path)

    text = text_of(tmp_path, ExportFormat.JSONL, "load", rate=HOUR)

    assert [json.loads(line)["load_average_1m"] for line in text.splitlines()] == [1.5, 5.0]


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    write(tmp_path / "data")
    progress: list[float] = []

    exporter(tmp_path / "data", ExportFormat.CSV).to_folder(tmp_path / "out", progress.append)

    assert (progress == sorted(progress), progress[0], progress[-1]) == (True, 0.0, 1.0)
