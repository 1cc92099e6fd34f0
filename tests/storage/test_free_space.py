import pytest

from sysmon.storage.free_space import Room, room


@pytest.mark.parametrize(
    ("free", "before", "after"),
    [
        pytest.param(2000, Room.EVERYTHING, Room.EVERYTHING, id="plenty"),
        pytest.param(1249, Room.EVERYTHING, Room.NO_COPIES, id="copies stop first"),
        pytest.param(1000, Room.EVERYTHING, Room.NO_COPIES, id="at the bound rows still have room"),
        pytest.param(999, Room.EVERYTHING, Room.NO_ROWS, id="below it they have none"),
        pytest.param(1050, Room.NO_ROWS, Room.NO_ROWS, id="a little more is not enough to go on"),
        pytest.param(1100, Room.NO_ROWS, Room.NO_COPIES, id="rows come back first"),
        pytest.param(1300, Room.NO_COPIES, Room.NO_COPIES, id="nor for copies"),
        pytest.param(1375, Room.NO_COPIES, Room.EVERYTHING, id="then copies"),
        pytest.param(1375, Room.NO_ROWS, Room.EVERYTHING, id="all at once"),
    ],
)
def test_what_may_be_written_with_a_thousand_bytes_kept_for_others(free: int, before: Room, after: Room) -> None:
    assert room(free, 1000, before=before) is after


def test_no_bound_is_no_bound() -> None:
    assert room(0, 0, before=Room.EVERYTHING) is Room.EVERYTHING
