import pytest

from sysmon.storage.free_space import WriteScope, decide_write_scope


@pytest.mark.parametrize(
    ("free", "before", "after"),
    [
        pytest.param(2000, WriteScope.EVERYTHING, WriteScope.EVERYTHING, id="plenty"),
        pytest.param(1249, WriteScope.EVERYTHING, WriteScope.NO_COPIES, id="copies stop first"),
        pytest.param(1000, WriteScope.EVERYTHING, WriteScope.NO_COPIES, id="at the bound rows still have room"),
        pytest.param(999, WriteScope.EVERYTHING, WriteScope.NO_ROWS, id="below it they have none"),
        pytest.param(1050, WriteScope.NO_ROWS, WriteScope.NO_ROWS, id="a little more is not enough to go on"),
        pytest.param(1100, WriteScope.NO_ROWS, WriteScope.NO_COPIES, id="rows come back first"),
        pytest.param(1300, WriteScope.NO_COPIES, WriteScope.NO_COPIES, id="nor for copies"),
        pytest.param(1375, WriteScope.NO_COPIES, WriteScope.EVERYTHING, id="then copies"),
        pytest.param(1375, WriteScope.NO_ROWS, WriteScope.EVERYTHING, id="all at once"),
    ],
)
def test_what_may_be_written_with_a_thousand_bytes_kept_for_others(
    free: int, before: WriteScope, after: WriteScope
) -> None:
    assert decide_write_scope(free, 1000, before=before) is after


def test_no_bound_is_no_bound() -> None:
    assert decide_write_scope(0, 0, before=WriteScope.EVERYTHING) is WriteScope.EVERYTHING
