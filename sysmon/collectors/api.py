"""Collector API: everything that a collector may use, in one place; what is not here may change at any time."""

from sysmon import rates
from sysmon.collectors._filters import Filter
from sysmon.collectors._kernel_file import KernelFile
from sysmon.collectors._options import NoOptions
from sysmon.collectors._source import Source
from sysmon.errors import Unavailable
from sysmon.model import Headline, Kind, Metric, Notice, Resource, Row, Table, Total, Unit
from sysmon.protocols import Collector, option

__all__ = [
    "Collector",
    "Filter",
    "Headline",
    "KernelFile",
    "Kind",
    "Metric",
    "NoOptions",
    "Notice",
    "Resource",
    "Row",
    "Source",
    "Table",
    "Total",
    "Unavailable",
    "Unit",
    "option",
    "rates",
]
