"""`sysmon query` and Parquet as a shell calls them: what they print, how they end, and what they say without DuckDB."""

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sysmon.adapters.installation import extra_line
from sysmon.sampling.self_tables import AGENT
from tests.integration.processes import SYSMON, answer, environment, until
from tests.integration.terminals import Terminal
from tests.programs import Program
from tests.reading.stored import START, at, write_table

RANGE = ("--since", START.isoformat(), "--until", at(3600).isoformat())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    row = ("0badcafe", 1, 0.5, 2**24, 0.001, 0, 0)
    write_table(tmp_path / "data", AGENT, [(at(number), [row]) for number in range(3)])
    return tmp_path / "data"


def query(data: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return answer("query", "--data", str(data), *RANGE, *more)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("table", "run       n\n0badcafe  3\n"),
        ("csv", "run,n\n0badcafe,3\n"),
        ("json", '[\n{"run":"0badcafe","n":3}\n]\n'),
        ("jsonl", '{"run":"0badcafe","n":3}\n'),
        ("markdown", "| run | n |\n|---|---:|\n| 0badcafe | 3 |\n"),
    ],
)
def test_an_answer_in_each_format(data: Path, form: str, said: str) -> None:
    done = query(data, "--format", form, "select run, count(*) as n from agent group by run")

    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


@pytest.mark.parametrize(
    ("statement", "code", "said"),
    [
        pytest.param("select run from agent where false", 1, "", id="no rows"),
        pytest.param("select run from agen", 2, "sysmon: no table 'agen': did you mean 'agent'?\n", id="a typo"),
        pytest.param("selec", 2, 'sysmon: SQL: syntax error at or near "selec"\n', id="no SQL"),
        pytest.param(
            "select event from alerts",
            1,
            "sysmon: alerts: no rows in this range (name another with --since and --until)\n",
            id="an empty table",
        ),
    ],
)
def test_how_it_ends(data: Path, statement: str, code: int, said: str) -> None:
    done = query(data, "--format", "jsonl", statement)

    assert (done.returncode, done.stdout, done.stderr) == (code, "", said)


def test_damage_is_told_and_ends_in_3(data: Path) -> None:
    with next(data.glob("*/agent/*.jsonl")).open("a") as file:
        file.write("broken\n")

    done = query(data, "select count(*) as n from agent")

    assert (done.returncode, done.stdout, "T120000Z-1h.jsonl:4: no row" in done.stderr) == (3, "n\n3\n", True)


def test_a_query_can_come_from_standard_input(data: Path) -> None:
    command = [*SYSMON, "query", "--data", str(data), *RANGE, "-"]
    done = subprocess.run(
        command,
        input="from agent select agent_sequence;\n",
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["agent_sequence", "1", "1", "1"]


def test_a_terminal_gets_wide_rows_one_below_the_other(data: Path) -> None:
    command = [*SYSMON, "query", "--data", str(data), *RANGE, "from agent limit 1"]
    with Terminal(80, 30) as terminal, terminal.start(command, environment(TERM="xterm")) as process:
        terminal.until(lambda: any("agent_samples_dropped" in line for line in terminal.lines))

        assert (process.wait(180), terminal.lines[0], max(map(len, terminal.lines)) <= 80) == (0, "[1]", True)


def with_duckdb(folder: Path, module: str) -> dict[str, str]:
    """Return an environment in which DuckDB is another module, or none that works."""
    folder.mkdir()
    (folder / "duckdb.py").write_text(f"{module}\n")
    return environment(PYTHONPATH=f"{folder}:{Path(__file__).parents[2]}")


HOW = f"run `{extra_line('sql')}`"


@pytest.mark.parametrize(
    ("module", "said"),
    [
        pytest.param("raise ImportError", f"this needs DuckDB, which is not installed: {HOW}", id="none"),
        pytest.param(
            "__version__ = '1.4.2'", f"this needs DuckDB 2 or later, and there is 1.4.2: {HOW}", id="an old one"
        ),
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["query", "select 1"], id="query"),
        pytest.param(["export", "--table", "agent", "--format", "parquet", "-o", "out/"], id="Parquet"),
    ],
)
def test_without_duckdb_a_line_says_how_to_get_it(
    data: Path, tmp_path: Path, arguments: list[str], module: str, said: str
) -> None:
    command = [*SYSMON, *arguments, "--data", str(data), *RANGE]
    variables = with_duckdb(tmp_path / "fake", module)

    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"sysmon: {said}\n")


def test_the_other_formats_of_export_need_no_duckdb(data: Path, tmp_path: Path) -> None:
    command = [*SYSMON, "export", "--data", str(data), *RANGE, "--table", "agent"]
    variables = with_duckdb(tmp_path / "fake", "raise ImportError")

    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 4)


