from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.errors import UsageError
from sysmon.model import Unit
from sysmon.text import units

MS = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        pytest.param("500ms", 500 * MS, id="milliseconds"),
        pytest.param("10s", timedelta(seconds=10), id="seconds"),
        pytest.param("1h30m", timedelta(minutes=90), id="hours and minutes"),
        pytest.param("1.5h", timedelta(minutes=90), id="a fraction"),
        pytest.param("2d", timedelta(days=2), id="days"),
        pytest.param("1w", timedelta(weeks=1), id="a week"),
        pytest.param("0s", timedelta(0), id="nothing"),
    ],
)
def test_durations_are_read_with_their_units(text: str, span: timedelta) -> None:
    assert units.parse_duration(text) == span


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("5", "'5' is no duration: write 5s, 5m or 5h", id="a bare number"),
        pytest.param("10:30", "'10:30' is no duration: write 10s, 5m, 1h30m, 2d or 1w", id="a clock time"),
        pytest.param("", "'' is no duration: write 10s, 5m, 1h30m, 2d or 1w", id="nothing"),
        pytest.param("-5s", "'-5s' is no duration: write 10s, 5m, 1h30m, 2d or 1w", id="negative"),
        pytest.param("1 h", "'1 h' is no duration: write 10s, 5m, 1h30m, 2d or 1w", id="a space"),
        pytest.param("5M", "'5M' is no duration: write 10s, 5m, 1h30m, 2d or 1w", id="an unknown unit"),
        pytest.param("٣s", "'٣s' is no duration: write 10s, 5m, 1h30m, 2d or 1w", id="digits that are not ASCII"),
        pytest.param("9999w", "'9999w' is too long: write at most 5200w", id="centuries"),
        pytest.param("9" * 400 + "d", f"'{'9' * 400}d' is too long: write at most 5200w", id="beyond floats"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        units.parse_duration(text)

    assert str(refused.value) == message


@given(st.integers(0, 36_500 * 86_400_000))
def test_a_duration_as_written_is_read_back_to_the_millisecond(ms: int) -> None:
    assert units.parse_duration(units.format_duration(ms * MS)) == ms * MS


@given(st.integers(1, 10**12))
def test_a_negative_duration_is_written_with_a_sign(ms: int) -> None:
    assert units.format_duration(-ms * MS) == "-" + units.format_duration(ms * MS)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "250ms"),
        (7.2, "7s"),
        (59.7, "1m"),
        (70, "1m10s"),
        (3600, "1h"),
        (5430, "1h30m"),
        (273_600, "3d4h"),
        (-90, "1m30s"),
    ],
)
def test_an_age_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert units.format_age(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("64MiB", 64 * 2**20, id="binary"),
        pytest.param("2 GiB", 2 * 2**30, id="with a space"),
        pytest.param("500MB", 500 * 10**6, id="decimal"),
        pytest.param("1.5kB", 1500, id="a fraction"),
        pytest.param("0B", 0, id="nothing"),
    ],
)
def test_sizes_are_read_with_their_units(text: str, size: int) -> None:
    assert units.parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("64", "'64' is no size: write 64B or 64MiB", id="a bare number"),
        pytest.param("64M", "'64M' is no size: write 64MiB, 2GiB or 500MB", id="half a unit"),
        pytest.param("-1B", "'-1B' is no size: write 64MiB, 2GiB or 500MB", id="negative"),
        pytest.param("9" * 400 + "TiB", f"'{'9' * 400}TiB' is too large: write at most 8388608TiB", id="beyond floats"),
        pytest.param("8388609TiB", "'8388609TiB' is too large: write at most 8388608TiB", id="beyond file systems"),
    ],
)
def test_what_is_no_size_is_refused_with_the_way_out(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        units.parse_size(text)

    assert str(refused.value) == message


@given(st.integers(0, 2**50))
def test_a_size_as_written_is_read_back(size: int) -> None:
    assert units.parse_size(units.format_size(size)) == size


@given(st.integers(0, 2**13))
def test_a_whole_number_of_gibibytes_stays_one(number: int) -> None:
    assert units.parse_size(units.format_size(number * 2**30)) == number * 2**30


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        pytest.param(None, Unit.PERCENT, "-", id="missing"),
        pytest.param(97.24, Unit.PERCENT, "97.2 %", id="percent"),
        pytest.param(1.5 * 2**30, Unit.BYTES, "1.5 GiB", id="memory"),
        pytest.param(1000, Unit.BYTES, "1000 B", id="under a kibibyte"),
        pytest.param(1023.7, Unit.BYTES, "1.0 KiB", id="rounds up to the next prefix"),
        pytest.param(340_000, Unit.BYTES_PER_SECOND, "340 kB/s", id="throughput"),
        pytest.param(1200, Unit.PER_SECOND, "1.2 k/s", id="operations"),
        pytest.param(0.25, Unit.SECONDS, "250 ms", id="short time"),
        pytest.param(0, Unit.SECONDS, "0.0 s", id="no time"),
        pytest.param(3, Unit.SECONDS, "3.0 s", id="long time"),
        pytest.param(12.34, Unit.MILLISECONDS, "12.3 ms", id="milliseconds"),
        pytest.param(42, Unit.NONE, "42", id="a plain count"),
        pytest.param(-2048, Unit.BYTES, "-2.0 KiB", id="negative"),
    ],
)
def test_numbers_are_shown_with_their_units(value: float | None, unit: Unit, text: str) -> None:
    assert units.human(value, unit) == text


