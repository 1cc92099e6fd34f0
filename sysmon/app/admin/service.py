"""Installation of the systemd service: writes the unit files, and removes only what it wrote."""

import hashlib
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

import sysmon
from sysmon import config as configuration
from sysmon.app.admin.unit_files import (
    EXPORT,
    MAINTAIN,
    SERVICE,
    STATE,
    SYSTEM_UNITS,
    SYSUSERS,
    USER,
    Setup,
    unit_files,
)
from sysmon.config import locations
from sysmon.datadir.files import PASSABLE_MODE, READABLE_MODE, Owner
from sysmon.errors import StorageError, UsageError
from sysmon.storage.files import make_directory, write_atomic
from sysmon.text.names import printable

_HEAD = "# Written by `sysmon service install`{way}\n# sha256 {digest}\n"
_WAY = ". Changes belong into a drop-in: systemctl edit {name}"
_ENABLED = (SERVICE, f"{MAINTAIN}.timer", f"{EXPORT}.timer")
_OWN_FOLDERS = ("/tmp", "/var/tmp")  # noqa: S108 - nothing is put there
_PASSED_ON = ("XDG_CONFIG_HOME", "XDG_STATE_HOME")


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What was asked for: `root` is the folder of another system's files, `/` for this one's."""

    user: bool = False
    config: Path | None = None
    data: Path | None = None
    root: Path = Path("/")


@dataclass(frozen=True, slots=True)
class InstallResult:
    """What was done: the files that were written, and those that were there in just this form."""

    setup: Setup
    written: tuple[Path, ...]
    same: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class UninstallResult:
    """What is gone, and which files were left because somebody has edited them."""

    gone: tuple[Path, ...]
    edited: tuple[Path, ...]


def files_of(options: ServiceOptions, environ: Mapping[str, str]) -> tuple[Setup, dict[Path, str]]:
    """Return what the units are made from, and the whole text of each file by its place; write nothing."""
    setup = _user_setup(options, environ) if options.user else _system_setup(options, environ)
    return setup, {_below(options.root, path): _signed(path.name, text) for path, text in unit_files(setup).items()}


def install(options: ServiceOptions, environ: Mapping[str, str], *, overwrite: bool) -> InstallResult:
    """Write the files; raise UsageError, with nothing written, where that would undo somebody's changes."""
    setup, files = files_of(options, environ)
    if not options.user and options.root == Path("/"):
        _check_reachable(setup)
    current = {path: _text(path) for path in files}
    edited = [path for path, text in current.items() if text is not None and not _is_ours(text)]
    if edited and not overwrite:
        raise UsageError(
            "\n".join(
                f"{printable(str(path))}: was edited, or is not of sysmon: put changes into a drop-in "
                f"(systemctl edit {path.name}), or replace it with --overwrite"
                for path in edited
            )
        )
    fresh = [path for path, text in files.items() if current[path] != text]
    for path in fresh:
        _write(path, files[path], options)
    return InstallResult(setup, tuple(fresh), tuple(path for path in files if path not in fresh))


def uninstall(options: ServiceOptions, environ: Mapping[str, str]) -> UninstallResult:
    """Remove the files that are as they were written; raise UsageError while the service manager still wants them."""
    units = _below(options.root, _user_units(environ) if options.user else SYSTEM_UNITS)
    wants = list(units.glob("*.wants"))
    enabled = [name for name in _ENABLED if any((folder / name).is_symlink() for folder in wants)]
    if enabled:
        manager = _manager(user=options.user)
        raise UsageError(
            f"{' and '.join(enabled)}: started with the machine: first `{manager} disable --now {' '.join(enabled)}`"
        )
    names = [SERVICE, *(f"{job}.{kind}" for job in (MAINTAIN, EXPORT) for kind in ("service", "timer"))]
    paths = [units / name for name in names] + ([] if options.user else [_below(options.root, SYSUSERS)])
    current = {path: text for path in paths if (text := _text(path)) is not None}
    ours = [path for path, text in current.items() if _is_ours(text)]
    for path in ours:
        try:
            path.unlink()
        except PermissionError as error:
            raise _without_rights(path, options, "uninstall") from error
    return UninstallResult(tuple(ours), tuple(path for path in current if path not in ours))


def next_steps(options: ServiceOptions, setup: Setup) -> list[str]:
    """Return the commands that begin the service once its files are there."""
    manager = _manager(user=options.user)
    steps = [] if options.user else [f"systemd-sysusers {SYSUSERS}"]
    if not options.user and setup.kept != STATE:
        steps.append(f"install -d -o {USER} -g {USER} -m 0750 {setup.kept}")
    steps += [f"{manager} daemon-reload", f"{manager} enable --now {SERVICE} {MAINTAIN}.timer"]
    if options.user:
        steps.append("loginctl enable-linger    # so that it runs while you are not logged in")
    return [*steps, f"{manager} status {SERVICE}"]


def _manager(*, user: bool) -> str:
    return "systemctl --user" if user else "systemctl"


