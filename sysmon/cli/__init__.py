"""The command line: one file a command, imported only when it is called."""


def main() -> None:
    """Run the command that the arguments name."""
