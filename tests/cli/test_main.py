"""The command line itself: how it ends, what it says, and that every command can be learnt from its help."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

import sysmon
from sysmon.cli import answer, cli
from sysmon.errors import ConfigError, NothingFoundError
from tests.integration.processes import SYSMON, environment

BASH = shutil.which("bash") or ""


def group(body: Callable[[], int | None]) -> click.Group:
    """Return the program with one command only, `do`."""
    commands = {"do": click.Command("do", callback=body)}
    return click.Group("sysmon", commands, params=cli.params, callback=cli.callback, invoke_without_command=True)


def failing(error: BaseException) -> Callable[[], None]:
    """Return a command that fails."""

    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(
            ConfigError("a.yaml:1:1: no: yes\nb.yaml:2:2: no: yes"),
            2,
            "sysmon: a.yaml:1:1: no: yes\nsysmon: b.yaml:2:2: no: yes\n",
            id="an error of several lines",
        ),
        pytest.param(
            NothingFoundError("nothing since noon"), 1, "sysmon: nothing since noon\n", id="its own exit code"
        ),
        pytest.param(ConfigError("\x1b[2Jgone"), 2, "sysmon: \\x1b[2Jgone\n", id="a terminal sequence"),
        pytest.param(
            click.UsageError("--a and --b\nexclude each other"),
            2,
            "sysmon: --a and --b exclude each other (try `sysmon do --help`)\n",
            id="bad usage",
        ),
        pytest.param(
            PermissionError(13, "Permission denied", "/x"), 2, "sysmon: /x: Permission denied\n", id="no access"
        ),
        pytest.param(OSError(28, "No space left on device"), 2, "sysmon: No space left on device\n", id="a full disk"),
        pytest.param(
            ZeroDivisionError("by\nzero"),
            70,
            "sysmon: internal error: ZeroDivisionError: by\\x0azero: run `sysmon --debug ...` to see where\n",
            id="a mistake of ours",
        ),
        pytest.param(KeyboardInterrupt(), 130, "", id="interrupted"),
        pytest.param(click.Abort(), 130, "", id="aborted at a prompt"),
        pytest.param(BrokenPipeError(32, "Broken pipe"), 0, "", id="the reader has left"),
    ],
)
def test_however_it_ends_there_is_one_line_for_each_fault_and_no_traceback(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, message: str
) -> None:
    ended = answer(["do"], group=group(failing(error)))

    assert (ended, capsys.readouterr()) == (code, ("", message))


@pytest.mark.parametrize(
    "error", [ConfigError("a.yaml:1:1: no"), ZeroDivisionError("by zero"), PermissionError(13, "Permission denied")]
)
def test_debug_shows_where_an_error_came_from(error: Exception) -> None:
    with pytest.raises(type(error)) as seen:
        answer(["--debug", "do"], group=group(failing(error)))

    assert seen.value is error


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_what_a_command_returns_is_the_exit_code(returned: int | None, code: int) -> None:
    assert answer(["do"], group=group(lambda: returned)) == code


def test_a_command_may_leave_with_a_code_of_its_own() -> None:
    assert answer(["do"], group=group(lambda: click.get_current_context().exit(3))) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["rnu"], "no command 'rnu': did you mean 'run'? (try `sysmon --help`)", id="a misspelt command"),
        pytest.param(
            ["rules", "chek"], "no command 'chek': did you mean 'check'? (try `sysmon rules --help`)", id="in a group"
        ),
        pytest.param(
            ["--debgu"], "No such option '--debgu'. Did you mean '--debug'? (try `sysmon --help`)", id="an option"
        ),
        pytest.param(
            ["alerts", "--json"], "No such option '--json'. (try `sysmon alerts --help`)", id="an option like no other"
        ),
        pytest.param(["config"], "a command is missing (try `sysmon config --help`)", id="a command left out"),
        pytest.param(
            ["config", "check", "--config"],
            "Option '--config' requires an argument. (try `sysmon config check --help`)",
            id="a value left out",
        ),
        pytest.param(
            ["config", "check", "a.yaml"],
            "Got unexpected extra argument (a.yaml) (try `sysmon config check --help`)",
            id="too much",
        ),
        pytest.param(
            ["run", "--interval", "5"],
            "Invalid value for '--interval': '5' is no duration: write 5s, 5m or 5h (try `sysmon run --help`)",
            id="a bad value",
        ),
        pytest.param(
            ["run", "--once", "--interval", "0"], "--interval: 0s is out of range: write 10ms to 1d", id="nothing"
        ),
    ],
)
def test_bad_usage_is_told_in_one_line_with_the_help_to_read(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code = answer(arguments)

    assert (code, capsys.readouterr().err) == (2, f"sysmon: {message}\n")


def test_an_unknown_command_far_from_all_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    answer(["xyzzy"])

    names = ", ".join(cli.list_commands(click.Context(cli)))
    assert capsys.readouterr().err == f"sysmon: no command 'xyzzy': known are {names} (try `sysmon --help`)\n"


def test_without_a_command_it_says_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    code = answer([])

    out = capsys.readouterr().out
    assert (code, len(out.splitlines()) < 10, "sysmon run " in out) == (0, True, True)


def test_what_to_do_next_names_only_commands_that_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    answer([])

    words = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith("  sysmon ")]
    assert set(words) - {"--help"} <= set(cli.list_commands(click.Context(cli)))


def test_every_command_is_a_file_and_the_other_way_round() -> None:
    context = click.Context(cli)

    missing = [name for name in cli.list_commands(context) if cli.get_command(context, name) is None]

    assert missing == []


def test_files_that_are_no_commands_cannot_be_called() -> None:
    assert cli.get_command(click.Context(cli), "_options") is None


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


EVERY = [pytest.param(path, command, id=" ".join(path) or "sysmon") for path, command in commands(cli)]


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_help_ends_with_an_example_of_that_command(
    capsys: pytest.CaptureFixture[str], path: tuple[str, ...], command: click.Command
) -> None:
    code = answer([*path, "--help"])

    last = capsys.readouterr().out.splitlines()[-1]
    words = shlex.split(last.split(" > ")[0].split(" | ")[0])
    assert (code, words[: len(path) + 1]) == (0, ["sysmon", *path])


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_example_is_accepted_by_its_command(path: tuple[str, ...], command: click.Command) -> None:
    lines = (command.epilog or "").splitlines()
    examples = [shlex.split(line.split(" > ")[0].split(" | ")[0])[1:] for line in lines if line.startswith("  sysmon")]

    for words in examples:
        context, arguments = click.Context(cli), list(words)
        below: click.Command = cli
        while isinstance(below, click.Group):
            _, target, arguments = below.resolve_command(context, arguments)
            assert target is not None
            below = target
        below.make_context("example", arguments)

    assert examples != []


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_option_says_what_it_does(path: tuple[str, ...], command: click.Command) -> None:
    options = [option for option in command.params if isinstance(option, click.Option)]

    assert (bool(command.help), [option.name for option in options if not option.help]) == (True, [])


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param("sysmon conf", ["plain,config"], id="a command"),
        pytest.param("sysmon config sh", ["plain,show"], id="a command below it"),
        pytest.param("sysmon config show --orig", ["plain,--origin"], id="an option"),
    ],
)
def test_a_shell_is_told_what_could_come_next(words: str, offered: list[str]) -> None:
    request = {"_SYSMON_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}

    ended = subprocess.run(SYSMON, env=environment(**request), capture_output=True, text=True, check=True)

    assert ended.stdout.splitlines() == offered


def test_the_list_of_commands_cuts_no_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    answer(["--help"])

    _, commands = capsys.readouterr().out.split("Commands:")
    assert "..." not in commands


@pytest.mark.parametrize(("path", "command"), EVERY)
def test_every_short_help_fits_into_45_characters(path: tuple[str, ...], command: click.Command) -> None:
    short = command.get_short_help_str(limit=200)

    assert (len(short) <= 45, short.endswith(".")) == (True, True)


def test_the_module_runs_too() -> None:
    ended = subprocess.run([*SYSMON, "--version"], env=environment(), capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "sysmon 0.1.0\n", "")


@pytest.mark.skipif(not BASH, reason="needs bash")
def test_a_reader_that_leaves_early_hears_nothing() -> None:
    line = shlex.join([*SYSMON, "config", "show"]) + " | { exec 0<&-; sleep 0.3; }; echo ${PIPESTATUS[0]}"

    ended = subprocess.run([BASH, "-c", line], env=environment(), capture_output=True, text=True, check=False)

    assert (ended.stdout, ended.stderr) == ("0\n", "")


LATE = """
import sys, click
from sysmon.cli import answer
body = click.Command("do", callback=lambda: sys.stdout.write("kept back until the end") and None)
sys.exit(answer(["do"], group=click.Group("sysmon", [body])))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full")
@pytest.mark.parametrize(
    "command",
    [
        pytest.param([*SYSMON, "config", "show"], id="at once"),
        pytest.param([sys.executable, "-c", LATE], id="at the end"),
    ],
)
def test_a_full_device_is_told_in_one_line(command: list[str]) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, not a path
        ended = subprocess.run(command, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (2, "sysmon: No space left on device\n")


@pytest.mark.skipif(not BASH, reason="needs bash")
def test_closed_streams_do_no_harm() -> None:
    line = shlex.join([*SYSMON, "config", "check"]) + " >&- 2>&-; echo $?"

    ended = subprocess.run([BASH, "-c", line], env=environment(), capture_output=True, text=True, check=False)

    assert (ended.stdout, ended.stderr) == ("0\n", "")


HEAVY = ("colorama", "msgspec", "psutil", "yaml", "duckdb", "asyncio", "ssl")


@pytest.mark.parametrize("arguments", [["--version"], []])
def test_starting_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from sysmon.cli import answer; answer(sys.argv[1:]);"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment(), capture_output=True, text=True, check=True
    )

    assert ended.stdout.splitlines()[-1] == "[]"


def test_ctrl_c_while_the_program_is_still_being_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    interrupting = "import signal\nsignal.raise_signal(signal.SIGINT)\n"
    (tmp_path / "click.py").write_text(interrupting)  # in place of the first thing that takes a while to load

    done = subprocess.run(
        [sys.executable, "-P", "-m", "sysmon", "report"],
        env=environment(PYTHONPATH=f"{tmp_path}:{Path(sysmon.__file__).parents[1]}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
