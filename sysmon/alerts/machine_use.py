"""Use by what is no process: what the tables of the whole machine say about memory and processor time; pure."""

from collections.abc import Iterator, Mapping, Sequence

from sysmon.model import Resource, Row, Table

STEAL, INTERRUPTS, KERNEL = "other machines (steal)", "interrupts", "kernel threads"
SHARED, SLAB = "shared memory and tmpfs", "kernel objects (slab)"
_CPU_COLUMNS = ("cpu_irq_percent", "cpu_softirq_percent", "cpu_steal_percent")
_MEMORY_COLUMNS = ("memory_used_bytes", "memory_shared_bytes")
MEMORY_USED = "used"
PARTS = {Resource.CPU: (STEAL, INTERRUPTS), Resource.MEMORY: (SHARED,)}
"""What of a resource no process uses, as far as tables tell."""


class MachineUse:
    """What no process is: what the tables of the whole machine say about memory and processor time."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._cpu, self._memory = (
            table if table is not None and set(columns) <= set(table.columns) else None
            for table, columns in ((tables.get("cpu"), _CPU_COLUMNS), (tables.get("memory"), _MEMORY_COLUMNS))
        )
        self.tables = [table.name for table in (self._cpu, self._memory) if table is not None]
        self._cpu_columns = [] if self._cpu is None else [self._cpu.columns.index(name) for name in _CPU_COLUMNS]
        self._memory_columns = (
            [] if self._memory is None else [self._memory.columns.index(name) for name in _MEMORY_COLUMNS]
        )

    def add(
        self, sums: Mapping[str, tuple[int, float]], rows: Mapping[str, Sequence[Row]]
    ) -> Mapping[str, tuple[int, float]]:
        """Return sums, with the number of their ticks, and what another tick adds to them."""
        machine = dict(sums)
        for name, value in (*self._read_cpu(rows), *self._read_memory(rows)):
            ticks, total = machine.get(name, (0, 0.0))
            machine[name] = (ticks + 1, total + value)
        return machine

    def _read_cpu(self, rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, float]]:
        """Yield steal and interrupts in percent of one core; the table has them in percent of all cores."""
        cores = rows.get(self._cpu.name, ()) if self._cpu is not None else ()
        whole = next((row for row in cores if self._cpu is not None and row[0] == self._cpu.whole), None)
        if whole is not None:
            irq, softirq, steal = (to_number(whole[column]) for column in self._cpu_columns)
            number = max(1, len(cores) - 1)
            yield STEAL, steal * number
            yield INTERRUPTS, (irq + softirq) * number

    def _read_memory(self, rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, float]]:
        row = next(iter(rows.get(self._memory.name, ()) if self._memory is not None else ()), None)
        if row is not None:
            for name, column in zip((MEMORY_USED, SHARED), self._memory_columns, strict=True):
                if row[column] is not None:
                    yield name, to_number(row[column])


def to_number(cell: str | int | float | None) -> float:
    """Return a number of a row; 0 where there is none."""
    return float(cell) if isinstance(cell, int | float) else 0.0
