"""`sysmon completion`: shell completion of commands, options, tables and hosts."""

import click

from sysmon.cli._options import example

SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="Print shell completion code.",
    epilog=example(
        "echo 'eval \"$(sysmon completion bash)\"' >> ~/.bashrc",
        "echo 'eval \"$(sysmon completion zsh)\"' >> ~/.zshrc",
        "sysmon completion fish > ~/.config/fish/completions/sysmon.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print code that lets SHELL complete commands, options, tables, metrics and hosts of sysmon."""
    from click.shell_completion import get_completion_class

    from sysmon.cli import COMPLETION, cli

    if (kind := get_completion_class(shell)) is not None:
        click.echo(kind(cli, {}, "sysmon", COMPLETION).source())
