"""The colours of a terminal, and what a process pays that draws none."""

import subprocess
import sys

import pytest

from sysmon.text.colors import paint


@pytest.mark.parametrize(
    ("style", "painted"),
    [
        pytest.param("critical", "\x1b[1m\x1b[31mhot\x1b[0m", id="a level"),
        pytest.param("dim", "\x1b[2mhot\x1b[0m", id="a weight"),
        pytest.param("", "hot", id="no style"),
    ],
)
def test_text_is_painted_in_its_style_and_colour_ends_with_it(style: str, painted: str) -> None:
    assert paint("hot", style) == painted


def test_nothing_is_painted_without_colour_or_text() -> None:
    assert (paint("hot", "critical", color=False), paint("", "critical")) == ("hot", "")


@pytest.mark.parametrize(
    ("color", "loaded"),
    [
        pytest.param(False, [], id="nobody sees colour"),
        pytest.param(True, ["colorama", "ctypes"], id="colour is drawn"),
    ],
)
def test_a_service_does_not_pay_for_colour(color: bool, loaded: list[str]) -> None:
    script = (
        "import sys, sysmon.app.agent.run, sysmon.app.agent.console; from sysmon.text.colors import paint\n"
        f"paint('x', 'ok', color={color})\n"
        "print([name for name in ('colorama', 'ctypes') if name in sys.modules])"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ended.stdout == f"{loaded}\n"
