"""The collectors that the configuration wants, ready to be read, and what decides how often each is."""

import socket
from collections.abc import Callable

from sysmon.collectors import Source, discover
from sysmon.config import Config
from sysmon.names import escape
from sysmon.protocols import Governed
from sysmon.sampling.governor import Governor
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.stored import Stored


def collecting(config: Config, monotonic: Callable[[], float], stored: Stored) -> tuple[Sampler, Governor]:
    """Return a sampler of everything that is enabled, and the intervals at which to ask it."""
    enabled = {name: chosen for name, chosen in config.collectors.items() if chosen.enabled}
    source = Source()
    collectors = {name: discover()[name](source, chosen.options) for name, chosen in enabled.items()}
    governor = Governor(
        {name: chosen.interval for name, chosen in enabled.items()},
        {name: one.cpu_budget for name, one in collectors.items() if isinstance(one, Governed)},
    )
    return Sampler(collectors, monotonic, stored=stored), governor


def hostname() -> str:
    """Return this machine's name, as it is stored."""
    return escape(socket.gethostname() or "localhost")
