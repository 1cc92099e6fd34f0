import pytest

from sysmon.view.commands import Command, Order, View, apply_command


@pytest.mark.parametrize(
    ("before", "command", "after"),
    [
        pytest.param(View(), Command.BY_IO, View(Order.IO), id="another order"),
        pytest.param(View(page=2, scroll=5), Command.PAGE_ON, View(), id="after the last page comes the first"),
        pytest.param(View(), Command.PAGE_BACK, View(page=2), id="before the first comes the last"),
        pytest.param(View(page=1, scroll=4, helping=True), Command.OVERVIEW, View(), id="back to the overview"),
        pytest.param(View(scroll=3), Command.HELP, View(helping=True), id="help"),
        pytest.param(View(helping=True), Command.HELP, View(), id="no more help"),
        pytest.param(View(), Command.SCROLL_UP, View(), id="no further up"),
        pytest.param(View(), Command.SCROLL_DOWN, View(scroll=1), id="down"),
    ],
)
def test_a_key_changes_what_is_looked_at(before: View, command: Command, after: View) -> None:
    assert apply_command(before, command, pages=3) == after
