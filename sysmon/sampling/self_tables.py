"""What sysmon measures about its own sampling: the `collector` and `agent` tables."""

from sysmon.model import Kind, Metric, Table

COLLECTOR = Table(
    name="collector",
    help="Each collector's work at one tick: how long it took and whether it answered.",
    labels=("collector",),
    paced_by="collector",
    compact=True,
    metrics=(
        Metric("collector_duration_seconds", Kind.GAUGE, "seconds", "Time from asking to having the rows."),
        Metric("collector_up", Kind.GAUGE, "0 or 1", "1 when it answered, 0 when it failed or waits for its next try."),
        Metric("collector_errors", Kind.COUNT, "", "Failures since the previous tick."),
    ),
)

AGENT = Table(
    name="agent",
    help="What `sysmon run` itself costs, and how well it keeps time; one row a tick.",
    labels=("run",),
    metrics=(
        Metric("agent_sequence", Kind.GAUGE, "", "Ticks taken in this run."),
        Metric("agent_cpu_percent", Kind.RATIO, "percent", "CPU time of the whole process, of one core."),
        Metric("agent_memory_bytes", Kind.GAUGE, "bytes", "Resident memory of the process."),
        Metric("agent_tick_lateness_seconds", Kind.GAUGE, "seconds", "How long after its instant the tick began."),
        Metric("agent_samples_missed", Kind.COUNT, "", "Base ticks skipped since the previous tick."),
        Metric("agent_samples_dropped", Kind.COUNT, "", "Samples taken and lost before they reached a file."),
    ),
)
