"""Attacks on what is stored: odd files where regular ones are looked for, damage, and files that take all memory."""

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.attacks.box import HANG, Box, need_root, small_disk

NOW = "%Y%m%dT%H%M%SZ"
_MUCH = 400
"""MB that no command may take for a file that is broken."""


def _row(at: datetime, number: int = 1) -> bytes:
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        f'{{"timestamp":"{stamp}","hostname":"h","run":"0badcafe","agent_sequence":{number},"agent_cpu_percent":0.5}}\n'
    ).encode()


def _hour(box: Box, back: timedelta) -> tuple[Path, datetime]:
    """Return the path of a segment of an hour that is past, in a folder that is there, and its beginning."""
    at = (datetime.now(UTC) - back).replace(minute=0, second=0, microsecond=0)
    folder = box.data / "h" / "agent"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"agent-{at.strftime(NOW)}-1h.jsonl", at


def gzip_beside_its_text(box: Box) -> Iterator[str]:
    """A packed form that lacks rows of the text beside it never replaces it, and readers see all rows."""
    path, at = _hour(box, timedelta(days=2))
    first, rest = ([_row(at + timedelta(minutes=n), n + 1) for n in part] for part in (range(3), range(3, 6)))
    path.write_bytes(b"".join([*first, *rest]))
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(b"".join(first)))
    read = box.call("export", "--data", str(box.data), "--since", "3d", "--table", "agent", "--format", "jsonl")
    if len(read.out.splitlines()) != 6:
        yield f"readers see {len(read.out.splitlines())} of 6 rows while both are there"
    box.call("maintain", "--data", str(box.data))
    left = b"".join(
        gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for file in path.parent.iterdir()
        if file.suffix == ".gz" or not path.with_name(f"{file.name}.gz").exists()
    )
    if left.count(b"\n") != 6 and not path.exists():
        yield f"{left.count(chr(10).encode())} of 6 rows are left"


def fifo_in_place_of_a_file(box: Box) -> Iterator[str]:
    """No command waits for a FIFO where it looks for a file: it passes over it or refuses."""
    box.seed()
    now, host = datetime.now(UTC).strftime(NOW), box.host
    places = {
        "a segment": host / f"cpu/cpu-{now}-1h.jsonl",
        "a packed segment": host / f"agent/agent-{now}-1h.jsonl.gz",
        "the alert log": host / f"alerts/alerts-{now}-1d.jsonl",
        "the event log": host / f"events/events-{now}-1d.jsonl",
        "replies.jsonl": box.data / "replies.jsonl",
        "format": box.data / "format",
        "lock": box.data / "lock",
        "maintain.lock": box.data / "maintain.lock",
    }
    data = ["--data", str(box.data)]
    commands = [
        box.run_flags("--ticks", "2"),
        ["maintain", *data, "--config", str(box.folder / "sysmon.yaml")],
        ["status", *data],
        ["verify", str(box.data)],
        ["doctor", *data],
        ["alerts", *data],
        ["report", *data],
        ["silences", *data],
    ]
    for name, path in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(".aside")
        if path.exists():
            path.rename(aside)
        os.mkfifo(path)
        for command in commands:
            done = box.call(*command, seconds=30)
            if done.trouble:
                yield f"{name}: {command[0]}: {done.trouble}"
        path.unlink()
        if aside.exists():
            aside.rename(path)


def hole_or_bomb_at_the_start(box: Box) -> Iterator[str]:
    """A file with a line of a gigabyte, or 1 MB of gzip that holds one, takes no memory and ends no run."""
    box.seed()
    now, day = datetime.now(UTC).strftime(NOW), datetime.now(UTC).strftime("%Y%m%dT000000Z")
    bomb = gzip.compress(bytes(2**26), 1) * 16
    for path in (
        box.host / f"alerts/alerts-{now}-1d.jsonl",
        box.host / f"cpu/cpu-{now}-1h.jsonl",
        box.data / "replies.jsonl",
        box.host / f"alerts/alerts-{day}-1d.jsonl.gz",
    ):
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".gz":
            path.write_bytes(bomb)
        else:
            with path.open("wb") as file:
                file.truncate(2**30)
        for command in (box.run_flags("--ticks", "2"), ["alerts", "--data", str(box.data)]):
            done = box.call(*command)
            if done.trouble or done.memory > _MUCH:
                yield f"{path.name}: {command[0]}: {done.memory:.0f} MB; {done.trouble}"
        path.unlink()


