"""Every row once, whatever happens to files and clocks between two exports of one name."""

import json
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.app.admin.verify import verify_files
from sysmon.app.export.cursor import CursorFile
from sysmon.datadir.damage import Damage
from sysmon.datadir.segments import Form
from sysmon.errors import DamagedError, StorageError, UsageError
from sysmon.storage.compress import compress
from tests.app.export.increments import NAME, append, export_new, exported, exporter_of, line, lines, names, segment
from tests.reading.stored import LOAD, MINUTE, START, at, write_table

HONEST = {"version": 1, "mark": "0badcafe", "since": "2026-11-20T12:00:00Z", "batch": 1, "moves": [], "hosts": {}}

WRONG: list[dict[str, object]] = [
    {"mark": "a"},
    {"mark": "*"},
    {"mark": "../../e"},
    {"mark": 1},
    {"since": "yesterday"},
    {"batch": "huge"},
    {"batch": -1},
    {"batch": 1.5},
    {"batch": True},
    {"moves": [["/etc/passwd"]]},
    {"moves": [[1, 2]]},
    {"moves": {"a": "b"}},
    {"hosts": []},
    {"hosts": {"h": {"t": {"s": ["1", 2, 3]}}}},
    {"hosts": {"h": {"t": {"s": [1, 2]}}}},
    {"hosts": {"h": {"t": {"s": [1, -2, 0]}}}},
    {"hosts": {"h": {"t": {"s": [10**30, 2, 0]}}}},
    {"hosts": {"h": {"t": {"s": ["huge", 2, 0]}}}},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    append(segment(tmp_path / "data"), lines(0, 2))
    return tmp_path / "data"


def cursor_text(data: Path) -> str:
    return (data / f"export-{NAME}.json").read_text()


def test_the_next_export_holds_what_came_after_the_last_one(data: Path) -> None:
    export_new(data)

    append(segment(data), lines(3, 4))
    export_new(data)

    out = data.parent / "out"
    assert {path.name: path.read_text() for path in out.iterdir()} == {
        "load-nightly-000001.jsonl": lines(0, 2),
        "load-nightly-000002.jsonl": lines(3, 4),
    }


def test_nothing_new_writes_nothing(data: Path) -> None:
    export_new(data)
    before = cursor_text(data)

    export_new(data)

    assert (names(data.parent / "out"), cursor_text(data)) == (["load-nightly-000001.jsonl"], before)


def test_a_line_that_is_not_finished_goes_out_when_it_is(data: Path) -> None:
    append(segment(data), line(3)[:20])
    export_new(data)

    append(segment(data), line(3)[20:])
    export_new(data)

    assert exported(data) == lines(0, 3)


@pytest.mark.parametrize("more", [pytest.param("", id="the same text"), pytest.param(lines(3, 4), id="more of it")])
def test_a_file_that_was_packed_meanwhile_is_the_same_file(data: Path, more: str) -> None:
    export_new(data)

    append(segment(data), more)
    compress(segment(data))
    export_new(data)
    export_new(data)

    assert exported(data) == lines(0, 2) + more


def test_a_clock_that_was_set_back_hides_no_rows(data: Path) -> None:
    export_new(data)

    append(segment(data, seconds=-7200), line(9, seconds=-7200))
    append(segment(data, number=2), line(8, seconds=30))
    export_new(data)

    assert exported(data) == lines(0, 2) + line(9, seconds=-7200) + line(8, seconds=30)


def test_a_copy_in_csv_is_as_good_as_the_file_that_is_gone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    samples = [(at(60 * number), [(number, 0.5)]) for number in range(3)]
    for form in Form:
        write_table(data, LOAD, samples, form=form)
    export_new(data)

    (path,) = data.glob("*/load/*.jsonl")
    path.unlink()
    export_new(data)

    assert exported(data) == lines(0, 2)


def test_damage_is_told_once(data: Path) -> None:
    append(segment(data), "broken\n")

    first, second = export_new(data).damage.count, export_new(data).damage.count
    append(segment(data), line(3))
    third = export_new(data).damage.count

    assert (first, second, third, exported(data)) == (1, 0, 0, lines(0, 3))


def test_a_repair_between_two_exports_neither_hides_nor_doubles_a_row(data: Path) -> None:
    append(segment(data), "broken\n" + line(3))
    export_new(data)

    append(segment(data), lines(4, 5))
    verify_files(data, repair=True)
    export_new(data)

    assert exported(data) == lines(0, 5)


def test_strict_exports_nothing_beside_damage_and_remembers_nothing(data: Path) -> None:
    append(segment(data), "broken\n" + line(3))

    with pytest.raises(DamagedError):
        export_new(data, strict=True)

    assert (names(data.parent / "out"), export_new(data).damage.count, exported(data)) == ([], 1, lines(0, 3))


def test_rows_that_were_deleted_before_they_were_exported_are_told_once(data: Path) -> None:
    export_new(data)
    segment(data).unlink()
    append(segment(data, seconds=36_000), line(600))

    notes, again = export_new(data).damage.lines, export_new(data).damage.lines

    stem = segment(data).with_suffix("")
    reason = "deleted since the last export; rows up to 2026-11-20T22:00:00.000Z were not exported"
    assert (notes, again, exported(data)) == ([f"{stem}: {reason}"], [], lines(0, 2) + line(600))


def test_deleting_what_was_exported_is_no_loss(data: Path) -> None:
    append(segment(data, seconds=3600), line(60))
    export_new(data)

    segment(data).unlink()

    assert (export_new(data).damage.lines, exported(data)) == ([], lines(0, 2) + line(60))


def test_the_first_export_says_where_to_begin(data: Path) -> None:
    export_new(data, since=at(60))

    append(segment(data, seconds=-3600), line(9, seconds=-3600))
    append(segment(data), line(3))
    export_new(data, since=at(600))

    assert exported(data) == lines(1, 3)


def test_what_lies_after_until_waits(data: Path) -> None:
    export_new(data, until=at(120))
    before = exported(data)

    export_new(data)

    assert (before, exported(data)) == (lines(0, 1), lines(0, 2))


def test_only_steps_that_are_over_are_summed_up(data: Path) -> None:
    append(segment(data), lines(3, 8))
    export_new(data, rate=5 * MINUTE, until=at(540))
    append(segment(data), line(9))

    export_new(data, rate=5 * MINUTE, until=at(600))

    assert [text.split('"load_average_1m":')[1].split(",")[0] for text in exported(data).splitlines()] == ["2.0", "7.0"]


def remember(data: Path, *moves: tuple[str, str], **more: object) -> None:
    """Write a cursor as sysmon always has, with files that wait for their names."""
    cursor = json.loads(cursor_text(data)) | {"moves": moves, **more}
    (data / f"export-{NAME}.json").write_text(json.dumps(cursor))


def wait_in(folder: Path, data: Path, number: int) -> tuple[str, str]:
    """Return under which name a file waits in a folder, and which one it is to get."""
    name = f"load-{NAME}-{number:06d}.jsonl"
    return str(folder / f".{NAME}@{json.loads(cursor_text(data))['mark']}.{name}"), str(folder / name)


def test_files_that_had_not_got_their_names_get_them(data: Path) -> None:
    export_new(data)
    out = data.parent / "out"
    waiting, gone = wait_in(out, data, 2), wait_in(out, data, 3)
    Path(waiting[0]).write_text("what a crash left")
    remember(data, waiting, gone, batch=3)

    export_new(data)

    assert (names(out), CursorFile(data, NAME).read(since=START).waiting) == (
        ["load-nightly-000001.jsonl", "load-nightly-000002.jsonl"],
        [],
    )


def test_files_that_wait_in_another_folder_are_told_and_left_alone(data: Path) -> None:
    export_new(data)
    elsewhere = data.parent / "elsewhere"
    elsewhere.mkdir()
    waiting = wait_in(elsewhere, data, 2)
    Path(waiting[0]).write_text("what a crash left")
    remember(data, waiting)

    with pytest.raises(StorageError, match=r"files of the last export wait in .*elsewhere: export there"):
        export_new(data)
    with pytest.raises(StorageError, match=r"files of the last export wait in .*elsewhere: export there"):
        exporter_of(data).to_stream(BytesIO(), lambda _part: None)

    assert names(elsewhere) == [Path(waiting[0]).name]


def test_a_name_that_somebody_has_is_not_taken_from_them(data: Path) -> None:
    export_new(data)
    waiting = wait_in(data.parent / "out", data, 2)
    Path(waiting[0]).write_text("what a crash left")
    Path(waiting[1]).write_text("mine")
    remember(data, waiting)

    with pytest.raises(StorageError, match=r"000002\.jsonl: there already, and not of this cursor"):
        export_new(data)

    assert Path(waiting[1]).read_text() == "mine"


def test_a_link_does_not_get_the_name_of_an_export(data: Path) -> None:
    export_new(data)
    waiting = wait_in(data.parent / "out", data, 2)
    Path(waiting[0]).symlink_to("/etc/passwd")
    remember(data, waiting)

    with pytest.raises(StorageError, match="not a regular file, and not of this export"):
        export_new(data)

    assert not Path(waiting[1]).is_symlink()


@pytest.mark.parametrize(
    "move",
    [
        pytest.param("{out}/evil {out}/taken", id="other names in the folder"),
        pytest.param("/etc/passwd {out}/load-nightly-000002.jsonl", id="a file of others"),
        pytest.param(".nightly@{mark}.load-nightly-000002.jsonl load-nightly-000002.jsonl", id="relative names"),
        pytest.param("{out}/.nightly@{mark}.load-nightly-000002.jsonl {out}/load-nightly-000003.jsonl", id="another's"),
        pytest.param("{out}/.nightly@{mark}.passwd {out}/passwd", id="no name of an export"),
        pytest.param("{out}/.nightly@{mark}.load-other-000001.csv {out}/load-other-000001.csv", id="of another cursor"),
        pytest.param(
            "{out}/../out/.nightly@{mark}.load-nightly-000002.csv {out}/../out/load-nightly-000002.csv", id="a detour"
        ),
        pytest.param(
            "{out}\0/.nightly@{mark}.load-nightly-000002.csv {out}\0/load-nightly-000002.csv", id="a NUL in the folder"
        ),
    ],
)
def test_a_cursor_that_has_other_files_moved_is_none(data: Path, move: str) -> None:
    export_new(data)
    mark, out = json.loads(cursor_text(data))["mark"], data.parent / "out"
    (out / "evil").write_text("evil")
    before, *moves = names(out), *move.format(out=out, mark=mark).split(" ")
    remember(data, (moves[0], moves[1]))

    with pytest.raises(StorageError, match=r"nightly\.json: no cursor of this sysmon") as raised:
        export_new(data)

    assert (names(out), "\n" in str(raised.value), "\0" in str(raised.value)) == (before, False, False)


def test_what_was_not_remembered_is_removed_and_made_anew(data: Path) -> None:
    export_new(data)
    out = data.parent / "out"
    mark = CursorFile(data, NAME).read(since=START).mark
    (out / f".{NAME}@{mark}.load-nightly-000002.jsonl").write_text("half")
    (out / f".{NAME}@other.load-nightly-000002.jsonl").write_text("somebody else's")

    append(segment(data), line(3))
    export_new(data)

    assert (names(out)[:1], exported(data)) == ([f".{NAME}@other.load-nightly-000002.jsonl"], lines(0, 3))


def test_a_second_export_of_the_same_name_leaves_the_first_one_to_it(data: Path) -> None:
    with CursorFile(data, NAME).try_lock() as try_lock:
        export_new(data)

    assert (try_lock, (data.parent / "out").exists()) == (True, False)


def test_another_name_begins_at_the_beginning(data: Path) -> None:
    export_new(data)

    export_new(data, name="weekly")

    out = data.parent / "out"
    assert ((out / "load-weekly-000001.jsonl").read_text(), exported(data)) == (lines(0, 2), lines(0, 2))


def test_standard_output_gets_each_row_once_too(data: Path) -> None:
    target = data.parent / "all.jsonl"

    for first, last in ((3, 4), (5, 5), (6, 5)):
        with target.open("ab") as file:
            exporter_of(data).to_stream(file, lambda _part: None)
        append(segment(data), lines(first, last))

    assert target.read_text() == lines(0, 5)


def test_a_file_that_is_there_already_is_not_replaced(data: Path) -> None:
    out = data.parent / "out"
    out.mkdir()
    (out / "load-nightly-000001.jsonl").write_text("mine")

    with pytest.raises(UsageError, match=r"load-nightly-000001\.jsonl: there already"):
        export_new(data)

    assert (names(out), exported(data)) == (["load-nightly-000001.jsonl"], "mine")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "-o", "a b", "x" * 65, "ä"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--resume"):
        CursorFile(tmp_path, name)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="torn"),
        pytest.param("[]", id="another shape"),
        pytest.param('{"version":2}', id="a newer one"),
        *(pytest.param(json.dumps(HONEST | wrong).replace('"huge"', "1e999"), id=str(wrong)) for wrong in WRONG),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("\0" * 1000, id="NULs"),
    ],
)
def test_a_cursor_that_cannot_be_read_is_not_taken_for_none(data: Path, text: str) -> None:
    export_new(data)
    (data / f"export-{NAME}.json").write_text(text)

    with pytest.raises(StorageError, match=r"nightly\.json: no cursor of this sysmon") as raised:
        export_new(data)

    assert "\n" not in str(raised.value)


