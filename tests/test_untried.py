import pytest

from tests.untried import untried


def skipped(reason: str) -> pytest.TestReport:
    where = ("tests/test_it.py", 7, f"Skipped: {reason}")
    return pytest.TestReport("test_it", ("tests/test_it.py", 7, "it"), {}, "skipped", where, "setup")


@pytest.mark.parametrize(
    ("reports", "lines"),
    [
        pytest.param([], ["everything could be tried on this machine"], id="nothing"),
        pytest.param(
            [skipped("no jq"), skipped("no strace"), skipped("no strace")],
            ["2  no strace", "1  no jq"],
            id="counted by what is missing",
        ),
    ],
)
def test_what_was_skipped_is_told_by_what_was_missing(reports: list[pytest.TestReport], lines: list[str]) -> None:
    assert untried(reports) == lines
