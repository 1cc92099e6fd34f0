"""`sysmon export --resume` as cron calls it: killed at any moment, or on a disk that fails it."""

import random
import shutil
import threading
from pathlib import Path

import pytest

from sysmon import cli
from sysmon.datadir.segments import Form, Segment
from sysmon.formats import jsonl
from sysmon.model import Table
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from tests.app.export.increments import NAME, append, exported
from tests.integration.processes import SYSMON, answer, environment
from tests.integration.straced import STRACE, befall, points
from tests.integration.terminals import Terminal
from tests.programs import Program
from tests.reading.stored import HOUR, ORIGIN, at

KILLS = 15


def store(data: Path, table: Table, hour: int, first: int, last: int) -> str:
    """Append rows with these numbers and those between them as a run does; return their lines."""
    text = b"".join(
        jsonl.RowEncoder(ORIGIN, table).encode(
            at(3600 * hour + number), [("0badcafe", *([number] * len(table.metrics)))]
        )
        for number in range(first, last + 1)
    ).decode()
    path = data / ORIGIN.hostname / table.name / Segment(table.name, at(3600 * hour), HOUR).file_name(Form.JSONL)
    path.parent.mkdir(parents=True, exist_ok=True)
    append(path, text)
    return text


def export(data: Path) -> list[str]:
    """Return the command that exports new rows into the folder beside a data directory."""
    return ["export", "--data", str(data), "--resume", NAME, "--format", "jsonl", "-o", f"{data.parent}/out/"]


def test_exports_that_are_killed_at_any_moment_add_up_to_what_is_stored(tmp_path: Path) -> None:
    chance = random.Random(20261121)  # noqa: S311 - the same moments each time
    data, stored = tmp_path / "data", ""
    for number in range(KILLS):
        stored += store(data, AGENT, number // 4, number, number)
        with Program[bytes]([*SYSMON, *export(data)], env=environment()) as process:
            threading.Event().wait(chance.uniform(0.1, 0.3))
            process.kill()

    done = answer(*export(data))

    assert (done.returncode, done.stderr, exported(data, AGENT.name)) == (0, "", stored)


@pytest.mark.skipif(STRACE is None, reason="strace is not installed (on Debian: apt install strace)")
@pytest.mark.parametrize(("fate", "every"), [("killed", 1), ("EIO", 5), ("ENOSPC", 5)])
def test_whatever_happens_at_a_file_call_each_row_goes_out_once(
    tmp_path: Path, fate: str, every: int, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh, work = tmp_path / "fresh", tmp_path / "work"
    data, command = work / "data", [*SYSMON, *export(work / "data")]
    texts = (store(fresh / "data", COLLECTOR, 0, 0, 2), store(fresh / "data", AGENT, 0, 0, 2))
    shutil.copytree(fresh, work)
    chosen = points(command, environment(), work, tmp_path / "log")
    wrong = []

    for point in chosen[::every]:
        shutil.rmtree(work)
        shutil.copytree(fresh, work)
        befall(command, environment(), point, fate)
        stored = (texts[0], texts[1] + store(data, AGENT, 0, 3, 3))
        code = cli.answer(export(data))
        rows = (exported(data, COLLECTOR.name), exported(data, AGENT.name))
        left = [path.name for path in (work / "out").glob(".*")]
        if (code, said := capsys.readouterr().err, rows, left) != (0, "", stored, []):
            wrong.append((point, said, rows, left))

    assert (len(chosen) > 10, wrong) == (True, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["--resume", "x", "-o", "rows.csv"],
            "--resume writes new files: name a folder, as in -o rows.csv/",
            id="a file",
        ),
        pytest.param(
            ["--resume", "x", "--strict"],
            "--strict holds rows back until --resume has noted them: name a folder with -o DIR/",
            id="held back",
        ),
        pytest.param(
            ["--resume", "../x", "-o", "out/"],
            "--resume '../x': write at most 64 letters, digits, dots, dashes and underscores",
            id="a name that leads elsewhere",
        ),
        pytest.param(
            ["--rate", "7s", "-o", "out/"],
            "--rate 7s does not divide a day: write 10s, 1m, 5m, 1h or 1d",
            id="odd steps",
        ),
        pytest.param(
            ["--columns", "agent_cpu_precent", "-o", "out/"],
            "no column 'agent_cpu_precent': did you mean 'agent_cpu_percent'?",
            id="a column that is misspelt",
        ),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    store(tmp_path, AGENT, 0, 0, 0)

    done = answer("export", "--data", str(tmp_path), *arguments)

    assert (done.returncode, done.stdout, done.stderr.partition(" (try")[0].strip()) == (2, "", f"sysmon: {said}")


def test_a_data_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    store(data, AGENT, 0, 0, 0)
    (data / f"export-{NAME}.lock").mkdir()

    done = answer(*export(data))

    said = f"sysmon: {data}/export-{NAME}.lock: cannot be written (Is a directory): --resume keeps its place there; "
    assert (done.returncode, done.stderr) == (2, f"{said}let the user of `sysmon run` export\n")


def test_a_terminal_shows_how_far_it_is_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    store(data, AGENT, 0, 0, 3500)

    with Terminal(80, 10) as terminal, terminal.start([*SYSMON, *export(data)], environment(TERM="xterm")) as process:
        terminal.until(lambda: b"100%" in terminal.raw)
        code = process.wait(180)
        terminal.until(lambda: not any("%" in line for line in terminal.lines))

    assert (code, exported(data, AGENT.name).count("\n")) == (0, 3501)
