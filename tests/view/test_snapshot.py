from dataclasses import replace
from datetime import timedelta

from sysmon.view.snapshot import number
from tests.view.scenes import LOST, NOON, busy


def test_a_course_is_a_value_for_each_sample_with_holes_where_there_was_none() -> None:
    snapshot = busy()

    history = snapshot.history("cpu", snapshot.pick_metric("cpu", "cpu_usage_percent", "0"), 95)

    holes = [place for place, value in enumerate(history) if value is None]
    assert (len(history), holes) == (95, [*range(5), *(94 - back for back in reversed(LOST))])


def test_a_course_ends_with_the_value_of_the_moment() -> None:
    snapshot = busy()

    history = snapshot.history("disk_io", snapshot.pick_metric("disk_io", "disk_io_util_percent", "sda"), 3)

    assert history[-1] == number(snapshot.record("disk_io", device="sda"), "disk_io_util_percent")


def test_values_of_several_rows_become_one() -> None:
    snapshot = busy()

    total = snapshot.history("network", snapshot.pick_metric("network", "network_transmit_bytes_per_second"), 1)
    largest = snapshot.history("disk_io", snapshot.pick_metric("disk_io", "disk_read_bytes_per_second", several=max), 1)

    assert (total, largest) == ([680e3], [12e6])


def test_what_is_not_there_has_an_empty_course() -> None:
    snapshot = replace(busy(), tables={})

    history = snapshot.history("cpu", snapshot.pick_metric("cpu", "cpu_usage_percent"), 3)

    assert (history, snapshot.records("cpu"), snapshot.record("load")) == ([None] * 3, [], {})


def test_a_course_has_no_place_for_samples_between_two_ticks_of_later() -> None:
    snapshot = busy()
    later = replace(snapshot, at=NOON + timedelta(seconds=20))

    history = later.history("cpu", snapshot.pick_metric("cpu", "cpu_usage_percent", "0"), 3)

    assert [value is None for value in history] == [False, True, True]
