import pytest

from sysmon.text.nagios import PluginState, plugin_line


@pytest.mark.parametrize(
    ("state", "text", "performance", "line"),
    [
        pytest.param(PluginState.OK, "fine", (), "SYSMON OK - fine", id="no numbers"),
        pytest.param(
            PluginState.WARNING, "full", ("a=1", "b=2B;;;0"), "SYSMON WARNING - full | a=1 b=2B;;;0", id="numbers"
        ),
        pytest.param(PluginState.CRITICAL, "a|b", (), "SYSMON CRITICAL - a/b", id="the bar that ends the text is none"),
        pytest.param(PluginState.UNKNOWN, "a\nb  c", (), "SYSMON UNKNOWN - a b c", id="one line whatever it holds"),
        pytest.param(PluginState.OK, "a\x1b[2J", (), r"SYSMON OK - a\x1b[2J", id="nothing that moves a cursor"),
    ],
)
def test_a_plugin_says_one_line(state: PluginState, text: str, performance: tuple[str, ...], line: str) -> None:
    assert plugin_line(state, text, performance) == line
