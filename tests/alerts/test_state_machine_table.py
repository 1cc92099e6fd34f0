"""Every cell of the state table: what one input does to one latch in each phase."""

import pytest

from sysmon.alerts.rule import OnMissing
from tests.alerts.scenes import level, phases, rule

# Limit 90, band 80 to 90; each for two minutes; a gap is more than three minutes; one input a minute.
PENDING, FIRING, CLEARING = "95", "95 95 95", "95 95 95 70"


@pytest.mark.parametrize(
    ("before", "given", "outcome"),
    [
        pytest.param("", "95", "pending", id="ok, breach"),
        pytest.param("", "85", "ok", id="ok, band"),
        pytest.param("", "70", "ok", id="ok, clear"),
        pytest.param("", "_", "ok", id="ok, missing"),
        pytest.param("70", "_ _ _ _", "ok ok ok ok", id="ok, gap"),
        pytest.param("", "x", "ok", id="ok, gone"),
        pytest.param(PENDING, "95", "pending", id="pending, breach too short"),
        pytest.param(PENDING, "95 95", "pending firing!fired", id="pending, breach long enough"),
        pytest.param(PENDING, "85", "ok", id="pending, band"),
        pytest.param(PENDING, "70", "ok", id="pending, clear"),
        pytest.param(PENDING, "_ 95", "pending pending", id="pending, missing is lost time"),
        pytest.param(PENDING, "_ 95 95", "pending pending firing!fired", id="pending, missing fires later"),
        pytest.param(PENDING, "_ _ _ _", "pending pending pending ok", id="pending, gap"),
        pytest.param(PENDING, "x", "ok", id="pending, gone"),
        pytest.param(FIRING, "95", "firing", id="firing, breach"),
        pytest.param(FIRING, "85", "firing", id="firing, band"),
        pytest.param(FIRING, "70", "clearing", id="firing, clear"),
        pytest.param(FIRING, "_", "firing", id="firing, missing"),
        pytest.param(FIRING, "_ _ _ _ _", "firing firing firing firing!no_data firing", id="firing, gap is told once"),
        pytest.param(FIRING, "x", "ok!resolved", id="firing, gone"),
        pytest.param(CLEARING, "95", "firing", id="clearing, breach"),
        pytest.param(CLEARING, "85", "firing", id="clearing, band"),
        pytest.param(CLEARING, "70", "clearing", id="clearing, clear too short"),
        pytest.param(CLEARING, "70 70", "clearing ok!resolved", id="clearing, clear long enough"),
        pytest.param(CLEARING, "_ 70", "clearing clearing", id="clearing, missing is lost time"),
        pytest.param(CLEARING, "_ 70 70", "clearing clearing ok!resolved", id="clearing, missing resolves later"),
        pytest.param(CLEARING, "_ _ _ _", "clearing clearing clearing firing!no_data", id="clearing, gap"),
        pytest.param(CLEARING, "x", "ok!resolved", id="clearing, gone"),
    ],
)
def test_one_latch_follows_the_table(before: str, given: str, outcome: str) -> None:
    watched = rule(level(">= 90", "< 80"))

    played_phases = phases(watched, f"{before} {given}")

    assert played_phases.split()[len(before.split()) :] == outcome.split()


@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        pytest.param(PENDING, "pending pending pending ok", id="pending"),
        pytest.param(FIRING, "firing firing firing ok!resolved", id="firing"),
        pytest.param(CLEARING, "clearing clearing clearing ok!resolved", id="clearing"),
    ],
)
def test_with_resolve_a_gap_ends_the_alert(before: str, outcome: str) -> None:
    watched = rule(level(">= 90", "< 80"), on_missing=OnMissing.RESOLVE)

    played_phases = phases(watched, f"{before} _ _ _ _")

    assert played_phases.split()[len(before.split()) :] == outcome.split()


@pytest.mark.parametrize(
    ("hold", "clear_for", "given", "outcome"),
    [
        pytest.param("0s", "2m", "95 70", "firing!fired clearing", id="fires at once"),
        pytest.param("0s", "0s", "95 85 70", "firing!fired firing ok!resolved", id="clears at once"),
        pytest.param("1m", "1m", "95 95 70 70", "pending firing!fired clearing ok!resolved", id="one interval"),
    ],
)
def test_durations_may_be_as_short_as_nothing(hold: str, clear_for: str, given: str, outcome: str) -> None:
    watched = rule(level(">= 90", "< 80", hold=hold, clear_for=clear_for))

    assert phases(watched, given) == outcome


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        pytest.param("95 95 95 . . 95", "firing!fired firing", id="three minutes are no gap"),
        pytest.param(
            "95 95 95 . . . . 95", "firing!fired firing!no_data!data_back", id="a gap, then the data's return"
        ),
        pytest.param("95 95 95 . . . . _ 95", "firing!fired firing!no_data firing!data_back", id="found by a missing"),
        pytest.param("95 95 95 70 . . . . 70 70 70", "clearing!no_data!data_back clearing ok!resolved", id="clearing"),
        pytest.param("95 95 . . . . 95 95 95", "pending pending firing!fired", id="a gap gives pending up"),
        pytest.param("95 95 95 . . . . x", "firing!fired ok!resolved", id="gone is told alone"),
    ],
)
def test_a_hole_without_any_input_counts_at_the_next_one(given: str, outcome: str) -> None:
    watched = rule(level(">= 90", "< 80"))

    played_phases = phases(watched, given).split()

    assert played_phases[-len(outcome.split()) :] == outcome.split()
