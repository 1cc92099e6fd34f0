"""`sysmon service` as somebody types it, and a run with no more rights than the unit gives it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import sysmon
from sysmon.app.admin.service import closed_to_others
from sysmon.app.admin.unit_files import SERVICE, SYSTEM_UNITS, Setup, unit_files
from tests.integration.processes import answer, environment

NOBODY = 65534
NOT_ROOT = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs")


def as_somebody_else(*more: str) -> tuple[list[str], dict[str, str]]:
    """Return the words that start sysmon as another user than root, and the environment that they need.

    An interpreter in a folder that is closed to others cannot be used for that; the system's own may be the same.
    """
    if shutil.which("setpriv") is None or os.geteuid() != 0:
        pytest.skip("needs root and setpriv")
    version = "{}.{}".format(*sys.version_info)
    for python in (Path(sys.executable), Path(f"/usr/bin/python{version}")):
        needed = [python, python.resolve(), Path(psutil.__file__), Path(sysmon.__file__)]
        if all(path.exists() and closed_to_others(path) is None for path in needed):
            places = {Path(module.__file__ or "").parent.parent for module in (sysmon, psutil)}
            return [*NOT_ROOT, *more, str(python), "-m", "sysmon"], environment(PYTHONPATH=":".join(map(str, places)))
    pytest.skip("no interpreter here is open to others")


def test_printing_shows_every_file_and_writes_none(tmp_path: Path) -> None:
    ended = answer("service", "install", "--print", "--root", str(tmp_path))

    shown = [line.split("/")[-1] for line in ended.stdout.splitlines() if line.startswith("==>")]
    names = ["sysmon.service", "sysmon-maintain.service", "sysmon-maintain.timer"]
    names += ["sysmon-export.service", "sysmon-export.timer", "sysmon.conf"]
    assert (ended.returncode, shown, list(tmp_path.iterdir())) == (0, [f"{name} <==" for name in names], [])


def test_installing_starts_nothing_and_says_what_is_next(tmp_path: Path) -> None:
    ended = answer("service", "install", "--root", str(tmp_path), "--data", "/srv/samples")

    _, _, after = ended.stdout.partition("Next:\n")
    assert (ended.returncode, after.split("\n\n")[0].splitlines()) == (
        0,
        [
            "  systemd-sysusers /etc/sysusers.d/sysmon.conf",
            "  install -d -o sysmon -g sysmon -m 0750 /srv/samples",
            "  systemctl daemon-reload",
            "  systemctl enable --now sysmon.service sysmon-maintain.timer",
            "  systemctl status sysmon.service",
        ],
    )


def test_uninstalling_twice_says_that_nothing_is_left(tmp_path: Path) -> None:
    answer("service", "install", "--root", str(tmp_path))

    first = answer("service", "uninstall", "--root", str(tmp_path))
    second = answer("service", "uninstall", "--root", str(tmp_path))

    assert (first.returncode, first.stdout.count("removed  "), second.returncode, second.stderr) == (
        0,
        6,
        1,
        "sysmon: no service is installed: nothing to remove\n",
    )


@pytest.mark.needs_root
def test_without_root_it_says_what_to_do() -> None:
    command, env = as_somebody_else("--inh-caps=-all", "--bounding-set=-all")

    ended = subprocess.run(
        [*command, "service", "install"], env=env, cwd="/", capture_output=True, text=True, check=False, timeout=300
    )

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n"), "--user" in ended.stderr) == (2, "", 1, True)


@pytest.mark.needs_root
def test_with_the_capabilities_of_the_unit_what_others_read_and_write_is_seen() -> None:
    unit = unit_files(Setup(["sysmon"]))[SYSTEM_UNITS / SERVICE]
    granted = re.findall(r"^AmbientCapabilities=(.*)", unit, re.MULTILINE)[0].lower().split()
    given = ",".join(["-all", *(name.replace("cap_", "+") for name in granted)])
    command, env = as_somebody_else(f"--inh-caps={given}", f"--ambient-caps={given}", f"--bounding-set={given}")
    script = f"import pathlib, sysmon.collectors._procfs as p; print(p.read_io(pathlib.Path('/proc'), {os.getpid()}))"

    done = subprocess.run(
        [*command[:-2], "-c", script], env=env, cwd="/", capture_output=True, text=True, check=False, timeout=300
    )

    assert (done.returncode, re.fullmatch(r"\(\d+, \d+\)\n", done.stdout) is not None, done.stderr) == (0, True, "")
