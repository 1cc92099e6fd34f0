"""The running installation: where it came from (PEP 610), how to add an extra, what the name `sysmon` starts."""

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from importlib.metadata import Distribution

DISTRIBUTION = "sysmon-recorder"
"""What packaging tools call it. The name is not reserved on any index, so nothing is ever fetched by it."""

PROGRAM = "sysmon"

EXTRAS: Mapping[str, tuple[str, ...]] = {"sql": ("duckdb>=2.0,<3", "pytz>=2024.1")}
"""What each extra for users consists of, for an installation whose source is gone."""

_PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Programs:
    """The script of this installation (None where it has none), and each `sysmon` in the order of the PATH."""

    own: Path | None
    on_path: tuple[Path, ...]


def extra_line(extra: str, *, python: str = sys.executable, package: Path = _PACKAGE) -> str:
    """Return the command that adds an extra, such as `sql`, to the installation that `package` was imported from."""
    return shlex.join([*_installer(python), *_requirements(extra, package)])


def programs(environ: Mapping[str, str], *, python: str = sys.executable) -> Programs:
    """Return what the name `sysmon` may start; several ways to one file count once."""
    script = Path(python).with_name(PROGRAM)
    own = script if script.is_file() else None
    distinct = {} if own is None else {own.resolve(): own}
    on_path = []
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder) / PROGRAM
        if os.access(path, os.X_OK) and path.is_file():  # in this order: is_file fails in a folder closed to this user
            on_path.append(distinct.setdefault(path.resolve(), path))
    return Programs(own, tuple(dict.fromkeys(on_path)))


def _installer(python: str) -> list[str]:
    environment = Path(python).parent.parent
    if (environment / "pipx_metadata.json").is_file():
        return ["pipx", "runpip", environment.name, "install"]
    if find_spec("pip") is None:  # as in the environments that uv makes
        return ["uv", "pip", "install", "--python", python]
    return [python, "-m", "pip", "install"]


def _requirements(extra: str, package: Path) -> Sequence[str]:
    """Return what the installer is given: the source with its extra, or the extra's parts where no source is left."""
    origin = _origin(package)
    url = str(origin.get("url", ""))
    source = _local(url) if "dir_info" in origin else package.parent
    if source is not None and (source / "pyproject.toml").is_file():
        editable = bool(origin.get("dir_info", {}).get("editable"))
        return [*(["-e"] if editable else []), f"{source}[{extra}]"]
    if "vcs_info" in origin:
        version = origin["vcs_info"].get("requested_revision") or origin["vcs_info"]["commit_id"]
        return [f"{DISTRIBUTION}[{extra}] @ {origin['vcs_info']['vcs']}+{url}@{version}"]
    return EXTRAS[extra]


def _origin(package: Path) -> Mapping[str, Any]:
    """Return the record of where the package was installed from; empty where there is none for this very copy of it."""
    from importlib.metadata import distributions  # loads a parser of mail and more: not for each command

    for installed in distributions(name=DISTRIBUTION):
        record = _record(installed)
        editable = record.get("dir_info", {}).get("editable")
        root = _local(str(record["url"])) if editable else Path(str(installed.locate_file("")))
        if root is not None and (root / package.name).resolve() == package.resolve():
            return record
    return {}


def _record(installed: "Distribution") -> Mapping[str, Any]:
    record: Mapping[str, Any] = json.loads(installed.read_text("direct_url.json") or "{}")
    return record


def _local(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
