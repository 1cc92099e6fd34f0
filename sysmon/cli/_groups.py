"""Command groups that suggest the command that was misspelt."""

import click

from sysmon.text.spelling import closest


class Group(click.Group):
    """A group that refuses an unknown command with the one that was meant, or with all there are."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; for an unknown one say which is close."""
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-"):
            close = closest(args[0], names)
            way = f"did you mean {close!r}?" if close else f"known are {', '.join(names)}"
            ctx.fail(f"no command {args[0]!r}: {way}")
        return super().resolve_command(ctx, args)
