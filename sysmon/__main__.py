"""Entry point of the command `sysmon`, and of `python -m sysmon`: Ctrl-C is silent from the first moment on."""

import sys
from typing import NoReturn

from sysmon.errors import INTERRUPTED


def main() -> NoReturn:
    """Run the command line; what it needs is loaded here, so that an interrupt meanwhile leaves no traceback."""
    try:
        from sysmon.cli import main as run_command_line

        run_command_line()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
