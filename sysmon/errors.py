"""Error hierarchy: every error that sysmon raises on purpose. Users see its one line, `--debug` shows the rest."""

INTERRUPTED = 130
"""What the command line ends with after Ctrl-C, as shells have it for SIGINT."""


class SysmonError(Exception):
    """The root of the tree; `exit_code` is what the command line ends with."""

    exit_code = 2


class ConfigError(SysmonError):
    """A configuration or rule file cannot be used; the message holds one line for each thing that is wrong."""


class CollectorError(SysmonError):
    """A collector declares what sysmon cannot use; the message names the collector and what to write instead."""


class UsageError(SysmonError):
    """The command was called with something that makes no sense; the message says what to write instead."""


class StorageError(SysmonError):
    """The data directory cannot be used."""


class LockHeldError(StorageError):
    """Another process writes to this data directory; the message names its process id."""


class BlockedError(StorageError):
    """A program that is no sysmon holds a lock, and nothing was done; `exit_code` is sysexits(3)'s EX_TEMPFAIL."""

    exit_code = 75


class NothingFoundError(SysmonError):
    """The question was fine and there is nothing to answer it with."""

    exit_code = 1


class DamagedError(SysmonError):
    """Stored data is damaged, and an answer without it was not wanted."""

    exit_code = 3


class Unavailable(Exception):  # noqa: N818 - an outcome that a collector reports, not an error
    """This machine has no such source: no rows, no alarm (a battery on a server, load averages on Windows)."""
