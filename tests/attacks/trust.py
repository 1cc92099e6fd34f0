"""Attacks by those who may write a folder, choose a name or set a clock: nothing of theirs is followed or executed."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.attacks.box import HANG, PATIENCE, ROOT, SYSMON, Box, UntriedError, need_program, need_root
from tests.integration.processes import environment, until
from tests.programs import Program

_CURSOR = {"version": 1, "mark": "a", "since": "2026-01-01T00:00:00.000Z", "batch": 0, "moves": [], "hosts": {}}
_FAKETIME = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)


def tampered_cursor(box: Box) -> Iterator[str]:
    """A cursor renames nothing but the export's own files, and what is no cursor ends in exit code 2."""
    box.seed()
    evil, target = box.folder / "evil", box.folder / "cron.d"
    evil.write_text("* * * * * root evil\n")
    target.mkdir()
    cursor, out = box.data / "export-r.json", str(box.folder / "exported") + "/"
    texts = {
        "moves": json.dumps(_CURSOR | {"moves": [[str(evil), str(target / "evil")]]}),
        "moves upwards": json.dumps(_CURSOR | {"moves": [["../evil", "../cron.d/evil"]]}),
        "infinity": json.dumps(_CURSOR).replace('"batch": 0', '"batch": 1e999'),
        "NUL": json.dumps(_CURSOR | {"moves": [["a\0b", "c"]]}),
        "depth": "[" * 100_000,
        "nothing": "",
    }
    for name, text in texts.items():
        cursor.write_text(text)
        done = box.call("export", "--resume", "r", "--data", str(box.data), "-o", out)
        if done.code != 2 or done.trouble:
            yield f"{name}: exit {done.code}: {done.err.strip()[-200:]}"
        if list(target.iterdir()) or not evil.exists():
            yield f"{name}: a file was renamed"


def checkout_of_a_stranger(box: Box) -> Iterator[str]:
    """A folder that looks like a checkout is none: only the one that sysmon was imported from has configuration."""
    strange, mark = box.folder / "strange", box.folder / "pwned"
    (strange / "sysmon").mkdir(parents=True)
    (strange / "config").mkdir()
    for name in ("setup.py", "pyproject.toml", "sysmon/__init__.py"):
        (strange / name).touch()
    (strange / "config" / "sysmon.yaml").write_text(f"notify: {{command: [/usr/bin/touch, {mark}]}}\n")
    done = box.call("notify", "test", cwd=strange)
    if mark.exists():
        yield "the stranger's program was run"
    if done.trouble:
        yield done.trouble


def names_of_hosts(box: Box) -> Iterator[str]:
    """Whatever a host is called, its rows are where readers look, and nothing is written anywhere else."""
    need_root()
    unshare = need_program("unshare")
    code = "import os, socket, sys; socket.sethostname(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
    names = ["quarantine", "lock", "format", "replies.jsonl", "maintain.lock", "mask.key", "export-a.json", "alerts"]
    names += ["..", "../../x", "h\nost", "\x1b[2J", "-rf", "x" * 64, "lost+found", ".x.tmp"]
    for number, name in enumerate(names):
        box.data = box.folder / f"data{number}"
        done = box.call(*box.run_flags("--ticks", "3"), before=[unshare, "-u", sys.executable, "-c", code, name])
        if done.trouble or done.code != 0:
            yield f"{name!r}: the run ends with {done.code}: {done.err.strip()[-200:]}"
        read = box.call("report", "--data", str(box.data))
        if read.code != 0 or "\x1b" in read.out:
            yield f"{name!r}: report ends with {read.code}: {read.err.strip()[-200:]}"
    strangers = {path.name for path in box.folder.iterdir()} - {"out", "err", "sysmon.yaml", "rules.yaml"}
    if extra := [name for name in strangers if not name.startswith("data")]:
        yield f"{extra} was written beside the data directories"


