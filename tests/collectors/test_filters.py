from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors._filters import Filter

NAMES = st.text("ab*?.\n", max_size=4)
GLOBS = st.lists(st.text("ab*?.[]!\n", max_size=4), max_size=3)


@pytest.mark.parametrize(
    ("include", "exclude", "name", "otherwise", "watched"),
    [
        pytest.param((), (), "sda", True, True, id="nothing said, and the collector agrees"),
        pytest.param((), (), "sda1", False, False, id="nothing said, and the collector does not"),
        pytest.param((), ("sd*",), "sda", True, False, id="excluded"),
        pytest.param(("sda",), ("sd*",), "sda", True, True, id="include beats exclude"),
        pytest.param(("sda1",), (), "sda1", False, True, id="include beats the collector's own rule"),
        pytest.param(("sda",), (), "sdb", True, True, id="include does not hide others"),
        pytest.param(("sda",), ("*",), "sdb", True, False, id="all excluded but one"),
        pytest.param((), ("sd",), "sda", True, True, id="a pattern matches whole names"),
        pytest.param((), ("SDA",), "sda", True, True, id="upper and lower case differ"),
    ],
)
def test_include_brings_back_and_exclude_leaves_out(
    include: tuple[str, ...], exclude: tuple[str, ...], name: str, otherwise: bool, watched: bool
) -> None:
    assert Filter(include, exclude).allows(name, otherwise=otherwise) is watched


@given(GLOBS, GLOBS, NAMES, st.booleans())
def test_many_patterns_in_one_do_what_each_would_do_alone(
    include: list[str], exclude: list[str], name: str, otherwise: bool
) -> None:
    included = any(fnmatchcase(name, glob) for glob in include)
    excluded = any(fnmatchcase(name, glob) for glob in exclude)

    assert Filter(include, exclude).allows(name, otherwise=otherwise) is (included or (otherwise and not excluded))
