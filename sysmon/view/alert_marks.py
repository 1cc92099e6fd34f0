"""Alert marks: the level of what fires about a row, which colours it."""

from sysmon.model import AlertEvent, Level, Transition
from sysmon.view.snapshot import NamedRow, Snapshot


def level_of(snapshot: Snapshot, table: str, record: NamedRow, *, about: str = "") -> Level | None:
    """Return the worst level that fires about a row, None where nothing does.

    `about` is what the names of the metrics begin with that are meant.
    """
    if table not in snapshot.tables:
        return None
    definition = snapshot.tables[table].table
    metrics = {metric.name for metric in definition.metrics if metric.name.startswith(about)}
    levels = [
        alert.level
        for alert in snapshot.alerts
        if alert.metric in metrics
        and all(alert.labels.get(label, record.get(label)) == record.get(label) for label in definition.labels)
    ]
    return max(levels, key=lambda level: level.rank, default=None)


def worst_alert_level(snapshot: Snapshot) -> Level | None:
    """Return the worst level that fires, None when all is well."""
    return max((alert.level for alert in snapshot.alerts), key=lambda level: level.rank, default=None)


def describe_instance(snapshot: Snapshot, alert: AlertEvent) -> str:
    """Return which instance an alert is about (`core=all`), by the one label that tells it best."""
    tables = [shown.table for shown in snapshot.tables.values()]
    labels = [table.labels for table in tables if any(metric.name == alert.metric for metric in table.metrics)]
    names = [name for name in (labels[0] if labels else alert.labels) if name in alert.labels and name != "hostname"]
    best = "name" if "name" in names else next(iter(names), "")
    return f"{best}={alert.labels[best]}" if best else ""


def describe_condition(alert: AlertEvent) -> str:
    """Return what is breached."""
    if alert.transition is Transition.NO_DATA:
        return f"{alert.metric} has no data"
    return f"{alert.metric} {alert.condition}"
