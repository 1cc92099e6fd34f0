"""Alert list: which alerts are on, which were, and what have people said about them? For `sysmon alerts`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sysmon.alerts.silences import Silence, SilenceState
from sysmon.app.selection import Selection, open_archive
from sysmon.app.silence_store import read_silences
from sysmon.datadir.damage import Damage
from sysmon.history import AlertState, PastAlert
from sysmon.model import Level
from sysmon.reading.catalog import Host
from sysmon.storage.lock import is_recording
from sysmon.text.conditions import name_extreme
from sysmon.text.culprits import format_culprits
from sysmon.text.instants import format_instant
from sysmon.text.nagios import PluginState, plugin_line
from sysmon.text.names import printable
from sysmon.text.units import format_age, human


@dataclass(frozen=True, slots=True)
class AlertList:
    """The alerts in question, what was said, whether anybody is watching right now, and what could not be read."""

    host: Host
    alerts: tuple[PastAlert, ...]
    silences: SilenceState
    watched: bool
    damage: Damage
    at: datetime


def list_alerts(selection: Selection, *, active: bool, level: Level) -> AlertList:
    """Return the alerts of a range, or those that are on now, from a level up."""
    archive = open_archive(selection, {})
    since = selection.now if active else selection.since
    until = selection.now + timedelta(seconds=1) if active else selection.until
    in_range = archive.alerts(since, until, now=selection.now)
    wanted = [
        alert
        for alert in in_range
        if alert.level.rank >= level.rank and (alert.state is AlertState.FIRING or not active)
    ]
    watched = is_recording(selection.data)
    silences = read_silences(selection.data, archive.damage) or SilenceState()
    return AlertList(archive.host, tuple(wanted), silences, watched, archive.damage, selection.now)


def render_text(alerts: AlertList, zone: tzinfo | None) -> Iterator[str]:
    """Yield a few lines for each alert."""
    for alert in alerts.alerts:
        own = {name: value for name, value in alert.labels.items() if name != "hostname"}
        labels = " ".join(f"{name}={printable(value)}" for name, value in own.items())
        begun = f"{alert.since.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        yield f"{alert.level.value.upper():<8} {printable(alert.rule)}{'  ' + labels if labels else ''}  {alert.id}"
        yield (
            f"         {alert.metric} {alert.condition}, since {begun} for {format_age(alert.duration)},"
            f" {name_extreme(alert.condition)} {human(alert.peak, alert.unit)}, {alert.state.value}"
        )
        if culprits := format_culprits(alert, lambda at: f"{at.astimezone(zone):%H:%M:%S}"):
            yield f"         {culprits}"
        if (ack := alerts.silences.acknowledged.get(alert.id)) is not None:
            yield f"         acknowledged by {_format_author(ack.by, ack.why)}"


def render_json(alerts: AlertList) -> str:
    """Return the alerts as one JSON object."""
    page = {
        "hostname": alerts.host.name,
        "watched": alerts.watched,
        "alerts": [_encode_alert(alert, alerts.silences) for alert in alerts.alerts],
        "silences": [encode_silence(silence) for silence in alerts.silences.active(alerts.at)],
    }
    return json.dumps(page, ensure_ascii=False, allow_nan=False, indent=1)


def render_plugin_line(alert_list: AlertList) -> tuple[str, int]:
    """Return one line and an exit code as monitoring plugins have them: 0 fine, 1 warning, 2 critical, 3 unknown."""
    ranks = [alert.level.rank for alert in alert_list.alerts]
    counts = [f"alerts={len(ranks)}", f"critical={ranks.count(2)}", f"warning={ranks.count(1)}"]
    if not alert_list.watched:
        return plugin_line(PluginState.UNKNOWN, "sysmon is not running", counts), PluginState.UNKNOWN
    state = PluginState(max(ranks, default=0))
    worst = sorted(alert_list.alerts, key=lambda alert: -alert.level.rank)[:5]
    texts = list(map(_summarise, worst)) or ["nothing fires"]
    if alert_list.damage.count:  # what cannot be read may be what fires
        state = max(state, PluginState.WARNING)
        texts.append(f"{alert_list.damage.count} lines or files cannot be read")
    return plugin_line(state, ", ".join(texts), counts), state


def render_silences(silences: Sequence[Silence], at: datetime, zone: tzinfo | None) -> Iterator[str]:
    """Yield a line for each silence."""
    for silence in silences:
        labels = " ".join(f"{name}={printable(glob)}" for name, glob in silence.match.items())
        left = format_age((silence.until - at).total_seconds())
        ends = f"until {silence.until.astimezone(zone):%Y-%m-%d %H:%M:%S} ({left} left)"
        yield "  ".join(
            part
            for part in (silence.id, printable(silence.rule), labels, ends, _format_author(silence.by, silence.why))
            if part
        )


def encode_silence(silence: Silence) -> dict[str, Any]:
    """Return a silence for programs."""
    fields = asdict(silence)
    return fields | {"since": format_instant(silence.since), "until": format_instant(silence.until)}


def _encode_alert(alert: PastAlert, silences: SilenceState) -> dict[str, Any]:
    ack = silences.acknowledged.get(alert.id)
    fields = asdict(alert) | {"level": alert.level.value, "state": alert.state.value}
    return fields | {
        "since": format_instant(alert.since),
        **{name: _encode_instant(fields[name]) for name in ("ended", "top_at", "peak_at", "growth_since")},
        "acknowledged": None if ack is None else {"by": ack.by, "why": ack.why, "at": format_instant(ack.at)},
    }


def _encode_instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _summarise(alert: PastAlert) -> str:
    own = [value for name, value in alert.labels.items() if name not in {"hostname", "core"}]
    where = f" ({printable(' '.join(own))})" if own else ""
    return f"{alert.rule}{where} {alert.level} for {format_age(alert.duration)}"


def _format_author(by: str, why: str) -> str:
    return printable(f"{by}: {why}" if why else by)
