from pathlib import Path
from typing import Any

import pytest

from sysmon.collectors.tcp import TcpCollector
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded


def collector(source: Any) -> TcpCollector:
    return TcpCollector(source, TcpCollector.Options())


def test_counters_become_rates_wherever_their_column_stands() -> None:
    before = collector(recorded("server")).read()
    here = collector(recorded("server_later"))

    assert here.rows(before, here.read(), 10.0) == [(2.5, 0.5, 5.0, 10.0)]


def test_the_first_reading_has_no_rates() -> None:
    here = collector(recorded("server"))

    assert here.rows(None, here.read(), 1.0) == [(None, None, None, None)]


def test_counters_that_were_reset_have_no_rate() -> None:
    here = collector(recorded("server"))
    later = collector(recorded("server_later")).read()

    assert here.rows(later, here.read(), 10.0) == [(None, None, None, None)]


def test_a_word_that_is_no_number_costs_its_own_column(tmp_path: Path) -> None:
    snmp = "Tcp: RetransSegs ActiveOpens PassiveOpens\nTcp: 5 x 7\n"
    here = collector(made_of(tmp_path, {"proc/net/snmp": snmp}))
    reading = here.read()

    assert here.rows(reading, reading, 1.0) == [(0.0, None, None, 0.0)]


def test_what_a_container_hides_is_null() -> None:
    here = collector(recorded("container"))
    reading = here.read()

    assert here.rows(reading, reading, 1.0) == [(0.0, None, 0.0, 0.0)]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        pytest.param({}, "there is no .*snmp", id="no network at all"),
        pytest.param({"proc/net/snmp": "Ip: A\nIp: 1\n"}, "nothing about TCP", id="no TCP"),
        pytest.param({"proc/net/snmp": "Tcp: ActiveOpens\n"}, "nothing about TCP", id="names without numbers"),
    ],
)
def test_a_machine_without_the_counters_has_no_such_source(tmp_path: Path, files: dict[str, str], why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        collector(made_of(tmp_path, files)).read()


def test_other_systems_have_no_such_source() -> None:
    with pytest.raises(Unavailable, match="only Linux"):
        collector(elsewhere("darwin", None)).read()