def _system_setup(options: ServiceOptions, environ: Mapping[str, str]) -> Setup:
    """Return how the machine's own service is set up; its configuration is the named one or that of /etc/sysmon."""
    machine = locations.place_of_machine(locations.FOR_ALL, environ) if options.root == Path("/") else locations.FOR_ALL
    file = options.config or next(iter(_existing(_below(options.root, machine) / locations.CONFIG_NAME)), None)
    kept, written, network = PurePath(options.data.absolute()) if options.data else STATE, [], False
    if file is not None:
        loaded = configuration.load(config=file, data=options.data, environ={"STATE_DIRECTORY": str(STATE)})
        kept, network = loaded.data_dir, bool(loaded.notify.command)
        written = [] if loaded.logging.file is None else [loaded.logging.file.parent]
    words, environment = _program()
    return Setup(
        program=words,
        config=options.config.absolute() if options.config else None,
        data=options.data.absolute() if options.data else None,
        kept=kept,
        written=written,
        network=network,
        environment=environment,
    )


def _user_setup(options: ServiceOptions, environ: Mapping[str, str]) -> Setup:
    """Return how a person's own service is set up: it finds the configuration and the data where the person does."""
    words, environment = _program()
    passed = {name: environ[name] for name in _PASSED_ON if Path(environ.get(name, "")).is_absolute()}
    data = options.data.absolute() if options.data else locations.personal_data_dir(environ)
    return Setup(
        program=words,
        units=_user_units(environ),
        config=options.config.absolute() if options.config else None,
        data=options.data.absolute() if options.data else None,
        kept=data,
        exports=data.with_name("sysmon-export"),
        environment=environment | passed,
        user=True,
    )


def _user_units(environ: Mapping[str, str]) -> PurePath:
    return locations.personal_config_home(environ) / "systemd" / "user"


def _program() -> tuple[list[str], dict[str, str]]:
    """Return the words that start this very sysmon, and the variables that they need."""
    script = Path(sys.executable).with_name("sysmon")
    if locations.exists(script):
        return [str(script)], {}
    # -P: the folder that a service is started in is no place to take a program from.
    return [sys.executable, "-P", "-m", "sysmon"], {"PYTHONPATH": str(Path(sysmon.__file__).parent.parent)}


def _check_reachable(setup: Setup) -> None:
    """Raise UsageError where the user of the service could not read the program or its configuration."""
    program, interpreter = Path(setup.program[0]), Path(sys.executable)
    for path in [program, *([Path(setup.config)] if setup.config else [])]:
        if (own := own_folder_above(path)) is not None:
            raise UsageError(f"{printable(str(path))}: the service has a {own} of its own: put it elsewhere")
    for path in (program, program.resolve(), interpreter, interpreter.resolve(), Path(sysmon.__file__)):
        if (closed := closed_to_others(path)) is not None:
            raise UsageError(
                f"{printable(str(closed))}: others may not look into it, and the service runs as the user {USER}: "
                "install sysmon for all, with a Python for all: "
                "`/usr/bin/python3 -m venv /opt/sysmon && /opt/sysmon/bin/pip install .`"
            )
    if setup.config is not None and (closed := closed_to_others(Path(setup.config))) is not None:
        raise UsageError(
            f"{printable(str(closed))}: the user {USER}, as whom the service runs, may not read it: "
            "move the configuration to /etc/sysmon, or `chmod o+rX` it"
        )


def closed_to_others(path: Path) -> Path | None:
    """Return the first part of a path that neither its owner's group nor others may pass; None where all is open."""
    for part in [*reversed(path.parents), path]:
        mode = part.stat().st_mode
        needed = stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
        if not mode & needed:
            return part
    return None


def own_folder_above(path: Path) -> str | None:
    """Return the folder that a service has an own one of (PrivateTmp) and a path leads through."""
    return next((folder for folder in _OWN_FOLDERS if path.is_relative_to(folder)), None)


def _below(root: Path, path: PurePath) -> Path:
    return root / path.relative_to("/")


def _existing(path: Path) -> list[Path]:
    return [path] if locations.exists(path) else []


def _signed(name: str, text: str) -> str:
    way = "" if name == SYSUSERS.name else _WAY.format(name=name)
    return _HEAD.format(way=way, digest=_digest(text)) + text


def _is_ours(text: str) -> bool:
    """Say whether a file is as it was written, by this or another version."""
    first, _, rest = text.partition("\n")
    second, _, body = rest.partition("\n")
    return first.startswith("# Written by `sysmon service install`") and second == f"# sha256 {_digest(body)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str, options: ServiceOptions) -> None:
    try:
        make_directory(path.parent, mode=PASSABLE_MODE)
        write_atomic(path, text.encode("utf-8", "surrogateescape"), mode=READABLE_MODE, owner=Owner.CALLER)
    except PermissionError as error:
        raise _without_rights(path, options, "install") from error


def _without_rights(path: Path, options: ServiceOptions, verb: str) -> StorageError:
    shown = printable(str(path))
    if options.user or os.geteuid() == 0:
        return StorageError(f"{shown}: cannot be written (Permission denied): check who may write there")
    program = " ".join(_program()[0])
    return StorageError(
        f"{shown}: only root may write there: `sudo {program} service {verb}`, or with --user for a service of your own"
    )
