"""Self-monitoring tables: what sysmon measures of its own sampling (`collector`, `agent`)."""

from sysmon.model import Kind, Metric, Table, Unit

COLLECTOR = Table(
    name="collector",
    help="Each collector's work at one tick: how long it took and whether it answered.",
    labels=("collector",),
    paced_by="collector",
    compact=True,
    metrics=(
        Metric("collector_duration_seconds", Kind.GAUGE, Unit.SECONDS, "Time from asking to having the rows."),
        Metric(
            "collector_up",
            Kind.GAUGE,
            Unit.YES_OR_NO,
            "1 when it answered, 0 when it failed or waits for its next try.",
        ),
        Metric("collector_errors", Kind.COUNT, Unit.NONE, "Failures since the previous tick."),
    ),
)

AGENT = Table(
    name="agent",
    help="What `sysmon run` itself costs, and how well it keeps time; one row a tick.",
    labels=("run",),
    metrics=(
        Metric("agent_sequence", Kind.GAUGE, Unit.NONE, "Ticks taken in this run."),
        Metric("agent_cpu_percent", Kind.RATIO, Unit.PERCENT, "CPU time of the whole process, of one core."),
        Metric("agent_memory_bytes", Kind.GAUGE, Unit.BYTES, "Resident memory of the process."),
        Metric("agent_tick_lateness_seconds", Kind.GAUGE, Unit.SECONDS, "How long after its instant the tick began."),
        Metric("agent_samples_missed", Kind.COUNT, Unit.NONE, "Base ticks skipped since the previous tick."),
        Metric("agent_samples_dropped", Kind.COUNT, Unit.NONE, "Samples taken and lost before they reached a file."),
    ),
)

SELF_TABLES = frozenset({COLLECTOR.name, AGENT.name})
"""The names of the tables that are about sysmon itself, which are shown to people when they ask for them."""
