from dataclasses import replace
from datetime import timedelta

from sysmon.view.snapshot import number
from tests.view.scenes import LOST, NOON, busy


def test_a_course_is_a_value_for_each_sample_with_holes_where_there_was_none() -> None:
    moment = busy()

    course = moment.course("cpu", moment.picker("cpu", "cpu_usage_percent", "0"), 95)

    holes = [place for place, value in enumerate(course) if value is None]
    assert (len(course), holes) == (95, [*range(5), *(94 - back for back in reversed(LOST))])


def test_a_course_ends_with_the_value_of_the_moment() -> None:
    moment = busy()

    course = moment.course("disk_io", moment.picker("disk_io", "disk_io_util_percent", "sda"), 3)

    assert course[-1] == number(moment.record("disk_io", device="sda"), "disk_io_util_percent")


def test_values_of_several_rows_become_one() -> None:
    moment = busy()

    total = moment.course("network", moment.picker("network", "network_transmit_bytes_per_second"), 1)
    largest = moment.course("disk_io", moment.picker("disk_io", "disk_read_bytes_per_second", several=max), 1)

    assert (total, largest) == ([680e3], [12e6])


def test_what_is_not_there_has_an_empty_course() -> None:
    moment = replace(busy(), tables={})

    course = moment.course("cpu", moment.picker("cpu", "cpu_usage_percent"), 3)

    assert (course, moment.records("cpu"), moment.record("load")) == ([None] * 3, [], {})


def test_a_course_has_no_place_for_samples_between_two_ticks_of_later() -> None:
    moment = busy()
    later = replace(moment, at=NOON + timedelta(seconds=20))

    course = later.course("cpu", moment.picker("cpu", "cpu_usage_percent", "0"), 3)

    assert [value is None for value in course] == [False, True, True]
