"""Down-sampled series: one metric of one series over a range in a few points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sysmon.model import Metric


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """The values of one metric in one bucket, from `at` on; a value of its own where the series was not cut."""

    at: datetime
    low: float
    high: float
    mean: float
    count: int


@dataclass(frozen=True, slots=True)
class DownsampledSeries:
    """One metric of one series over a range in a few points, in order; a bucket without a value has none.

    `step` is the length of the buckets, None where each point is one stored value. `labels` are those of the series.
    """

    metric: Metric
    labels: Mapping[str, str]
    step: timedelta | None
    points: Sequence[SeriesPoint]