def names_of_others(box: Box) -> Iterator[str]:
    """Names of processes and mounts order a terminal nothing, are no formula in CSV and no element in HTML."""
    folder = box.data / "web-01" / "disk_usage"
    folder.mkdir(parents=True)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    names = [
        "\x1b[2Jx",
        "\u202egnp",
        "\u3164",
        "\u115f",
        "[link=x]y[/]",
        "</script><img src=x onerror=1>",
        "=cmd|'/c calc'!A1",
        "a\nb",
    ]
    fixed = {"timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z", "hostname": "web-01", "device": "d", "fstype": "f"}
    numbers = {"disk_total_bytes": 100, "disk_used_bytes": 50, "disk_usage_percent": 50.0}
    rows = [fixed | {"mountpoint": name} | numbers for name in names]
    (folder / f"disk_usage-{at:%Y%m%dT%H}0000Z-1h.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    span = ["--data", str(box.data), "--since", "2h"]
    for command in (["report"], ["show"], ["report", "--format", "markdown"], ["query", "from disk_usage"]):
        done = box.call(*command, *span[: 2 if command[0] == "show" else None])
        if done.trouble and "DuckDB" not in done.err:
            yield f"{command}: {done.trouble}"
        if bad := [name for name in ("\x1b", "\u202e", "\u3164", "\u115f") if name in done.out]:
            yield f"{' '.join(command)}: {bad} is printed as it is"
    page = box.call("report", *span, "--format", "html")
    if "<img src=x" in page.out:
        yield "HTML: a name is an element"
    table = box.call("export", *span, "--table", "disk_usage", "--format", "csv")
    if ",=cmd" in table.out:
        yield "CSV: a name is a formula"


def links_in_the_data_directory(box: Box) -> Iterator[str]:
    """Nothing is written through a link: neither through a folder of a table nor a lock or a temporary file."""
    box.seed()
    elsewhere, victim = box.folder / "elsewhere", box.folder / "victim"
    elsewhere.mkdir()
    victim.write_text("precious\n")
    load = box.host / "load"
    load.rename(box.folder / "aside")
    load.symlink_to(elsewhere)
    box.seed(2)
    if list(elsewhere.iterdir()):
        yield "a table that is a link is written through"
    load.unlink()
    for name, link in (("lock", os.link), ("lock", os.symlink), (".format.tmp", os.link), (".format.tmp", os.symlink)):
        path = box.data / name
        path.unlink(missing_ok=True)
        (box.data / "format").unlink(missing_ok=True)
        link(victim, path)
        done = box.seed(2)
        if victim.read_text() != "precious\n":
            yield f"{name} by {link.__name__}: another file was written: {victim.read_text()[:40]!r}"
            victim.write_text("precious\n")
        if done.trouble:
            yield f"{name} by {link.__name__}: {done.trouble}"
        path.unlink(missing_ok=True)
        (box.data / "lock").unlink(missing_ok=True)


def configuration_that_others_may_write(box: Box) -> Iterator[str]:
    """`doctor` tells of configuration with a command that anybody may write; root does not run it."""
    box.configure("notify: {command: [/bin/true]}\nstorage: {min_free: 0B}\n")
    config = box.folder / "sysmon.yaml"
    config.chmod(0o666)
    done = box.call("doctor", "--data", str(box.data), "--config", str(config))
    if "chmod o-w" not in done.out:
        yield f"doctor says nothing of it (exit {done.code})"
    if os.geteuid() == 0 and box.seed(1).code != 2:
        yield "root runs it"


def paths_with_control_characters(box: Box) -> Iterator[str]:
    """A newline in a path never becomes a line of a unit file."""
    done = box.call("service", "install", "--print", "--data", "/a\nExecStartPre=/x")
    if done.code != 2 or "\nExecStartPre=/x" in done.out:
        yield f"exit {done.code}"


def open_umask(box: Box) -> Iterator[str]:
    """With umask 000 no file or folder that is made can be written by others."""
    run = ["/bin/sh", "-c", 'umask 000; exec "$@"', "sh"]
    box.call(*box.run_flags("--ticks", "3"), before=run)
    data, made = ["--data", str(box.data)], box.folder / "made"
    box.call("export", *data, "-o", f"{made}/exported/", before=run)
    box.call("report", *data, "--format", "html", "-o", f"{made}/page.html", before=run)
    box.call("init", f"{made}/config", before=run)
    for top in (box.data, made):
        for path in [top, *top.rglob("*")] if top.exists() else []:
            if not path.is_symlink() and path.lstat().st_mode & 0o002:
                yield f"{path.relative_to(box.folder)} has mode {stat.filemode(path.lstat().st_mode)}"


def output_over_a_link_of_a_stranger(box: Box) -> Iterator[str]:
    """-o in a folder like /tmp never writes through a link that another user made there."""
    need_root()
    box.seed()
    public, victim = box.folder / "public", box.folder / "victim"
    public.mkdir()
    public.chmod(0o1777)
    victim.write_text("precious\n")
    link = public / "page.html"
    link.symlink_to(victim)
    os.lchown(link, 65534, 65534)
    done = box.call("report", "--data", str(box.data), "--format", "html", "-o", str(link))
    if victim.read_text() != "precious\n":
        yield f"the other file was written (exit {done.code})"


def query_reads_nothing_else(box: Box) -> Iterator[str]:
    """SQL reads the tables and no other file; it loads, attaches, writes and sets nothing."""
    box.seed()
    mark = box.folder / "made"
    statements = (
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        f"attach '{mark}' as x",
        f"copy (select 1) to '{mark}'",
        f"export database '{mark}'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access=true",
        "pragma enable_external_access",
        "select getenv('HOME')",
    )
    for statement in statements:
        done = box.call("query", "--data", str(box.data), "--format", "csv", statement)
        if "is not installed" in done.err:
            raise UntriedError("DuckDB is not installed")
        if done.code not in {1, 2} or done.trouble or "root:" in done.out:
            yield f"{statement}: exit {done.code}: {(done.out + done.err).strip()[:200]}"
    if mark.exists():
        yield "a file was written"


def query_that_is_ended(box: Box) -> Iterator[str]:
    """A query that SIGTERM or Ctrl-C ends leaves no spill folder, and one value takes no memory without bounds."""
    box.seed()
    spill = box.folder / "spill"
    spill.mkdir()
    data = ["--data", str(box.data)]
    if "is not installed" in box.call("query", *data, "select 1 as n").err:
        raise UntriedError("DuckDB is not installed")
    long_one = [*SYSMON, "query", *data, "select * from range(1000000000) t(i) order by hash(i)"]
    variables = environment(PYTHONPATH=str(ROOT), TMPDIR=str(spill))
    for number in (signal.SIGTERM, signal.SIGINT):
        with Program[str](long_one, env=variables, stderr=subprocess.PIPE, text=True, cwd=box.folder) as query:
            until(lambda query=query: query.poll() is not None or list(spill.iterdir()))  # type: ignore[misc]
            query.send_signal(number)
            _, said = query.communicate(timeout=PATIENCE)
        if left := [path.name for path in spill.iterdir()]:
            yield f"{number.name}: {left} is left"
        if "Traceback" in said or query.returncode == 0:
            yield f"{number.name}: exit {query.returncode}: {said.strip()[-200:]}"
    big = box.call("query", *data, "select length(bitstring('1',2000000000))", TMPDIR=str(spill))
    if big.memory > 1500 or big.code == HANG:
        yield f"one value: {big.memory:.0f} MB, exit {big.code}"


def clock_that_is_wrong_for_a_day(box: Box) -> Iterator[str]:
    """A clock that jumps 40 days ahead and stays there for 26 hours has maintenance delete nothing."""
    library = next((path for path in _FAKETIME if Path(path).exists()), None)
    if library is None:
        raise UntriedError("libfaketime is not installed")
    folder = box.data / "h" / "agent"
    folder.mkdir(parents=True)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    wrong = [now + timedelta(days=40, hours=hour) for hour in range(26)]
    for at in [*(now - timedelta(hours=hour + 1) for hour in range(120)), *wrong]:
        row = {"timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.000Z", "hostname": "h", "run": "0badcafe", "agent_sequence": 1}
        (folder / f"agent-{at:%Y%m%dT%H%M%S}Z-1h.jsonl").write_text(json.dumps(row) + "\n")
    later = wrong[-1] + timedelta(hours=1)
    done = box.call(
        "maintain", "--data", str(box.data), LD_PRELOAD=library, FAKETIME=f"@{later:%Y-%m-%d %H:%M:%S}", TZ="UTC"
    )
    if done.code != 0:
        yield f"maintain ends with {done.code}: {done.err.strip()[-200:]}"
    left = {path.name.split(".")[0] for path in folder.iterdir()}
    if len(left) != 146:
        yield f"{146 - len(left)} of 146 files are gone (exit {done.code}: {done.err.strip()[-200:]})"


def process_with_a_strange_name(box: Box) -> Iterator[str]:
    """A process whose name is no text, or orders a terminal something, is stored as one line and listed."""
    code = "open('/proc/self/comm','wb').write(b'\\x1b[2J\\n\\xff=a'); print(1, flush=True)\nwhile True: pass"
    with Program[bytes]([SYSMON[0], "-c", code], stdout=subprocess.PIPE) as strange:
        assert strange.stdout is not None
        strange.stdout.read(1)
        with box.running("--interval", "200ms") as run:
            until(lambda: run.poll() is not None or len(box.rows("agent")) > 4)
            run.terminate()
            if run.wait(60) != 0:
                yield f"the run ended with {run.returncode}: {box.log.strip()[-200:]}"
        strange.kill()
    done = box.call("verify", str(box.data))
    if done.code != 0:
        yield f"verify ends with {done.code}: {done.out.strip()[-200:]}"
    shown = box.call("show", "--data", str(box.data))
    if "\x1b[2J" in shown.out or shown.trouble:
        yield f"show prints it as it is; {shown.trouble}"


def process_with_little_memory(box: Box) -> Iterator[str]:
    """Readers end in a line, not a traceback, where the machine gives them little memory."""
    box.seed()
    for command in ("report", "status", "alerts"):
        done = box.call(command, "--data", str(box.data), limits=[(resource.RLIMIT_AS, 160 * 2**20)])
        if "Traceback" in done.err or done.code == HANG:
            yield f"{command}: exit {done.code}: {done.err.strip()[-200:]}"