@given(
    st.floats(0, 10**17),
    st.sampled_from(Unit),
)
def test_a_short_number_fits_its_column(value: float, unit: Unit) -> None:
    assert len(units.short(value, unit)) <= 6


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        pytest.param(0.00021, Unit.SECONDS, "0.21ms", id="well under a millisecond"),
        pytest.param(0.25, Unit.SECONDS, "250ms", id="milliseconds"),
        pytest.param(1.5, Unit.SECONDS, "1.50s", id="seconds"),
        pytest.param(99_970, Unit.SECONDS, "100ks", id="rounds up to three digits"),
        pytest.param(0, Unit.SECONDS, "0", id="no time"),
        pytest.param(1.5 * 2**30, Unit.BYTES, "1.5Gi", id="memory"),
        pytest.param(340_000, Unit.BYTES_PER_SECOND, "340k", id="throughput"),
    ],
)
def test_a_short_number_cannot_be_taken_for_another(value: float, unit: Unit, text: str) -> None:
    assert units.short(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        pytest.param(None, Unit.PERCENT, "-", id="nothing"),
        pytest.param(0.0, Unit.PERCENT, "0%", id="no percent"),
        pytest.param(0.043, Unit.PERCENT, "0.04%", id="hardly a percent"),
        pytest.param(97.24, Unit.PERCENT, "97.2%", id="percent"),
        pytest.param(6400.0, Unit.PERCENT, "6400%", id="percent of many cores"),
        pytest.param(12_345_678, Unit.BYTES_PER_SECOND, "12.3MB/s", id="a rate of bytes"),
        pytest.param(1023 * 2**20, Unit.BYTES, "1023MiB", id="bytes"),
        pytest.param(1234, Unit.PER_SECOND, "1.2k/s", id="a rate"),
        pytest.param(0.00021, Unit.SECONDS, "0.21ms", id="less than a second"),
        pytest.param(1.5, Unit.SECONDS, "1.5s", id="seconds"),
        pytest.param(86_399.9, Unit.SECONDS, "1d", id="a long time"),
        pytest.param(-273_600, Unit.SECONDS, "-3d4h", id="a long time less"),
        pytest.param(1500, Unit.MILLISECONDS, "1.5s", id="many milliseconds"),
        pytest.param(1234, Unit.NONE, "1.2k", id="a number"),
    ],
)
def test_a_cell_has_its_unit(value: float | None, unit: Unit, text: str) -> None:
    assert units.cell(value, unit) == text


@given(st.floats(0, 8e10), st.sampled_from([unit for unit in Unit if unit is not Unit.SECONDS]))
def test_a_cell_is_never_wider_than_its_column(value: float, unit: Unit) -> None:
    assert len(units.cell(value, unit)) <= 8
