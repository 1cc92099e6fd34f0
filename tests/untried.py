"""What a machine could not try, said plainly: how many tests of each kind were skipped, and for want of what."""

from collections import Counter
from collections.abc import Iterable

import pytest


def untried(skipped: Iterable[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    """Return a line for each reason, the commonest first."""
    reasons = Counter(_reason(report) for report in skipped)
    if not reasons:
        return ["everything could be tried on this machine"]
    width = len(str(max(reasons.values())))
    return [
        f"{count:>{width}}  {reason}" for reason, count in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test was skipped: the last of where, at which line, and why."""
    why = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(why).removeprefix("Skipped: ")
