"""Search paths of configuration, rules and data: looked up in a fixed order, the first one wins."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from sysmon.errors import ConfigError
from sysmon.text.names import printable

CONFIG_NAME = "sysmon.yaml"
RULES_NAME = "rules.yaml"
FOR_ALL = Path("/etc/sysmon")
"""Where the configuration of the machine's own service is."""

OF_SERVICE = Path("/var/lib/sysmon")
"""Where the machine's own service keeps its samples."""

SYSTEM_ROOT = "SYSMON_SYSTEM_ROOT"
"""The variable that names the folder below which these two are looked for, `/` where it is not set."""

_PACKAGE = Path(__file__).parent.parent


def config_file(flag: Path | None, environ: Mapping[str, str], *, package: Path = _PACKAGE) -> Path | None:
    """Return the configuration file to read; one that is named must exist, None where there is none."""
    if flag is not None:
        return _require_named(flag, "--config")
    if text := environ.get("SYSMON_CONFIG"):
        return _require_named(expand(text, environ), "SYSMON_CONFIG")
    return next((path for path in _usual_config_files(environ, package) if exists(path)), None)


def usual_data_dir(environ: Mapping[str, str]) -> Path:
    """Return where samples go unless a flag, a variable or the configuration file says otherwise.

    Who has no samples of their own looks at those of the machine's service, where there is one.
    """
    if state := _first(environ.get("STATE_DIRECTORY")):
        return state
    if in_checkout():
        return Path("data")
    own, of_service = personal_data_dir(environ), place_of_machine(OF_SERVICE, environ)
    return of_service if exists(of_service) and not _holds_samples(own) else own


def usual_data_variable(environ: Mapping[str, str]) -> str | None:
    """Return the variable that says where samples usually go, None where none does."""
    if environ.get("STATE_DIRECTORY"):
        return "STATE_DIRECTORY"
    named = Path(environ.get("XDG_STATE_HOME", "")).is_absolute()
    return "XDG_STATE_HOME" if named and usual_data_dir(environ) == personal_data_dir(environ) else None


def personal_data_dir(environ: Mapping[str, str]) -> Path:
    """Return where a person's own samples go, outside a checkout."""
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "sysmon"


def personal_config_home(environ: Mapping[str, str]) -> Path:
    """Return the folder below which programs keep a person's configuration."""
    return _xdg(environ, "XDG_CONFIG_HOME", ".config")


def usual_rules(config: Path | None) -> Path:
    """Return the rules beside the configuration file, else those that come with the program."""
    if config is not None and exists(beside := config.parent / RULES_NAME):
        return beside
    return find_shipped(RULES_NAME)


def find_shipped(name: str) -> Path:
    """Return a file of the default configuration, as it came with the program."""
    installed = _PACKAGE / "defaults" / name
    return installed if exists(installed) else _PACKAGE.parent / "config" / name


def expand(text: str, environ: Mapping[str, str]) -> Path:
    """Return a path as typed, with a leading `~` as the home folder."""
    if text == "~" or text.startswith("~/"):
        return _home(environ) / text[2:]
    return Path(text)


def exists(path: Path) -> bool:
    """Say whether something is there; what may not be looked at counts as absent."""
    try:
        path.stat()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False
    return True


def _holds_samples(folder: Path) -> bool:
    """Say whether there is a host's folder in a data directory; one that may not be looked into may hold some."""
    try:
        return any(entry.is_dir() for entry in folder.iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _require_named(path: Path, by: str) -> Path:
    if not exists(path):
        raise ConfigError(f"{printable(str(path))}: named by {by} and not there: name another file or create it")
    return path


def usual_config_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder in which a new configuration is found without being named."""
    if folder := _first(environ.get("CONFIGURATION_DIRECTORY")):
        return folder
    if in_checkout():
        return Path("config")
    if _is_root():
        return place_of_machine(FOR_ALL, environ)
    return personal_config_home(environ) / "sysmon"


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _usual_config_files(environ: Mapping[str, str], package: Path) -> Iterator[Path]:
    if folder := _first(environ.get("CONFIGURATION_DIRECTORY")):
        yield folder / CONFIG_NAME
    if in_checkout(package):
        yield Path("config") / CONFIG_NAME
    yield personal_config_home(environ) / "sysmon" / CONFIG_NAME
    yield place_of_machine(FOR_ALL, environ) / CONFIG_NAME


def in_checkout(package: Path = _PACKAGE) -> bool:
    """Say whether we stand in the checkout that `package` was imported from, or in the one that holds its environment.

    Any other folder may only look like a checkout, and its configuration names programs that would be run. So may a
    sticky folder above the program, such as /tmp: who may write there may not replace what others have put there.
    """
    here = Path()
    try:
        if here.stat().st_mode & stat.S_ISVTX or not any(here.samefile(parent) for parent in package.parents):
            return False
    except OSError:  # the folder was deleted, or may not be looked at
        return False
    return all(exists(here / part) for part in ("setup.py", "sysmon/__init__.py", "config"))


def place_of_machine(folder: Path, environ: Mapping[str, str]) -> Path:
    """Return a folder of the whole machine, below the root that the environment names."""
    return Path(environ.get(SYSTEM_ROOT) or "/").absolute() / folder.relative_to("/")


def _first(folders: str | None) -> Path | None:
    # systemd joins several folders with colons (systemd.exec(5)).
    return Path(folders.split(":")[0]) if folders else None


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    # The XDG base directory specification asks to ignore relative paths.
    given = environ.get(variable, "")
    return Path(given) if Path(given).is_absolute() else _home(environ) / below_home


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.expanduser raises without a home
