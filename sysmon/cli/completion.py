"""`sysmon completion`: let the shell finish commands, options, tables and hosts at a press of Tab."""

import click

from sysmon.cli._options import example

SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="Let the shell finish what is typed.",
    epilog=example(
        "echo 'eval \"$(sysmon completion bash)\"' >> ~/.bashrc",
        "echo 'eval \"$(sysmon completion zsh)\"' >> ~/.zshrc",
        "sysmon completion fish > ~/.config/fish/completions/sysmon.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the lines that teach SHELL to finish commands, options, tables, metrics and hosts of sysmon."""
    from click.shell_completion import get_completion_class

    from sysmon.cli import COMPLETION, cli

    if (kind := get_completion_class(shell)) is not None:
        click.echo(kind(cli, {}, "sysmon", COMPLETION).source())