def damaged_replies(box: Box) -> Iterator[str]:
    """Damage in replies.jsonl is named with its line and ends in 3; a link in its place is never written through."""
    box.seed()
    data = ["--data", str(box.data)]
    replies, victim = box.data / "replies.jsonl", box.folder / "victim"
    for name, link in (("a symbolic link", os.symlink), ("a hard link", os.link)):
        victim.write_text("precious\n")
        link(victim, replies)
        done = box.call("silence", "cpu-*", "--for", "1h", "--why", "x", *data)
        if victim.read_text() != "precious\n" or done.code == 0:
            yield f"{name}: silence ends with {done.code}; the other file: {victim.read_text().strip()[:80]}"
        replies.unlink()
    box.call("silence", "cpu-*", "--for", "1h", "--why", "x", *data)
    replies.write_bytes(replies.read_bytes().replace(b"silence", b"sil\0nce"))
    for command in (["silences", *data], ["verify", str(box.data)]):
        done = box.call(*command)
        if done.code != 3 and not (command[0] == "verify" and done.code == 1):
            yield f"damage: {command[0]} ends with {done.code}"
        if "replies.jsonl" not in done.out + done.err:
            yield f"damage: {command[0]} does not name the file"
    replies.unlink()
    replies.mkdir()
    done = box.call("silences", *data)
    if done.code == 0 or done.trouble:
        yield f"a folder: silences ends with {done.code}; {done.trouble}"


def damaged_segments(box: Box) -> Iterator[str]:
    """Torn, glued, binary and hostile lines are counted and named, and every whole row is read."""
    path, at = _hour(box, timedelta(hours=2))
    whole = [_row(at + timedelta(minutes=n), n + 1) for n in range(5)]
    junk = {
        "torn at its end": (b"".join(whole) + _row(at)[:-9], 5, 0),
        "NULs at its end": (b"".join(whole) + bytes(300), 5, 3),
        "NULs in between": (b"".join([*whole[:2], bytes(300), b"\n", *whole[2:]]), 5, 3),
        "a glued line": (b"".join([*whole[:2], _row(at)[:-9], *whole[2:]]), 4, 3),
        "deep JSON": (b"".join([*whole, b"[" * 100_000 + b"\n"]), 5, 3),
        "a long line": (b"".join([*whole, b"x" * 3_000_000 + b"\n"]), 5, 3),
        "hundreds of digits": (b"".join([*whole, _row(at).replace(b"0.5", b"9" * 400)]), 5, 3),
        "not UTF-8": (b"".join([*whole, _row(at).replace(b'"h"', b'"\xff\xfe"')]), 5, 3),
    }
    for name, (text, rows, code) in junk.items():
        path.write_bytes(text)
        read = box.call("export", "--data", str(box.data), "--since", "4h", "--table", "agent", "--format", "jsonl")
        named = path.name in read.err or code == 0
        if (read.code, len(read.out.splitlines()), named) != (code, rows, True):
            yield f"{name}: export ends with {read.code}, {len(read.out.splitlines())} of {rows} rows"
        done = box.call("report", "--data", str(box.data), "--since", "4h")
        if done.code != code or done.trouble:
            yield f"{name}: report ends with {done.code}; {done.trouble}"


