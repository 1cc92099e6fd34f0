from datetime import UTC, datetime

import pytest

from sysmon.app.agent.resource_limits import CALM, PATIENCE, ResourceWatch
from sysmon.config import LimitAction, ResourceLimits
from sysmon.sampling.governor import Governor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Watching:
    """A watch over 5 % of a core, and all that comes of feeding it ticks."""

    def __init__(self, action: LimitAction) -> None:
        self.governor = Governor({"dear": 10.0, "cheap": 10.0}, {})
        self.governor.note(NOON, {"dear": 0.02, "cheap": 0.01})
        self.stopped = 0
        self.watch = ResourceWatch(ResourceLimits(5.0, None, action), self.governor, stop=self._stop)
        self.ticks = 0

    def feed(self, *percents: float | None) -> list[str]:
        changes = []
        for percent in percents:
            self.ticks += 1
            for event in self.watch.check(NOON, ("r1", 1, percent, 20_000_000, 0.0, 0, 0)):
                subject = event.fields.get("collector", event.fields.get("value"))
                changes.append(f"{self.ticks} {event.kind} {subject} {event.fields.get('seconds', '')}".strip())
        return changes

    def _stop(self) -> None:
        self.stopped += 1


def test_a_limit_is_told_once_when_it_is_crossed_for_good_in_either_direction() -> None:
    watching = Watching(LimitAction.LOG)

    changes = watching.feed(9, 1, 9, 9, None, 9, 9, 9, 1, 9, 1, 1, 1, 1)

    assert changes == ["6 limit_exceeded 9", "13 limit_kept_again 1"]


def test_to_log_changes_nothing_else() -> None:
    watching = Watching(LimitAction.LOG)

    watching.feed(*[9] * 50)

    assert (watching.governor.intervals, watching.stopped) == ({"dear": 10.0, "cheap": 10.0}, 0)


def test_slowing_down_goes_on_until_the_limit_is_kept() -> None:
    watching = Watching(LimitAction.SLOW_DOWN)

    changes = watching.feed(*[9] * 2 * PATIENCE, *[4.5] * 50)

    assert changes == [
        "3 limit_exceeded 9",
        "3 interval_changed dear 20.0",
        "3 interval_changed cheap 20.0",
        "6 interval_changed dear 40.0",
        "6 interval_changed cheap 40.0",
        "9 limit_kept_again 4.5",
    ]


def test_a_step_is_taken_back_after_a_calm_while_and_later_after_a_relapse() -> None:
    watching = Watching(LimitAction.SLOW_DOWN)

    changes = watching.feed(*[9] * PATIENCE, *[1] * CALM, *[9] * PATIENCE, *[1] * 2 * CALM)

    assert [line for line in changes if "dear" in line] == [
        "3 interval_changed dear 20.0",
        f"{3 + CALM} interval_changed dear 10.0",
        f"{6 + CALM} interval_changed dear 20.0",
        f"{6 + 3 * CALM} interval_changed dear 10.0",
    ]


def test_the_most_expensive_collector_is_switched_off_first() -> None:
    watching = Watching(LimitAction.DISABLE_COLLECTORS)

    changes = watching.feed(*[9] * 3 * PATIENCE, *[1] * 2 * CALM)

    assert [line for line in changes if "interval" in line] == [
        "3 interval_changed dear None",
        "6 interval_changed cheap None",
        f"{9 + CALM} interval_changed cheap 10.0",
        f"{9 + 2 * CALM} interval_changed dear 10.0",
    ]


def test_to_stop_is_asked_once() -> None:
    watching = Watching(LimitAction.STOP)

    changes = watching.feed(*[9] * 10)

    assert (changes, watching.stopped) == (["3 limit_exceeded 9"], 1)


@pytest.mark.parametrize("action", [pytest.param(action, id=action.value) for action in LimitAction])
def test_without_limits_nothing_is_ever_done(action: LimitAction) -> None:
    governor = Governor({"dear": 10.0}, {})
    watch = ResourceWatch(ResourceLimits(None, None, action), governor, stop=lambda: None)

    assert [watch.check(NOON, ("r1", 1, 100.0, 2**40, 0.0, 0, 0)) for _ in range(10)] == [[]] * 10