@settings(max_examples=200, deadline=None)
@given(
    content=st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*HONEST, "a"]), inner),
    ).map(lambda value: json.dumps(HONEST | value if isinstance(value, dict) else value).encode())
)
def test_whatever_a_cursor_holds_it_is_one_or_it_is_none(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    data = tmp_path_factory.mktemp("cursor")
    (data / f"export-{NAME}.json").write_bytes(content)

    with suppress(StorageError):
        assert all(path.is_absolute() for path in CursorFile(data, NAME).read(since=START).waiting)


@settings(max_examples=40, deadline=None)
@given(
    deeds=st.lists(
        st.one_of(
            st.tuples(st.just("append"), st.integers(0, 3), st.integers(1, 4)),
            st.tuples(st.just("pack"), st.integers(0, 3), st.just(0)),
            st.tuples(st.just("tear"), st.integers(0, 3), st.just(0)),
            st.tuples(st.just("ship"), st.integers(0, 400), st.just(0)),
        ),
        max_size=14,
    )
)
def test_whatever_happens_between_exports_each_row_goes_out_once(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, int, int]]
) -> None:
    data = tmp_path_factory.mktemp("model") / "data"
    append(segment(data), line(0))
    stored = [line(0)]
    packed: set[Path] = set()
    count = 0
    for deed, which, amount in deeds:
        path = segment(data, seconds=3600 * which)
        if deed == "ship":
            export_new(data, until=START + timedelta(minutes=which))
        elif path not in packed and deed == "append":
            more = [line(count + index + 1, seconds=3600 * which + count + index) for index in range(amount)]
            count += amount
            stored += more
            append(path, "".join(more))
        elif path not in packed and deed == "pack" and path.exists():
            compress(path)
            packed.add(path)
        elif path not in packed and deed == "tear":
            append(path, "broken\n")
    export_new(data)

    assert sorted(exported(data).splitlines(keepends=True)) == sorted(stored)


def test_places_of_files_that_are_gone_are_forgotten(data: Path) -> None:
    append(segment(data, seconds=3600), line(60))
    export_new(data)

    segment(data).unlink()
    export_new(data)

    cursor = CursorFile(data, NAME).read(since=START)
    assert list(cursor.positions["web-01"]["load"]) == [segment(data, seconds=3600).stem]


def test_damage_is_added_without_what_was_told_before() -> None:
    sum_, met = Damage(), Damage()
    for reason in ("old", "new"):
        met.note(Path("x"), 1, reason)

    sum_.add(met, after=1)

    assert (sum_.count, sum_.lines) == (1, ["x:1: new"])
