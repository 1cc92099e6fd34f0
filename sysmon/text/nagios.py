"""Output line of a monitoring plugin (Nagios, Icinga, Checkmk): state, text and performance data."""

from collections.abc import Sequence
from enum import IntEnum

from sysmon.text.names import printable


class PluginState(IntEnum):
    """The state that a plugin reports; its value is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def plugin_line(state: PluginState, text: str, performance: Sequence[str] = ()) -> str:
    """Return the one line; performance data are `name=value;warning;critical;least`, each as far as there is any."""
    line = f"SYSMON {state.name} - {printable(' '.join(text.split())).replace('|', '/')}"
    return f"{line} | {' '.join(performance)}" if performance else line
