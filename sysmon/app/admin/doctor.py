"""Checks of this machine: is it a good home for sysmon? Looks at everything and changes nothing."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.adapters.installation import programs
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.admin import checks
from sysmon.app.admin.checks import Check, note, ok, problem
from sysmon.app.admin.disk_forecast import DAY
from sysmon.app.admin.status import NOT_RUNNING, assess_health, find_locked
from sysmon.app.catalog import intervals, tables
from sysmon.app.collectors import source_of
from sysmon.collectors import Source, _procfs, discover
from sysmon.collectors._mounts import Mount, find_visible, parse_mountinfo
from sysmon.config import Config, trust
from sysmon.datadir.damage import Damage
from sysmon.errors import NothingFoundError, SysmonError, Unavailable
from sysmon.model import Event, Unit
from sysmon.protocols import Closing
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.sampling.clock import is_synchronised
from sysmon.storage.free_space import free_bytes
from sysmon.storage.lock import is_recording
from sysmon.text.names import printable
from sysmon.text.units import human

WEEK = timedelta(days=7)
_START = "sysmon run, or sysmon service install"


def run_checks(load: Callable[[], Config], host: str | None, *, now: datetime) -> list[Check]:
    """Return all checks, subject by subject; a configuration that cannot be read is all there is."""
    try:
        config = load()
    except SysmonError as error:
        way = "mend it: `sysmon config check` says the same again"
        return [problem("configuration", line, way) for line in str(error).split("\n")]
    return [
        *checks.program(programs(os.environ)),
        *_check_configuration(config),
        *_check_rules(config),
        *_check_data(config),
        *_check_limits(),
        *checks.check_clock(now, _find_clock_steps(config.data_dir, host, now), synchronised=is_synchronised(now)),
        *_check_sources(config),
        *_check_processes(),
        *_check_record(config, host, now),
    ]


def _check_configuration(config: Config) -> Iterator[Check]:
    where = printable(str(config.file)) if config.file else "none, so the defaults hold"
    yield ok("configuration", where)
    for warning in config.warnings:
        yield note("configuration", printable(warning), "change that setting")
    if trust.is_machine_root():
        for exposure in trust.find_exposures(config, os.environ):
            yield problem("configuration", f"{exposure}, and root would run what it says", exposure.advice)
    else:
        for exposure in trust.find_open_to_all(config, os.environ):
            yield note("configuration", f"{exposure}, and you would run what it says", exposure.advice)


def _check_rules(config: Config) -> Iterator[Check]:
    try:
        rules = load_rules(config.rules, tables(), intervals(config))
    except SysmonError as error:
        way = "mend it: `sysmon rules check` says the same again"
        yield from (problem("rules", printable(line), way) for line in str(error).split("\n"))
        return
    yield ok("rules", f"{len(rules.rules)} from {printable(str(config.rules))}")
    for warning in rules.warnings:
        yield note("rules", printable(warning), "change that rule")


def _check_data(config: Config) -> Iterator[Check]:
    path = config.data_dir
    shown = printable(str(path))
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    if there != path:
        if os.access(there, os.W_OK):
            yield note("data", f"{shown} is not there yet", "`sysmon run` makes it")
        else:
            yield problem("data", f"{shown} is not there, and you may not make it", "name another with --data")
    elif not path.is_dir():
        yield problem("data", f"{shown} is no folder", "name another with --data, or set data_dir")
        return
    else:
        about = path.stat()
        yield checks.check_permissions(
            str(path), about.st_mode, _procfs.user_name(about.st_uid), _read_modes_inside(path)
        )
        if not os.access(path, os.W_OK | os.R_OK | os.X_OK):
            yield note("permissions", f"you ({_me()}) may not write there", "look as the user of the run, or as root")
    if (mount := _find_mount(there)) is not None:
        yield checks.check_file_system(str(path), mount.fstype, mount.mountpoint)
    status = os.statvfs(there)
    yield checks.check_space(free_bytes(there), config.storage.min_free, status.f_favail if status.f_files else None)


def _check_limits() -> list[Check]:
    import resource  # not on every system

    def soft(kind: int) -> float:
        value = resource.getrlimit(kind)[0]
        return float("inf") if value == resource.RLIM_INFINITY else value

    return checks.check_limits(soft(resource.RLIMIT_NOFILE), soft(resource.RLIMIT_FSIZE), _read_memory_limit())


def _read_memory_limit() -> int | None:
    """Return what the control group here may use, None without a limit."""
    kind = discover()["cgroup"]
    try:
        limit = kind(Source(), kind.Options()).read().memory_limit
    except (Unavailable, OSError):
        return None
    return limit if isinstance(limit, int) else None


def _find_clock_steps(data: Path, host: str | None, now: datetime) -> list[Event]:
    try:
        archive = Archive.open(data, host, Damage())
    except SysmonError:  # nothing was stored yet, and that is told where it matters
        return []
    events = archive.events(now - WEEK, now + DAY)
    return [event for event in events if event.kind == "clock_step" and event.at >= now - WEEK]


def _check_sources(config: Config) -> list[Check]:
    missing, broken, good = {}, {}, []
    try:
        source = source_of(config)
    except SysmonError as error:
        return [problem("sources", printable(str(error)), "set procfs and rootfs, or mount them")]
    for name, chosen in config.collectors.items():
        if not chosen.enabled:
            continue
        collector = discover()[name](source, chosen.options)
        try:
            collector.read()
            good.append(name)
        except Unavailable as error:
            missing[name] = printable(str(error))
        except Exception as error:  # noqa: BLE001 - a collector may fail in any way, and that is what is looked for
            broken[name] = printable(f"{type(error).__name__}: {error}")
        finally:
            if isinstance(collector, Closing):
                collector.close()
    return [*checks.check_sources(missing, broken, good), *_check_memory(source)]


def _check_memory(source: Source) -> list[Check]:
    try:
        return checks.check_available_memory(source.read_text(source.proc / "meminfo"))
    except OSError:  # told with the sources
        return []


def _check_processes() -> Iterator[Check]:
    """Look whether this user sees what others' processes read and write."""
    proc = Path("/proc")
    me = os.geteuid()
    owners = {int(entry.name): _procfs.owner(proc, int(entry.name)) for entry in proc.glob("[0-9]*")}
    others = [pid for pid, uid in owners.items() if uid not in {None, me}]
    way = "sysmon service install, or run it as root"
    if not others:
        if me != 0:
            yield note("processes", f"you ({_me()}) see no process of others: /proc is mounted with hidepid", way)
    elif all(_procfs.read_io(proc, pid) is None for pid in others):
        yield note("processes", f"you ({_me()}) cannot see how much others' processes read and write", way)
    else:
        yield ok("processes", "what others' processes read and write can be seen")