def test_parquet_files_have_typed_columns(data: Path, tmp_path: Path) -> None:
    out = f"{tmp_path}/out/"

    first = answer("export", "--data", str(data), "--resume", "lake", "--format", "parquet", "-o", out)
    second = answer("export", "--data", str(data), *RANGE, "--format", "parquet", "--table", "agent", "-o", f"{out}all")

    result = duckdb.execute(
        "select timestamp, hostname, role, run, agent_cpu_percent from read_parquet(?)", [f"{out}*"]
    )
    rows = sorted(result.fetchall())
    assert ((first.returncode, second.returncode, first.stderr + second.stderr), rows) == (
        (0, 0, ""),
        [(at(number), "web-01", None, "0badcafe", 0.5) for number in (0, 0, 1, 1, 2, 2)],
    )


def test_parquet_does_not_go_through_a_pipe(data: Path) -> None:
    done = answer("export", "--data", str(data), *RANGE, "--table", "agent", "--format", "parquet")

    said = "sysmon: Parquet goes to a file or a folder: name one with -o\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_ctrl_c_ends_a_query_and_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    command = [*SYSMON, "query", "--data", str(data), "select sum(range) from range(1000000000000)"]

    with Program(command, env=environment(TMPDIR=str(spill)), stderr=subprocess.PIPE, text=True) as process:
        until(lambda: list(spill.iterdir()))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=180)

    assert (process.returncode, said, list(spill.iterdir())) == (130, "", [])


SORTING = "select hash(i) as h from range(2000000000) t(i) order by h"
"""Keeps DuckDB in its own code, and spilling, for longer than any test waits."""


def folders(spill: Path) -> list[Path]:
    return sorted(path for path in spill.iterdir() if path.is_dir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_a_query_that_spills_and_leaves_nothing_behind(
    data: Path, tmp_path: Path, number: signal.Signals
) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    command = [*SYSMON, "query", "--data", str(data), SORTING]

    with Program(command, env=environment(TMPDIR=str(spill)), stderr=subprocess.PIPE, text=True) as process:
        until(lambda: list(spill.glob("*/*")))
        process.send_signal(number)
        _, said = process.communicate(timeout=30)

    assert (process.returncode, said, list(spill.iterdir())) == (-number, "", [])


def test_what_a_killed_query_left_goes_with_the_next_one_and_what_another_uses_stays(
    data: Path, tmp_path: Path
) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    (spill / "sysmon-query-stranger.txt").touch()
    command, env = [*SYSMON, "query", "--data", str(data), SORTING], environment(TMPDIR=str(spill))
    with Program(command, env=env, stderr=subprocess.PIPE) as killed:
        until(lambda: list(spill.glob("*/*")))
        killed.kill()
        killed.communicate(timeout=30)  # its child, which has the pipe as well, has ended with it
    left = folders(spill)

    with Program(command, env=env, stderr=subprocess.PIPE) as working:
        until(lambda: set(spill.glob("*/*")) - {file for folder in left for file in folder.glob("*")})
        used = folders(spill)
        done = answer("query", "--data", str(data), *RANGE, "select 1 as n", TMPDIR=str(spill))
        kept = folders(spill)
        working.terminate()
        working.communicate(timeout=30)

    assert (done.returncode, len(left), len(used), kept, left == used) == (0, 1, 1, used, False)
    assert [path.name for path in spill.iterdir()] == ["sysmon-query-stranger.txt"]


MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("select repeat('x', 2000000000)", id="to be shown"),
        pytest.param("select length(repeat('x', 1900000000) || 'y')", id="to be worked with"),
        pytest.param("select repeat(repeat('x', 100000), 6000) from range(2)", id="two of half a gigabyte"),
        pytest.param("select string_agg(repeat('x', 1000000), '') from range(3000)", id="from many"),
    ],
)
def test_a_value_of_gigabytes_is_refused_in_a_line_and_does_not_take_them(data: Path, statement: str) -> None:
    command = [sys.executable, "-c", MEASURE, *SYSMON, "query", "--data", str(data), *RANGE, statement]

    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stderr.count("\n"), int(done.stdout) < 1_400_000) == (2, 1, True)
    assert done.stderr.startswith("sysmon: SQL: that takes more memory than it may")


@pytest.mark.parametrize(
    "statement",
    [
        "from read_csv('/etc/passwd')",
        "from read_text('/etc/passwd')",
        "from glob('/etc/*')",
        "attach '/tmp/stolen.db'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "copy (select 1) to '/tmp/stolen.csv'",
    ],
)
def test_a_query_reaches_nothing_but_the_rows(data: Path, statement: str) -> None:
    done = query(data, statement)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
