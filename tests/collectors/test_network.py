from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors.network import InterfaceCounters, NetworkCollector, NetworkReading
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded

Io = namedtuple(
    "Io",
    ["bytes_sent", "bytes_recv", "packets_sent", "packets_recv", "errin", "errout", "dropin", "dropout"],
)
Stats = namedtuple("Stats", ["isup", "duplex", "speed", "mtu", "flags"])
PAIRS = st.tuples(st.integers(0, 2**64), st.integers(0, 2**64))
INTERFACES = st.builds(
    InterfaceCounters, PAIRS, PAIRS, PAIRS, st.integers(0, 9), st.none() | st.integers(0, 9), st.none() | st.just(10**9)
)


def collector(source: Any, **options: tuple[str, ...]) -> NetworkCollector:
    return NetworkCollector(source, NetworkCollector.Options(**options))


def carrying(*lines: bytes) -> bytes:
    return b"head\nhead\n" + b"".join(line + b" 0" * 16 + b"\n" for line in lines)


def test_counters_become_rates_and_shares() -> None:
    before = collector(recorded("server")).read()
    here = collector(recorded("server_later"))

    rows = here.rows(before, here.read(), 10.0)

    assert rows == [
        ("eth0", 6_250_000.0, 125_000.0, 90.0, 7.0, 1.0, 2.0, 8.0, 3.0, 10.19, 5.0),
        ("eth1", *[None] * 10),
        ("wg0", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None, None),
    ]


@pytest.mark.parametrize(
    ("options", "interfaces"),
    [
        pytest.param({}, ["eth0", "eth1", "wg0"], id="all but loopback by default"),
        pytest.param({"include": ("lo",)}, ["lo", "eth0", "eth1", "wg0"], id="loopback brought back"),
        pytest.param({"exclude": ("lo", "wg*")}, ["eth0", "eth1"], id="others left out"),
        pytest.param({"exclude": ("*",), "include": ("eth0",)}, ["eth0"], id="one alone"),
    ],
)
def test_options_say_which_interfaces_are_watched(options: dict[str, tuple[str, ...]], interfaces: list[str]) -> None:
    assert list(collector(recorded("server"), **options).read().interfaces) == interfaces


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        pytest.param("2500\n", 2_500_000_000, id="a speed"),
        pytest.param("-1\n", None, id="the kernel's word for unknown"),
        pytest.param("4294967295\n", None, id="the same without a sign, as old kernels wrote it"),
        pytest.param("65535\n", None, id="the same in 16 bits, as old drivers wrote it"),
        pytest.param("0\n", None, id="no speed"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_speed_that_is_unknown_is_null(tmp_path: Path, speed: str, expected: int | None) -> None:
    source = made_of(tmp_path, {"proc/net/dev": carrying(b"eth0:"), "sys/class/net/eth0/speed": speed})

    assert collector(source).read().interfaces["eth0"].speed == expected


def test_one_hostile_name_does_not_hide_the_others(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/net/dev": carrying(b"e\xff\x1b[2J:", b"eth0:")})

    assert list(collector(source).read().interfaces) == ["e\udcff\x1b[2J", "eth0"]


def test_one_counter_that_fell_costs_its_own_columns(tmp_path: Path) -> None:
    lines = ["eth0: 1000 1000 5 40 0 0 0 0 2000 1000 0 0 0 0 0 0", "eth0: 2000 1500 5 30 0 0 0 0 2500 1600 0 0 0 0 0 0"]
    before, after = (collector(made_of(tmp_path, {"proc/net/dev": f"\n\n{line}\n"})).read() for line in lines)
    here = collector(recorded("server"))

    assert here.rows(before, after, 10.0) == [("eth0", 100.0, 50.0, 50.0, 60.0, 0.0, 0.0, None, 0.0, None, None)]


def test_several_counters_that_fell_are_a_reset(tmp_path: Path) -> None:
    lines = ["eth0: 1000 1000 5 40 0 0 0 0 2000 1000 0 0 0 0 0 0", "eth0: 10 1 0 0 0 0 0 0 2500 1600 0 0 0 0 0 0"]
    before, after = (collector(made_of(tmp_path, {"proc/net/dev": f"\n\n{line}\n"})).read() for line in lines)

    assert collector(recorded("server")).rows(before, after, 10.0) == [("eth0", *[None] * 10)]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        pytest.param({}, ["eth0", "veth*"], id="by default"),
        pytest.param({"include": ("veth1",)}, ["eth0", "veth1", "veth*"], id="one by name"),
        pytest.param({"exclude": ("veth*",)}, ["eth0"], id="left out"),
        pytest.param({"summed": ()}, ["eth0", "veth1", "veth2"], id="each on its own"),
        pytest.param({"summed": ("*",)}, ["*"], id="all together"),
    ],
)
def test_options_say_which_interfaces_share_a_row(tmp_path: Path, options: dict[str, Any], rows: list[str]) -> None:
    here = collector(made_of(tmp_path, {"proc/net/dev": carrying(b"eth0:", b"veth1:", b"veth2:")}), **options)

    assert [row[0] for row in here.rows(None, here.read(), 1.0)] == rows


def test_windows_takes_the_speed_from_psutil() -> None:
    answers = iter([Io(0, 0, 0, 0, 0, 0, 0, 0), Io(1000, 12_500_000, 10, 90, 0, 0, 0, 0)])
    fake = SimpleNamespace(
        net_io_counters=lambda pernic, nowrap: {"Ethernet": next(answers)},
        net_if_stats=lambda: {"Ethernet": Stats(True, 2, 100, 1500, ""), "Wi-Fi": Stats(False, 0, 0, 1500, "")},
    )
    here = collector(elsewhere("win32", fake))

    rows = here.rows(here.read(), here.read(), 10.0)

    assert rows == [("Ethernet", 1_250_000.0, 100.0, 9.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0)]


def test_macos_does_not_count_what_it_drops_while_sending() -> None:
    answers = iter([Io(0, 0, 0, 0, 0, 0, 0, 0), Io(0, 0, 10, 89, 0, 0, 1, 0)])
    fake = SimpleNamespace(net_io_counters=lambda pernic, nowrap: {"en0": next(answers)}, net_if_stats=dict)
    here = collector(elsewhere("darwin", fake))

    rows = here.rows(here.read(), here.read(), 10.0)

    assert rows == [("en0", 0.0, 0.0, 8.9, 1.0, 0.0, 0.0, 0.1, None, 1.0, None)]


def test_a_machine_without_network_counters_has_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="net"):
        collector(made_of(tmp_path, {})).read()