def _check_record(config: Config, host: str | None, now: datetime) -> Iterator[Check]:
    """Look at the run and at what it stored of late."""
    try:
        health = assess_health(config.data_dir, config.storage, host, now=now)
    except NothingFoundError as error:
        held = is_recording(config.data_dir)
        way = "wait for the first sample" if held else _START
        yield note("samples", printable(str(error)), way)
        yield from (
            problem("locks", printable(fault.text), "end that process") for fault in find_locked(config.data_dir)
        )
        return
    except (SysmonError, OSError) as error:
        yield problem("samples", printable(str(error)), "look as the user of the run, or as root")
        return
    for fault in health.faults:
        way = _START if fault.text == NOT_RUNNING else "sysmon status"
        yield problem("samples", printable(fault.text), way)
    if not health.faults:
        yield ok("samples", f"process {health.running.pid} stores them; {human(health.disk.used, Unit.BYTES)} so far")
    damage = _read_damage(config.data_dir, health.host, now)
    if damage.count:
        text = f"{damage.count} lines or files of the last day cannot be read, the first: {damage.lines[0]}"
        yield problem("damage", text, "sysmon verify")
    else:
        yield ok("damage", "none in the last day")


def _read_damage(data: Path, host: str, now: datetime) -> Damage:
    archive = Archive(data, Host(data / host), Damage(), tables())
    for name in archive.table_names:
        if name in archive.declared:
            for _ in archive.table(name).scan(now - DAY, now + DAY):
                pass
    return archive.damage


def _read_modes_inside(path: Path) -> list[int]:
    """Return the modes of the folders of a folder; its own where it cannot be listed."""
    try:
        with os.scandir(path) as entries:
            return [entry.stat().st_mode for entry in entries if entry.is_dir()]
    except OSError:
        return [path.stat().st_mode]


def _find_mount(path: Path) -> Mount | None:
    """Return the mount that a path is on: the deepest one above it."""
    try:
        mounts = find_visible(parse_mountinfo(Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")))
    except OSError:
        return None
    real = path.resolve()
    above = [mount for mount in mounts if real.is_relative_to(mount.mountpoint)]
    return max(above, key=lambda mount: len(mount.mountpoint), default=None)


def _me() -> str:
    return printable(_procfs.user_name(os.geteuid()))
