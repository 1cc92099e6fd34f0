"""The `sysmon` command: one file per command in this folder, each imported only when it is called."""

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click

from sysmon import __version__
from sysmon.cli._groups import Group
from sysmon.cli._options import example
from sysmon.errors import INTERRUPTED, SysmonError
from sysmon.text.names import printable

INTERNAL_ERROR = 70
SLIP = 0.75
"""How like an option a word must be (1 is the same) to be taken for it, misspelt."""

COMPLETION = "_SYSMON_COMPLETE"
"""The variable by which a shell asks what could come next."""

_START = """\
sysmon records this machine in plain files and reports what happened.

  sysmon run       start recording
  sysmon report    summarise the last hour
  sysmon init      write a configuration and alert rules for this machine
  sysmon --help    show everything else"""


@dataclass(slots=True)
class Session:
    """What holds for one call of the program, whatever the command."""

    debug: bool = False


class LazyGroup(Group):
    """A group whose commands are the modules of this folder: `sysmon.cli.<name>`, attribute `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in alphabetical order, without importing them."""
        return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command if isinstance(command, click.Command) else None


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    short_help="Record this machine and report on it.",
    epilog=example("sysmon run"),
)
@click.version_option(__version__, prog_name="sysmon", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Record this machine in plain files, and report what happened, when, and which process did it."""
    context.ensure_object(Session).debug = debug
    if context.invoked_subcommand is None:
        click.echo(_START)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit; each error is one line."""
    if instruction := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete  # only the shell asks for this, at a press of Tab

        sys.exit(shell_complete(cli, {}, "sysmon", COMPLETION, instruction))
    sys.exit(answer(sys.argv[1:] if arguments is None else arguments))


def answer(arguments: Sequence[str], *, group: click.Group = cli) -> int:
    """Run one command and return the exit code: what the command returned, 0 for None."""
    session = Session()
    try:
        code = _invoke(group, arguments, session)
    except BrokenPipeError:
        # `sysmon export | head` got what it wanted: nothing failed, so nothing is said.
        _let_go_of_stdout()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as error:
        _complain(_usage(error, group, arguments))
        return 2
    except SysmonError as error:
        if session.debug:
            raise
        _complain(*str(error).split("\n"))
        return error.exit_code
    except OSError as error:
        if session.debug:
            raise
        _let_go_of_stdout()
        _complain(": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
        return 2
    except Exception as error:  # the last one before the user, who gets a line and not a traceback
        if session.debug:
            raise
        _complain(f"internal error: {type(error).__name__}: {error}: run `sysmon --debug ...` to see where")
        return INTERNAL_ERROR
    return code


def _invoke(group: click.Group, arguments: Sequence[str], session: Session) -> int:
    try:
        with group.make_context("sysmon", list(arguments), obj=session) as context:
            code = group.invoke(context)
    except click.exceptions.Exit as left:
        code = left.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    if sys.stdout is not None:
        sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException, group: click.Group, arguments: Sequence[str]) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    called = context.command_path if context else _called(group, arguments)
    way = f"(try `{called} --help`)"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # its message would be the whole help
        return f"a command is missing {way}"
    message = error.message if _is_far_off(error) else error.format_message()
    return f"{' '.join(message.split())} {way}"


def _is_far_off(error: click.ClickException) -> bool:
    """Say whether the options that click proposes are no likely slips, such as `--since` for `--json`."""
    if not isinstance(error, click.NoSuchOption):
        return False
    from difflib import get_close_matches  # only when something is wrong

    return not get_close_matches(error.option_name, error.possibilities or (), cutoff=SLIP)


def _called(group: click.Group, arguments: Sequence[str]) -> str:
    """Return the words that call the command that was meant: click forgets it when an option lacks its value."""
    words, context = ["sysmon"], click.Context(group)
    command: click.Command = group
    for word in arguments:
        below = command.get_command(context, word) if isinstance(command, click.Group) else None
        if below is None and not word.startswith("-"):
            break
        if below is not None:
            words, command = [*words, word], below
    return " ".join(words)


def _complain(*lines: str) -> None:
    with suppress(OSError):  # nobody listens on standard error: the exit code still tells
        for line in lines:
            click.echo(f"sysmon: {printable(line)}", err=True)


def _let_go_of_stdout() -> None:
    """Send what is still buffered nowhere, or the interpreter would complain about it on its way out."""
    with suppress(OSError, ValueError, AttributeError):  # there may be no real standard output
        descriptor = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