def test_the_fields_that_psutil_gives_are_the_ones_that_other_systems_are_read_by() -> None:
    assert psutil.net_io_counters()._fields == Io._fields


def test_the_speed_of_an_interface_is_read_once_a_minute_and_at_once_for_a_new_one(tmp_path: Path) -> None:
    def machine(speed: str) -> Any:
        return made_of(tmp_path, {"proc/net/dev": carrying(b"eth0:"), "sys/class/net/eth0/speed": speed})

    seconds = iter([0.0, 59.0, 60.0, 61.0])
    here = NetworkCollector(machine("1000\n"), NetworkCollector.Options(), monotonic=lambda: next(seconds))
    speeds = [here.read().interfaces["eth0"].speed]
    machine("2500\n")
    speeds += [here.read().interfaces["eth0"].speed for _ in range(2)]
    (tmp_path / "proc/net/dev").write_bytes(carrying())
    here.read()
    machine("100\n")
    speeds.append(here.read().interfaces["eth0"].speed)

    assert speeds == [1_000_000_000, 1_000_000_000, 2_500_000_000, 100_000_000]


@given(INTERFACES, INTERFACES)
def test_no_two_readings_give_a_negative_number(before: InterfaceCounters, after: InterfaceCounters) -> None:
    here = collector(recorded("server"))
    row = here.rows(NetworkReading({"eth0": before}), NetworkReading({"eth0": after}), 10.0)[0]

    assert all(value is None or value >= 0 for value in row[1:] if not isinstance(value, str))