def only_file_is_broken(box: Box) -> Iterator[str]:
    """Where the only file of a range cannot be read, it is named, and the exit code is 3."""
    path, _ = _hour(box, timedelta(hours=2))
    path.with_name(f"{path.name}.gz").touch()
    for command in ("report", "export"):
        more = ["--table", "agent"] if command == "export" else []
        done = box.call(command, "--data", str(box.data), "--since", "4h", *more)
        if done.code != 3 or path.name not in done.err:
            yield f"{command} ends with {done.code}: {done.err.strip()[-200:]}"


def hostile_corpus(box: Box) -> Iterator[str]:
    """What fuzzing found breaks no command: each input as the only file of its kind."""
    corpus = Path(__file__).parents[1] / "fuzz" / "corpus"
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    span = ["--data", str(box.data), "--since", "2026-11-20T00:00Z", "--until", "2026-11-21T00:00Z"]
    kinds = {
        "alert_log": ("web-01/alerts/alerts-20261120T000000Z-1d.jsonl", ["alerts", *span]),
        "rows": (f"web-01/cpu/cpu-{now.strftime(NOW)}-1h.jsonl", ["report", *span]),
        "hours": ("web-01/rollup/1h/cpu-20261120T12.jsonl.gz", ["report", *span]),
        "silences": ("replies.jsonl", ["silences", "--data", str(box.data)]),
    }
    for kind, (place, command) in kinds.items():
        for source in sorted((corpus / kind).iterdir()):
            path = box.data / place
            path.parent.mkdir(parents=True, exist_ok=True)
            content = source.read_bytes()
            path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
            done = box.call(*command)
            if done.trouble:
                yield f"{kind}/{source.name}: {command[0]}: {done.trouble}"
            path.unlink()


def long_ranges(box: Box) -> Iterator[str]:
    """A report takes as long as what is stored in its range: a file of 1970 and one of today are two files."""
    path, at = _hour(box, timedelta(hours=1))
    path.write_bytes(_row(at))
    first = datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    (path.parent / f"agent-{first.strftime(NOW)}-1h.jsonl").write_bytes(_row(first))
    for flags in (["--since", "@0"], ["--since", "3650d"], ["--since", "@0", "--until", "2200-01-01T00:00Z"]):
        done = box.call("report", "--data", str(box.data), *flags)
        if done.code == HANG or done.trouble:
            yield f"{' '.join(flags)}: {done.trouble}"


def files_of_the_owner(box: Box) -> Iterator[str]:
    """What root does in the data directory of another user leaves no file of root's."""
    need_root()
    box.configure("storage: {rotation: 1s, compress_after: 0s, min_free: 0B}\n")
    box.data.mkdir(mode=0o750)
    os.chown(box.data, 65534, 65534)
    data = ["--data", str(box.data)]
    settings = ["--config", str(box.folder / "sysmon.yaml"), "--rules", str(box.folder / "rules.yaml")]
    ran = box.seed(8)
    refused = ran.code == 2
    for command in (
        ["maintain", *data, *settings[:2]],
        ["silence", "x-*", "--for", "1h", "--why", "x", *data],
        ["export", "--resume", "lake", *data, "-o", str(box.folder / "out-of-export") + "/"],
    ):
        done = box.call(*command)
        if done.trouble:
            yield f"{command[0]}: {done.trouble}"
    strangers = [path for path in box.data.rglob("*") if path.lstat().st_uid != 65534]
    if strangers and not refused:
        yield f"{len(strangers)} files are not their owner's, such as {strangers[0].relative_to(box.data)}"


def full_disk(box: Box) -> Iterator[str]:
    """A full disk ends no run: what was lost is told and ends in exit code 1, and nothing stored is damaged."""
    with small_disk(box.data, "size=256k"):
        done = box.seed(60, "--interval", "50ms")
        checked = box.call("verify", str(box.data))
    if done.code not in {0, 1} or done.trouble:
        yield f"the run ends with {done.code}: {done.err.strip()[-200:]}"
    if checked.code not in {0, 3} or checked.trouble:
        yield f"verify ends with {checked.code}: {checked.out.strip()[-200:]}"
