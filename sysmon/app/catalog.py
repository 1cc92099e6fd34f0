"""Table catalogue: what the collectors declare, and what the loop measures about itself, by name."""

from collections.abc import Mapping
from functools import cache

from sysmon.collectors import discover
from sysmon.config import Config
from sysmon.model import Table
from sysmon.sampling.self_tables import AGENT, COLLECTOR


@cache
def tables() -> Mapping[str, Table]:
    """Return all tables in the order in which people read them: the machine's, then sysmon's own."""
    machine: dict[str, Table] = {name: collector.table for name, collector in discover().items()}
    return machine | {COLLECTOR.name: COLLECTOR, AGENT.name: AGENT}


def intervals(config: Config) -> dict[str, float]:
    """Return the seconds between two ticks of each table, of those that are switched off too."""
    base = config.interval.total_seconds()
    machine = {name: collector.interval for name, collector in config.collectors.items()}
    return machine | {COLLECTOR.name: base, AGENT.name: base}
