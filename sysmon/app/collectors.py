"""Collector set-up: what the configuration enables, ready to be read, and what decides how often each is."""

import socket
from collections.abc import Callable
from pathlib import Path

from sysmon.collectors import Source, discover
from sysmon.collectors._process_probe import ProcessProbe
from sysmon.config import Config
from sysmon.errors import ConfigError
from sysmon.protocols import Governed
from sysmon.sampling.governor import Governor
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.sanitize import LabelSanitizer
from sysmon.text.names import escape, printable


def build_sampler(config: Config, monotonic: Callable[[], float], stored: LabelSanitizer) -> tuple[Sampler, Governor]:
    """Return a sampler of everything that is enabled, and the intervals at which to ask it."""
    enabled = {name: chosen for name, chosen in config.collectors.items() if chosen.enabled}
    source = source_of(config)
    collectors = {name: discover()[name](source, chosen.options) for name, chosen in enabled.items()}
    governor = Governor(
        {name: chosen.interval for name, chosen in enabled.items()},
        {name: collector.cpu_budget for name, collector in collectors.items() if isinstance(collector, Governed)},
    )
    return Sampler(collectors, monotonic, stored=stored), governor


def source_of(config: Config) -> Source:
    """Return the machine to read: this one, or the one whose /proc and / are mounted elsewhere."""
    root, proc = config.rootfs or Path("/"), config.procfs
    if root == Path("/") and proc in {None, Path("/proc")}:
        return Source()
    proc = proc or root / "proc"
    if not (proc / "1/mountinfo").exists():
        named = "procfs" if config.procfs is not None else "rootfs"
        raise ConfigError(
            f"{printable(str(proc))}: {named} leads here, and there is no 1/mountinfo: mount the machine's /proc there"
        )
    system = root / "sys"
    return Source(proc, system if (system / "class").exists() else Path("/sys"), root=root, view="1")


def make_probe(config: Config) -> ProcessProbe | None:
    """Return what asks single processes for what no table holds; None where there is no /proc, or nobody is listed."""
    source = source_of(config)
    process = config.collectors.get("process")
    return ProcessProbe(source.proc) if source.linux and process is not None and process.enabled else None


def hostname() -> str:
    """Return this machine's name, as it is stored."""
    return escape(socket.gethostname() or "localhost")
