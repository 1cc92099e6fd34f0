from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sysmon.model import AlertEvent, Culprit, Level, Transition
from sysmon.text.culprits import format_culprits

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JAVA = Culprit("4312", "java", "app", "-", 180.4, 90.0)
MAKE = Culprit("812", "make and ended children", "app", "-", 133.0, 60.0)
SHARED = Culprit("-", "shared memory and tmpfs", "-", "-", 2**30, 80.0)
EVENT = AlertEvent(
    at=AT,
    transition=Transition.FIRED,
    rule="cpu",
    id="00c0ffee",
    metric="cpu_usage_percent",
    labels={},
    level=Level.WARNING,
    value=97.0,
    peak=97.0,
    threshold=90.0,
    condition=">= 90",
    since=AT,
    duration=0.0,
    reason="breach",
    resource="cpu",
    top_at=AT,
)
LATER = AT.replace(minute=5)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        pytest.param(EVENT, "", id="nobody"),
        pytest.param(
            replace(EVENT, top=(JAVA,), unaccounted=12.0), "top: java(4312) 180 %, not attributed 12 %", id="rest"
        ),
        pytest.param(
            replace(EVENT, top=(JAVA,), unaccounted=0.5), "top: java(4312) 180 %", id="a rest not worth a word"
        ),
        pytest.param(replace(EVENT, unaccounted=198.0), "top: not attributed 198 %", id="nobody for anything"),
        pytest.param(replace(EVENT, top=(MAKE,)), "top: make(812) and ended children 133 %", id="ended children"),
        pytest.param(
            replace(EVENT, resource="memory", top=(SHARED,)), "top: shared memory and tmpfs 1.0 GiB", id="no process"
        ),
        pytest.param(replace(EVENT, top=(JAVA,), ended_pids=("4312",)), "top: java(4312) 180 % (ended)", id="ended"),
        pytest.param(
            replace(EVENT, top=(JAVA,), peak_top=(MAKE,), peak_at=LATER, peak_unaccounted=7.0, ended_pids=("4312",)),
            "top at the peak 12:05: make(812) and ended children 133 %, not attributed 7 %;"
            " at 12:00: java(4312) 180 % (ended)",
            id="another one at the peak",
        ),
        pytest.param(
            replace(EVENT, top=(JAVA,), peak_top=(replace(JAVA, value=300.0),), peak_at=LATER),
            "top at the peak 12:05: java(4312) 300 %",
            id="the same one at the peak",
        ),
        pytest.param(
            replace(EVENT, resource="space", growth=2.0**30, growth_since=AT, top=(replace(JAVA, value=2.0**30),)),
            "grew by 1.0 GiB since 12:00; wrote most: java(4312) 1.0 GiB",
            id="a file system that grew",
        ),
        pytest.param(
            replace(EVENT, resource="memory", growth=2.0**30, growth_since=AT),
            "grew by 1.0 GiB since 12:00",
            id="a file system that grew by nobody knows whom",
        ),
        pytest.param(replace(EVENT, resource="sockets", top=(JAVA,)), "top: java(4312) 180 sockets", id="sockets"),
    ],
)
def test_whom_an_alert_names_is_one_text(event: AlertEvent, text: str) -> None:
    assert format_culprits(event, lambda at: f"{at:%H:%M}") == text


def test_of_a_long_list_the_others_are_summed_up() -> None:
    event = replace(EVENT, top=(JAVA, MAKE, replace(JAVA, pid="9", value=20.0)), unaccounted=30.0)

    text = format_culprits(event, str, most=1)

    assert text == "top: java(4312) 180 %, 2 more 153 %, not attributed 30 %"
