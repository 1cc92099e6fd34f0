"""Renderers of the recorder's health: a page for people, JSON for programs, a line for monitoring plugins."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sysmon.app.admin import disk_forecast
from sysmon.app.admin.status import COMPLETE, LATE, Cost, Fault, Health, RunState, Severity, describe, share
from sysmon.history import PastAlert
from sysmon.model import Level, Unit
from sysmon.text import units
from sysmon.text.instants import format_instant
from sysmon.text.nagios import PluginState, plugin_line
from sysmon.text.names import printable

SCHEMA = 1
"""Grows when a key changes its meaning or goes; new keys may come without."""

_PLUGIN_STATES = {Severity.WARNING: PluginState.WARNING, Severity.CRITICAL: PluginState.CRITICAL}
_NAMED = 3
"""Faults that the line of a plugin names."""

_WIDTH = 79


def as_text(health: Health) -> str:
    """Return a page for people: the verdict, what is wrong, then part by part what there is to know."""
    verdict = ", ".join([f"sysmon {_state(health).name}", *_active_alerts(health)])
    head = [verdict, *(_filled(f"{fault.weight.upper():<8} {printable(fault.text)}", 9) for fault in health.faults)]
    parts = [
        ("run", _run(health)),
        ("last 24 hours", _day(health)),
        ("last hour", _hour(health)),
        ("alerts", [_alert(alert, health.at) for alert in health.alerts] or ["none is firing"]),
        ("disk", [f"{_bytes(health.disk.used)} used, {_bytes(health.disk.free)} free"]),
        ("bytes a day", _growth(health.disk.growth)),
        ("limits", [_limit(limit) for limit in health.disk.limits]),
        ("versions", [", ".join(f"{name.replace('_', ' ')} {version}" for name, version in health.versions.items())]),
    ]
    blocks = ["\n".join([title, *(_filled(f"  {line}", 4) for line in lines)]) for title, lines in parts]
    return "\n\n".join(["\n".join(head), *blocks])


def as_json(health: Health) -> str:
    """Return one JSON object; seconds, bytes and percent are plain numbers, instants are UTC."""
    page = {
        "schema": SCHEMA,
        "healthy": not health.faults,
        "faults": [{"weight": fault.weight.value, "text": fault.text} for fault in health.faults],
        "at": format_instant(health.at),
        "hostname": health.host,
        "data_dir": str(health.data),
        "run": _running(health.running),
        "last_24_hours": _complete(health),
        "last_hour": _hourly(health.cost),
        "disk": {
            "used_bytes": health.disk.used,
            "free_bytes": health.disk.free,
            "bytes_a_day": [asdict(rate) for rate in health.disk.growth],
            "limits": [_plain_limit(limit) for limit in health.disk.limits],
            "retention_held_since": next(
                (format_instant(hold.since) for hold in health.disk.holds if hold.host == health.host), None
            ),
        },
        "alerts": [_plain_alert(alert, health.at) for alert in health.alerts],
        "last_error": None
        if health.error is None
        else {"at": format_instant(health.error.at), "text": describe(health.error)},
        "versions": dict(health.versions),
    }
    return json.dumps(page, ensure_ascii=False, allow_nan=False, indent=1)


def as_nagios(health: Health) -> tuple[str, int]:
    """Return a line and an exit code as monitoring plugins have them: 0 fine, 1 warning, 2 critical.

    Alerts of the machine are told and do not change the state, which is that of the recorder.
    """
    state = _state(health)
    faults = _worst_first(health.faults)[:_NAMED]
    alerts = ", ".join(_active_alerts(health))
    texts = [
        *faults,
        *([alerts] if alerts else []),
        *([] if faults else [f"last sample {_age(health.running.age)} ago"]),
    ]
    return plugin_line(state, "; ".join(texts), list(_performance(health))), state


def _state(health: Health) -> PluginState:
    return max((_PLUGIN_STATES[fault.weight] for fault in health.faults), default=PluginState.OK)


def _active_alerts(health: Health) -> list[str]:
    """Return how many alerts fire at each level, the worst first, as in `1 alert CRITICAL`, `2 WARNING`."""
    levels = [alert.level for alert in health.alerts]
    counts = [(levels.count(level), level.upper()) for level in reversed(Level) if level in levels]
    return [
        f"{count} {'alert ' if count == 1 else 'alerts '}{level}" if not place else f"{count} {level}"
        for place, (count, level) in enumerate(counts)
    ]


def _worst_first(faults: Sequence[Fault]) -> list[str]:
    return [fault.text for fault in sorted(faults, key=lambda fault: fault.weight is not Severity.CRITICAL)]


def _performance(health: Health) -> Iterator[str]:
    """Yield each number as `name=value;warning;critical;least`, the way plugins tell them."""
    running, cost = health.running, health.cost
    if running.age is not None:
        yield f"age={running.age:.1f}s;;{LATE * running.interval + 1:g};0"
    if health.coverage is not None:
        yield f"coverage={share(health.coverage):.2f}%;{COMPLETE:g}:;;0;100"
    yield f"samples={cost.samples};;;0"
    yield f"missed={cost.missed};;;0"
    yield f"dropped={cost.dropped};0;;0"
    if cost.cpu is not None:
        yield f"cpu={cost.cpu:.2f}%;;;0"
    if cost.memory is not None:
        yield f"memory={cost.memory:.0f}B;;;0"
    yield f"used={health.disk.used}B;;;0"
    yield f"free={health.disk.free}B;;;0"
    yield f"alerts={len(health.alerts)};;;0"


def _run(health: Health) -> list[str]:
    running = health.running
    lines = [f"host {printable(health.host)}, data in {printable(str(health.data))}"]
    if running.pid is None or running.since is None:
        lines.append("not running")
    else:
        lasting = units.format_age(max(0.0, (health.at - running.since).total_seconds()))
        begun = f"since {_instant(running.since)} ({lasting})"
        lines.append(f"running, process {running.pid or 'unknown'}, every {running.interval:g} s, {begun}")
    lines.append("no sample yet" if running.age is None else f"last sample {_age(running.age)} ago")
    return lines


def _day(health: Health) -> list[str]:
    lines = []
    if health.coverage is None:
        lines.append("no samples")
    else:
        full = health.coverage
        gap = f", the longest gap {units.format_age(full.gap)} from {_instant(full.gap_at)}" if full.gap_at else ""
        lines.append(f"{full.found} of {full.expected} samples ({share(full):.4g} %){gap}")
    if health.idle >= 1:
        lines.append(f"not running for {units.format_age(health.idle)}")
    if health.error is None:
        lines.append("no trouble")
    else:
        lines.append(f"last trouble {_instant(health.error.at)}, {printable(describe(health.error))}")
    return lines


def _hour(health: Health) -> list[str]:
    cost = health.cost
    lines = (
        [f"{cost.samples} samples, {cost.missed} missed, {cost.dropped} dropped"] if cost.samples else ["no samples"]
    )
    if cost.cpu is not None and cost.memory is not None:
        lines.append(f"{units.human(cost.cpu, Unit.PERCENT)} of one core, at most {_bytes(cost.memory)} of memory")
    return lines


def _alert(alert: PastAlert, at: datetime) -> str:
    own = " ".join(f"{name}={value}" for name, value in alert.labels.items() if name != "hostname")
    lasting = units.format_age((at - alert.since).total_seconds())
    return printable(f"{alert.level.upper():<8} {alert.rule}{'  ' + own if own else ''} for {lasting}")


def _growth(rates: Sequence[disk_forecast.GrowthRate]) -> list[str]:
    if not rates:
        return [
            f"too early to tell: less than {units.format_duration(disk_forecast.EARLY)} of the last days are stored"
        ]
    total = disk_forecast.GrowthRate("all", sum(rate.fresh for rate in rates), sum(rate.packed for rate in rates))
    width = max(len(rate.table) for rate in (*rates, total))
    numbers = [(rate.table, _bytes(rate.fresh), _bytes(rate.packed)) for rate in (*rates, total)]
    return [f"{table:<{width}} {fresh:>9} as text, {packed:>9} compressed" for table, fresh, packed in numbers]


def _limit(limit: disk_forecast.CapacityLimit) -> str:
    if limit.reached_in is None:
        when = "not in sight" if limit.known else "too early to tell"
    elif not limit.reached_in:
        when = "reached"
    else:
        when = f"reached in {units.format_age(limit.reached_in.total_seconds())}"
    return f"{limit.name:<17}  {limit.used}: {when}"


def _filled(line: str, indent: int) -> str:
    """Return a line as it is where it fits, else on several ones; paths stay whole."""
    if len(line) <= _WIDTH:
        return line
    margin = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.strip(),
        _WIDTH,
        initial_indent=margin,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _running(running: RunState) -> dict[str, Any]:
    return {
        "running": running.pid is not None,
        "pid": running.pid or None,
        "since": None if running.since is None else format_instant(running.since),
        "version": running.version,
        "interval_seconds": running.interval,
        "last_sample": None if running.last is None else format_instant(running.last),
        "last_sample_age_seconds": running.age,
    }


def _hourly(cost: Cost) -> dict[str, Any]:
    return {
        "samples": cost.samples,
        "missed": cost.missed,
        "dropped": cost.dropped,
        "cpu_percent_mean": cost.cpu,
        "memory_bytes_max": cost.memory,
    }


def _complete(health: Health) -> dict[str, Any]:
    full = health.coverage
    return {
        "found": full.found if full else 0,
        "expected": full.expected if full else 0,
        "coverage_percent": round(share(full), 4) if full else None,
        "longest_gap_seconds": full.gap if full else 0,
        "longest_gap_at": format_instant(full.gap_at) if full and full.gap_at else None,
        "not_running_seconds": health.idle,
    }


def _plain_limit(limit: disk_forecast.CapacityLimit) -> dict[str, Any]:
    reached = None if limit.reached_in is None else limit.reached_in.total_seconds()
    return {"name": limit.name, "used": limit.used, "reached_in_seconds": reached, "known": limit.known}


def _plain_alert(alert: PastAlert, at: datetime) -> dict[str, Any]:
    return {
        "id": alert.id,
        "rule": alert.rule,
        "level": alert.level.value,
        "labels": dict(alert.labels),
        "since": format_instant(alert.since),
        "seconds": (at - alert.since).total_seconds(),
    }


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _age(seconds: float | None) -> str:
    return "-" if seconds is None else units.format_age(seconds)


def _bytes(value: float) -> str:
    return units.human(value, Unit.BYTES)
