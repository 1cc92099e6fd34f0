import errno
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors.pressure import PressureCollector, PressureReading, Stalled
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded

TOTALS = st.none() | st.integers(0, 2**63)
STALLED = st.builds(Stalled, TOTALS, TOTALS)
LINE = "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"


def collector(source: Any) -> PressureCollector:
    return PressureCollector(source, PressureCollector.Options())


def refusing(tmp_path: Path, code: int) -> Path:
    """Return a kernel file of this machine that cannot be read for a given reason."""
    for path in Path("/sys/class/net").glob("*/phys_*"):
        try:
            path.read_bytes()
        except OSError as error:
            if error.errno == code:
                return path
    pytest.skip(f"no file here answers with {errno.errorcode[code]}")


def test_time_lost_becomes_a_share_of_the_time_that_passed() -> None:
    before = collector(recorded("server")).read()
    here = collector(recorded("server_later"))

    rows = here.rows(before, here.read(), 10.0)

    assert rows == [("cpu", 50.0, None), ("memory", 10.0, 2.5), ("io", 100.0, 0.0)]


def test_the_first_reading_has_no_shares() -> None:
    here = collector(recorded("server"))

    assert here.rows(None, here.read(), 1.0) == [(name, None, None) for name in ("cpu", "memory", "io")]


def test_a_resource_that_is_not_measured_has_no_row(tmp_path: Path) -> None:
    here = collector(made_of(tmp_path, {"proc/pressure/io": LINE}))
    reading = here.read()

    assert here.rows(reading, reading, 1.0) == [("io", 0.0, None)]


def test_a_kernel_that_was_told_not_to_measure_has_no_such_source(tmp_path: Path) -> None:
    file = refusing(tmp_path, errno.EOPNOTSUPP)
    source = made_of(tmp_path, {"proc/pressure/other": ""})
    (source.proc / "pressure/cpu").symlink_to(file)

    with pytest.raises(Unavailable, match="psi=0"):
        collector(source).read()


def test_a_file_that_should_answer_and_does_not_is_a_failure(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/pressure/io": LINE, "proc/pressure/cpu/in-the-way": ""})

    with pytest.raises(IsADirectoryError):
        collector(source).read()


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(recorded("container"), id="an old kernel"),
        pytest.param(elsewhere("win32", None), id="Windows"),
    ],
)
def test_a_machine_that_measures_nothing_has_no_such_source(source: Any) -> None:
    with pytest.raises(Unavailable, match="does not measure pressure"):
        collector(source).read()


@given(STALLED, STALLED, st.floats(0, 100))
def test_no_two_readings_give_more_than_all_of_the_time(before: Stalled, after: Stalled, seconds: float) -> None:
    here = collector(recorded("server"))
    row = here.rows(PressureReading({"cpu": before}), PressureReading({"cpu": after}), seconds)[0]

    assert all(value is None or 0 <= value <= 100 for value in row[1:] if not isinstance(value, str))
