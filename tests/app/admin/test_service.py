"""The files of a service: what is in them, what systemd says of them, and whose changes are never undone."""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path, PurePath

import pytest

from sysmon.app.admin import service
from sysmon.app.admin.service import ServiceOptions
from sysmon.app.admin.unit_files import Setup, unit_files
from sysmon.errors import UsageError

ANALYZE = shutil.which("systemd-analyze")
UNITS = "etc/systemd/system"
RUN = f"{UNITS}/sysmon.service"
MOST_EXPOSED = "20"
"""The worst mark that `systemd-analyze security` may give, in tenths."""

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here")


def systemd_analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Ask systemd what it thinks of unit files."""
    return subprocess.run(
        [ANALYZE or "", *arguments],
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": tempfile.gettempdir()},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def contents(root: Path) -> dict[str, str]:
    """Return every file below a folder."""
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def lines_of(text: str, *names: str) -> list[str]:
    """Return the settings of some names, in order."""
    return [line for line in text.splitlines() if line.partition("=")[0] in names]


@needs_systemd
@pytest.mark.parametrize("unit", ["sysmon.service", "sysmon-maintain.service", "sysmon-export.service"])
def test_systemd_finds_little_to_attack(tmp_path: Path, unit: str) -> None:
    service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)

    result = systemd_analyze(
        "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(tmp_path / UNITS / unit)
    )

    assert (result.returncode, result.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("user", [pytest.param(False, id="the machine's"), pytest.param(True, id="a person's")])
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path, user: bool) -> None:
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "a folder, 100%")}
    data = tmp_path / 'with "quotes" and $DOLLARS'
    service.install(
        ServiceOptions(user=user, root=Path("/") if user else tmp_path, data=data), environ, overwrite=False
    )
    units = sorted(str(path) for path in tmp_path.rglob("sysmon*.*") if path.suffix in {".service", ".timer"})

    result = systemd_analyze(*(["--user"] if user else []), "verify", *units)

    assert (len(units), result.returncode, result.stderr) == (5, 0, "")


def test_the_run_has_the_privilege_that_it_needs_and_hides_nothing_that_is_measured() -> None:
    text = unit_files(Setup(["/opt/sysmon/bin/sysmon"]))[PurePath("/", RUN)]

    names = ("CapabilityBoundingSet", "AmbientCapabilities", "ProtectProc", "ProcSubset", "ProtectHome", "Type", "User")
    assert lines_of(text, *names, "ExecStart", "OOMScoreAdjust", "StateDirectory", "StateDirectoryMode") == [
        "Type=notify",
        "ExecStart=/opt/sysmon/bin/sysmon run",
        "User=sysmon",
        "StateDirectory=sysmon",
        "StateDirectoryMode=0750",
        "OOMScoreAdjust=-500",
        "AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH",
        "CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH",
        "ProtectHome=read-only",
        "ProtectProc=default",
        "ProcSubset=all",
    ]


def test_paths_are_quoted_as_systemd_reads_them() -> None:
    setup = Setup(["/opt/100% sure/sysmon"], data=PurePath("/srv/$a b"), kept=PurePath("/srv/$a b"))

    text = unit_files(setup)[PurePath("/", RUN)]

    assert lines_of(text, "ExecStart", "ReadWritePaths", "RequiresMountsFor", "StateDirectory") == [
        'RequiresMountsFor="/srv/$a b"',
        'ExecStart="/opt/100%% sure/sysmon" run --data "/srv/$$a b"',
        'ReadWritePaths="/srv/$a b"',
    ]


def test_a_configuration_that_writes_elsewhere_may_do_so(tmp_path: Path) -> None:
    (tmp_path / "etc/sysmon").mkdir(parents=True)
    (tmp_path / "etc/sysmon/sysmon.yaml").write_text("data_dir: /srv/samples\nlogging:\n  file: /var/log/sysmon/log\n")

    service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)

    text = (tmp_path / RUN).read_text()
    assert lines_of(text, "ReadWritePaths", "RequiresMountsFor", "StateDirectory") == [
        "RequiresMountsFor=/srv/samples",
        "ReadWritePaths=/srv/samples /var/log/sysmon",
    ]


@pytest.mark.parametrize(
    ("settings", "families"),
    [
        pytest.param("notify:\n  command: [page, me]\n", "AF_UNIX AF_NETLINK AF_INET AF_INET6", id="to be told"),
        pytest.param("interval: 10s\n", "AF_UNIX AF_NETLINK", id="nobody"),
    ],
)
def test_the_network_is_open_only_where_alerts_are_handed_to_a_program(
    tmp_path: Path, settings: str, families: str
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text(settings)

    service.install(ServiceOptions(root=tmp_path, config=config), {}, overwrite=False)

    assert lines_of((tmp_path / RUN).read_text(), "RestrictAddressFamilies") == [f"RestrictAddressFamilies={families}"]


def test_a_persons_service_needs_no_root_and_finds_what_the_person_finds(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}

    service.install(ServiceOptions(user=True), environ, overwrite=False)

    text = (tmp_path / ".config/systemd/user/sysmon.service").read_text()
    assert lines_of(text, "Environment", "User", "AmbientCapabilities", "StateDirectory", "WantedBy") == [
        f"Environment=XDG_STATE_HOME={tmp_path / 'state'}",
        "WantedBy=default.target",
    ]


def test_the_same_call_gives_the_same_files_and_says_so(tmp_path: Path) -> None:
    first = service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)
    before = contents(tmp_path)

    again = service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)

    assert (again.written, set(again.same), contents(tmp_path)) == ((), set(first.written), before)


def test_files_of_another_version_or_place_are_replaced(tmp_path: Path) -> None:
    service.install(ServiceOptions(root=tmp_path, data=Path("/srv/old")), {}, overwrite=False)

    service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)

    assert "/srv/old" not in "".join(contents(tmp_path).values())


def test_what_somebody_edited_is_replaced_only_when_that_was_asked_for(tmp_path: Path) -> None:
    service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)
    own = contents(tmp_path)
    unit = tmp_path / RUN
    unit.write_text(unit.read_text().replace("WatchdogSec=60s", "WatchdogSec=5min"))
    edited = contents(tmp_path)

    with pytest.raises(UsageError) as refused:
        service.install(ServiceOptions(root=tmp_path, data=Path("/srv/other")), {}, overwrite=False)
    untouched = contents(tmp_path)
    service.install(ServiceOptions(root=tmp_path), {}, overwrite=True)

    assert (untouched, contents(tmp_path), str(refused.value).count("\n")) == (edited, own, 0)
    assert str(refused.value).startswith(f"{unit}: was edited, or is not of sysmon: put changes into a drop-in (")


def test_uninstalling_takes_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)
    timer = tmp_path / UNITS / "sysmon-export.timer"
    timer.write_text(timer.read_text() + "# mine\n")
    (tmp_path / UNITS / "sysmon.service.d").mkdir()
    (tmp_path / UNITS / "sysmon.service.d/mine.conf").write_text("[Service]\n")

    done = service.uninstall(ServiceOptions(root=tmp_path), {})

    assert (len(done.gone), done.edited, sorted(contents(tmp_path))) == (
        5,
        (timer,),
        [f"{UNITS}/sysmon-export.timer", f"{UNITS}/sysmon.service.d/mine.conf"],
    )


def test_what_starts_with_the_machine_is_not_pulled_from_under_it(tmp_path: Path) -> None:
    service.install(ServiceOptions(root=tmp_path), {}, overwrite=False)
    wants = tmp_path / UNITS / "multi-user.target.wants"
    wants.mkdir()
    (wants / "sysmon.service").symlink_to("/etc/systemd/system/sysmon.service")
    before = contents(tmp_path)

    with pytest.raises(UsageError) as refused:
        service.uninstall(ServiceOptions(root=tmp_path), {})

    refusal = "sysmon.service: started with the machine: first `systemctl disable --now sysmon.service`"
    assert (str(refused.value), contents(tmp_path)) == (refusal, before)


@pytest.mark.parametrize(
    ("path", "own"),
    [
        pytest.param("/tmp/venv/bin/sysmon", "/tmp", id="below it"),
        pytest.param("/var/tmp/x", "/var/tmp", id="below the other"),
        pytest.param("/opt/tmp/bin/sysmon", None, id="elsewhere"),
    ],
)
def test_what_lies_in_a_folder_that_a_service_has_its_own_of_is_found(path: str, own: str | None) -> None:
    assert service.own_folder_above(Path(path)) == own


def test_a_program_that_the_services_user_could_not_read_is_found() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        closed = folder / "closed"
        closed.mkdir(0o755)
        program = closed / "sysmon"
        program.touch(0o755)

        before = service.closed_to_others(program)
        closed.chmod(0o750)
        after = service.closed_to_others(program)

    assert (before, after == closed) == (None, True)


@pytest.mark.parametrize("mask", [pytest.param(0o000, id="open mask"), pytest.param(0o077, id="strict mask")])
def test_units_have_their_modes_whatever_the_mask_says(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        written = service.install(ServiceOptions(root=tmp_path), {}, overwrite=False).written
    finally:
        os.umask(before)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in written}
    folders = {stat.S_IMODE(folder.stat().st_mode) for folder in tmp_path.rglob("*") if folder.is_dir()}
    assert (modes, folders) == ({0o644}, {0o755})


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        pytest.param(ServiceOptions(data=Path("/a\nExecStartPre=/x")), {}, id="the data"),
        pytest.param(ServiceOptions(user=True, data=Path("/a\nExecStartPre=/x")), {}, id="a person's data"),
        pytest.param(ServiceOptions(user=True), {"XDG_STATE_HOME": "/a\nExecStartPre=/x"}, id="a variable"),
    ],
)
def test_a_line_break_never_becomes_a_line_of_a_unit(options: ServiceOptions, environ: dict[str, str]) -> None:
    with pytest.raises(UsageError) as refused:
        service.files_of(options, {"HOME": "/home/me", **environ})

    line = str(refused.value)
    assert ("\n" not in line, "control characters" in line) == (True, True)
